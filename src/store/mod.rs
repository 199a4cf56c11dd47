//! What is kept, and where: the adapters of [`crate::domain::store::Store`]. The only SQL is here.

mod postgres;
mod sqlite;

use std::{
    fmt, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use secrecy::zeroize::Zeroizing;

pub use self::{postgres::PostgresError, sqlite::MigrateError};
use crate::{
    domain::store::{Store, StoreError},
    settings::DatabaseUrl,
};

/// How a process uses the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// As a server. A SQLite file has one: a second one is refused. A PostgreSQL database has any number.
    Serve {
        /// To PostgreSQL, for requests; events and changes made by other servers have one each besides.
        connections: u32,
    },
    /// As a command that works beside a server, or without one.
    Beside,
}

/// Why the store could not be opened. Nothing that was there before has been changed.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The folder of the file is missing and cannot be made.
    #[error(
        "cannot make the folder {} for the database; make it by hand, or name another place in DATABASE_URL",
        path.display()
    )]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file, or the lock file beside it, cannot be made or opened for writing.
    #[error(
        "cannot open {} for writing; give this user the right to write to it and to its folder, \
         or name another place in DATABASE_URL",
        path.display()
    )]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Another server holds the file.
    #[error(
        "another server is using the database {}; stop it first, or give this one its own file in DATABASE_URL",
        path.display()
    )]
    InUse {
        /// The database.
        path: PathBuf,
    },
    /// The file holds something else.
    #[error(
        "{} is not a SQLite database and was left as it is; move it away, or name another file in DATABASE_URL",
        path.display()
    )]
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// The file is a database, but a damaged one.
    #[error(
        "the database {} is damaged and was left as it is ({finding}); restore it from a back-up, \
         or save what can be read with `sqlite3 {} .recover`",
        path.display(), path.display()
    )]
    Corrupt {
        /// The database.
        path: PathBuf,
        /// The first fault that SQLite names.
        finding: String,
    },
    /// A later version of this program has changed the tables.
    #[error(
        "the database {} was written by a newer version of click-to-call (its schema has step {version}); \
         start that version again, or restore a back-up made before the upgrade",
        path.display()
    )]
    NewerSchema {
        /// The database.
        path: PathBuf,
        /// The first schema step that is not known here.
        version: i64,
    },
    /// A schema step failed, or its text differs from the one applied before.
    #[error(
        "cannot bring the tables of {} up to date; free some disk space if it is full, \
         else restore a back-up or start the version that wrote it",
        path.display()
    )]
    Migrate {
        /// The database.
        path: PathBuf,
        /// What failed.
        source: MigrateError,
    },
    /// SQLite did not accept a setting that keeping data safe depends on.
    #[error(
        "the database {} cannot be used safely here: {setting} is {found}; \
         put it on a local disk (not a network share)",
        path.display()
    )]
    NotDurable {
        /// The database.
        path: PathBuf,
        /// The SQLite pragma.
        setting: &'static str,
        /// Its value, read back.
        found: String,
    },
    /// SQLite cannot open or read the file.
    #[error(
        "cannot open the database {}; see that its folder can be written to, that the disk is not full, \
         and that no other program holds it locked",
        path.display()
    )]
    Open {
        /// The database.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// The PostgreSQL database can't be used.
    #[error(transparent)]
    Postgres(#[from] PostgresError),
}

/// Whether there may be anything at this address: connecting would not be what makes it.
pub fn exists(url: &DatabaseUrl) -> bool {
    match url {
        DatabaseUrl::Sqlite(path) => path.exists(),
        DatabaseUrl::Postgres(_) => true,
    }
}

/// Opens the store at this address, makes it when there is none, and brings its tables up to date.
///
/// # Errors
///
/// See [`ConnectError`]: each names the file and what to do about it.
pub async fn connect(url: &DatabaseUrl, access: Access) -> Result<Arc<dyn Store>, ConnectError> {
    match url {
        DatabaseUrl::Sqlite(path) => Ok(Arc::new(
            sqlite::SqliteStore::open(path.clone(), access).await?,
        )),
        DatabaseUrl::Postgres(url) => {
            Ok(Arc::new(postgres::PostgresStore::open(url, access).await?))
        }
    }
}

/// What a look at the store has found.
#[derive(Default)]
pub struct Looked {
    /// Whether its tables are of this version; else they are older, or not made yet.
    pub is_current: bool,
    /// The secret that was asked for, if it keeps one.
    pub secret: Option<Zeroizing<[u8; 32]>>,
}

impl fmt::Debug for Looked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Looked")
            .field("is_current", &self.is_current)
            .finish_non_exhaustive()
    }
}

/// Looks at the store at this address, whoever is using it, and changes nothing: a write is tried and taken back.
///
/// # Errors
///
/// See [`ConnectError`]. One that a newer version has written is refused, an older one is not.
pub async fn look(url: &DatabaseUrl, secret: &str) -> Result<Looked, ConnectError> {
    match url {
        DatabaseUrl::Sqlite(path) => sqlite::look(path.clone(), secret.to_owned()).await,
        DatabaseUrl::Postgres(url) => Ok(postgres::look(url, secret).await?),
    }
}

/// What is known of a request's token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    /// Nothing: it is new, or the request has none.
    Never,
    /// It came before, with the same request.
    WithSameContent,
    /// It came before, with another request.
    WithOtherContent,
}

/// What a database says, in the port's words: what can't be decoded is damaged, all else may pass.
impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        if matches!(
            error,
            rusqlite::Error::InvalidColumnType(..)
                | rusqlite::Error::FromSqlConversionFailure(..)
                | rusqlite::Error::IntegralValueOutOfRange(..)
        ) {
            Self::Corrupt(error.to_string())
        } else {
            Self::Unavailable(error.to_string())
        }
    }
}

/// The same of the other.
impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        if matches!(
            error,
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_)
        ) {
            Self::Corrupt(error.to_string())
        } else {
            Self::Unavailable(error.to_string())
        }
    }
}

/// Why there is no back-up.
#[derive(Debug, thiserror::Error)]
pub enum BackUpError {
    /// PostgreSQL has programs of its own for it.
    #[error(
        "the database {server} is PostgreSQL, which is copied by its own programs while it is in use: \
         pg_dump -Fc for one database, pg_basebackup with archived logs to lose nothing"
    )]
    Postgres {
        /// Host, port and database.
        server: String,
    },
    /// Nothing is there to be copied.
    #[error("there is no database {}; DATABASE_URL must be that of the service", path.display())]
    Missing {
        /// The database.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file of the back-up is there already or can't be made.
    #[error("cannot make the back-up {}; name a new file in a folder that can be written to", path.display())]
    File {
        /// The back-up.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The database can't be read, or the disk of the back-up is full.
    #[error("cannot copy the database {}; nothing was left behind", path.display())]
    Copy {
        /// The database.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
}

/// Copies the store at this address into a new file for its owner only, while servers use it, and returns the file's
/// size in bytes. What was acknowledged before is in it.
///
/// # Errors
///
/// See [`BackUpError`].
pub async fn back_up(url: &DatabaseUrl, to: &Path) -> Result<u64, BackUpError> {
    match url {
        DatabaseUrl::Sqlite(path) => sqlite::back_up(path.clone(), to.to_owned()).await,
        DatabaseUrl::Postgres(url) => Err(BackUpError::Postgres {
            server: url.server(),
        }),
    }
}
