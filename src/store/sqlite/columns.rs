//! How values of the domain stand in columns, and how they are read back.

use chrono::{DateTime, Utc};
use rusqlite::Row;
use uuid::Uuid;

use crate::domain::store::StoreError;

/// A time as whole milliseconds since 1970.
pub(super) fn millis(time: DateTime<Utc>) -> i64 {
    time.timestamp_millis()
}

/// A row, read column by column.
pub(super) trait Columns {
    /// A time.
    fn time(&self, column: &str) -> Result<DateTime<Utc>, StoreError>;
    /// A time that may be missing.
    fn time_if_any(&self, column: &str) -> Result<Option<DateTime<Utc>>, StoreError>;
    /// A UUID.
    fn uuid(&self, column: &str) -> Result<Uuid, StoreError>;
    /// A UUID that may be missing.
    fn uuid_if_any(&self, column: &str) -> Result<Option<Uuid>, StoreError>;
    /// Bytes that may be missing.
    fn blob_if_any(&self, column: &str) -> Result<Option<&[u8]>, StoreError>;
    /// A digest or secret.
    fn bytes32(&self, column: &str) -> Result<[u8; 32], StoreError>;
    /// A text that may be missing, as what `parse` makes of it.
    fn parsed_if_any<T>(
        &self,
        column: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, StoreError>;
}

impl Columns for Row<'_> {
    fn time(&self, column: &str) -> Result<DateTime<Utc>, StoreError> {
        to_time(column, self.get(column)?)
    }

    fn time_if_any(&self, column: &str) -> Result<Option<DateTime<Utc>>, StoreError> {
        self.get::<_, Option<i64>>(column)?
            .map(|millis| to_time(column, millis))
            .transpose()
    }

    fn uuid(&self, column: &str) -> Result<Uuid, StoreError> {
        to_uuid(
            column,
            self.blob_if_any(column)?.ok_or_else(|| damaged(column))?,
        )
    }

    fn uuid_if_any(&self, column: &str) -> Result<Option<Uuid>, StoreError> {
        self.blob_if_any(column)?
            .map(|bytes| to_uuid(column, bytes))
            .transpose()
    }

    fn blob_if_any(&self, column: &str) -> Result<Option<&[u8]>, StoreError> {
        let value = self.get_ref(column)?;
        value
            .as_blob_or_null()
            .map_err(|_of_another_type| damaged(column))
    }

    fn bytes32(&self, column: &str) -> Result<[u8; 32], StoreError> {
        self.blob_if_any(column)?
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or_else(|| damaged(column))
    }

    fn parsed_if_any<T>(
        &self,
        column: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, StoreError> {
        let value = self.get_ref(column)?;
        let text = value
            .as_str_or_null()
            .map_err(|_of_another_type| damaged(column))?;
        text.map(|text| parse(text).ok_or_else(|| damaged(column)))
            .transpose()
    }
}

fn to_time(column: &str, millis: i64) -> Result<DateTime<Utc>, StoreError> {
    DateTime::from_timestamp_millis(millis).ok_or_else(|| damaged(column))
}

fn to_uuid(column: &str, bytes: &[u8]) -> Result<Uuid, StoreError> {
    Uuid::from_slice(bytes).ok().ok_or_else(|| damaged(column))
}

/// Names the column, never the value.
fn damaged(column: &str) -> StoreError {
    StoreError::Corrupt(format!("a value in the column {column}"))
}
