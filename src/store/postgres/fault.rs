//! What goes wrong between us and PostgreSQL, and what may be tried again.

use std::time::Duration;

use sqlx::error::DatabaseError;

use crate::domain::store::StoreError;

/// Why an operation did not come about.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    /// The driver or the server says so.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// Nothing was heard for so long.
    #[error("the database does not answer within {} s", .0.as_secs())]
    Slow(Duration),
    /// What was read can't be understood.
    #[error(transparent)]
    Content(#[from] StoreError),
    /// It can't be used (any more): a standby, or one that does not write durably.
    #[error("{0}")]
    Unfit(String),
}

impl Fault {
    /// SQLSTATE.
    ///
    /// Source: <https://www.postgresql.org/docs/current/errcodes-appendix.html>
    fn code(&self) -> Option<String> {
        let Self::Database(error) = self else {
            return None;
        };
        let code = error.as_database_error().and_then(DatabaseError::code)?;
        Some(code.into_owned())
    }

    /// Whether the connection is of no more use.
    pub(super) fn ends_connection(&self) -> bool {
        match self {
            Self::Database(sqlx::Error::Database(_)) => self
                .code()
                .is_some_and(|code| code.starts_with("57P") || code == "25P03"),
            Self::Database(_) | Self::Slow(_) | Self::Unfit(_) => true,
            Self::Content(_) => false,
        }
    }

    /// Whether the same operation, begun anew at once, may well succeed: the connection was cut, another server
    /// was faster, or two waited for each other. Every operation finds done what it has done before.
    pub(super) fn is_worth_another_try(&self) -> bool {
        match self {
            Self::Database(sqlx::Error::Io(_)) => true,
            Self::Database(_) => self.code().is_some_and(|code| {
                code.starts_with("08")
                    || code.starts_with("57P")
                    || matches!(
                        code.as_str(),
                        // Serialization failure, deadlock, idle in a transaction for too long.
                        "40001" | "40P01" | "25P03"
                        // A row of this key, or the visitor gone, since we looked.
                        | "23505" | "23503"
                    )
            }),
            Self::Slow(_) | Self::Content(_) | Self::Unfit(_) => false,
        }
    }

    /// Whether one of several rows is to blame, so that the others may go through without it.
    pub(super) fn may_be_of_one_row(&self) -> bool {
        self.code().is_some_and(|code| {
            // Data exceptions, broken constraints, triggers, program limits.
            ["22", "23", "P0", "54"]
                .iter()
                .any(|class| code.starts_with(class))
        })
    }
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Database(sqlx::Error::PoolTimedOut) => {
                Self::Unavailable("no connection to the database was to be had in time".to_owned())
            }
            Fault::Database(error) => error.into(),
            Fault::Content(error) => error,
            Fault::Slow(_) | Fault::Unfit(_) => Self::Unavailable(fault.to_string()),
        }
    }
}
