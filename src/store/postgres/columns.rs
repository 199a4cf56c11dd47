//! How values of the domain stand in columns, and how they are read back.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use sqlx::{Row, postgres::PgRow};

use super::fault::Fault;
use crate::domain::store::StoreError;

/// A time as whole milliseconds since 1970.
pub(super) fn millis(time: DateTime<Utc>) -> i64 {
    time.timestamp_millis()
}

/// Text from outside. PostgreSQL keeps every character but U+0000, which U+FFFD stands in for;
/// an event's own bytes are kept as they came beside it.
pub(super) fn text(text: &str) -> Cow<'_, str> {
    if text.contains('\0') {
        Cow::Owned(text.replace('\0', "\u{fffd}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// A row, read column by column.
pub(super) trait Columns {
    /// A time.
    fn time(&self, column: &str) -> Result<DateTime<Utc>, Fault>;
    /// A time that may be missing.
    fn time_if_any(&self, column: &str) -> Result<Option<DateTime<Utc>>, Fault>;
    /// A digest or secret.
    fn bytes32(&self, column: &str) -> Result<[u8; 32], Fault>;
    /// A text that may be missing, as what `parse` makes of it.
    fn parsed_if_any<T>(
        &self,
        column: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, Fault>;
}

impl Columns for PgRow {
    fn time(&self, column: &str) -> Result<DateTime<Utc>, Fault> {
        to_time(column, self.try_get(column)?)
    }

    fn time_if_any(&self, column: &str) -> Result<Option<DateTime<Utc>>, Fault> {
        self.try_get::<Option<i64>, _>(column)?
            .map(|millis| to_time(column, millis))
            .transpose()
    }

    fn bytes32(&self, column: &str) -> Result<[u8; 32], Fault> {
        let bytes: &[u8] = self.try_get(column)?;
        bytes.try_into().ok().ok_or_else(|| damaged(column))
    }

    fn parsed_if_any<T>(
        &self,
        column: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, Fault> {
        self.try_get::<Option<&str>, _>(column)?
            .map(|text| parse(text).ok_or_else(|| damaged(column)))
            .transpose()
    }
}

fn to_time(column: &str, millis: i64) -> Result<DateTime<Utc>, Fault> {
    DateTime::from_timestamp_millis(millis).ok_or_else(|| damaged(column))
}

/// Names the column, never the value.
fn damaged(column: &str) -> Fault {
    StoreError::Corrupt(format!("a value in the column {column}")).into()
}
