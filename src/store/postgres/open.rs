//! Opens connections: proves that the server keeps what it acknowledges, and brings the tables up to date.

use std::{fs::File, io, path::PathBuf, time::Duration};

use rustls::CertificateError;
use sqlx::{
    ConnectOptions, Connection, PgConnection, Row, SqlSafeStr,
    error::DatabaseError,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
    postgres::PgConnectOptions,
};

use super::fault::Fault;
use crate::settings::PostgresUrl;

/// The oldest version that is tried and still maintained.
const OLDEST_VERSION: i32 = 140_000;

/// How long a new connection may take, log-in included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// How long a start waits for the schema: another server may be changing it.
const MIGRATION_TIMEOUT: Duration = Duration::from_mins(2);

/// Why the database could not be opened. Nothing that was there before has been changed.
#[derive(Debug, thiserror::Error)]
pub enum PostgresError {
    /// The address has something in it that the driver can't use.
    #[error("DATABASE_URL can't be used; see its form in `click-to-call config manual`")]
    Address(#[source] sqlx::Error),
    /// A file that the address names can't be read.
    #[error(
        "cannot read {}, which {parameter} in DATABASE_URL names; put it there for this user, or name another file",
        path.display()
    )]
    File {
        /// Of the address.
        parameter: String,
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Nobody answers there, or something that isn't PostgreSQL.
    #[error(
        "cannot reach the database {server}; see that PostgreSQL runs there and lets this machine in, \
         or name another place in DATABASE_URL"
    )]
    Unreachable {
        /// Host, port and database.
        server: String,
        /// What the system or the server says.
        source: sqlx::Error,
    },
    /// Nobody answers in time.
    #[error(
        "the database {server} does not answer; see that nothing on the way there drops packets, \
         or name another place in DATABASE_URL"
    )]
    Silent {
        /// Host, port and database.
        server: String,
    },
    /// It does not prove who it is, or does not speak TLS.
    #[error("cannot connect to the database {server} with TLS; {advice}")]
    Tls {
        /// Host, port and database.
        server: String,
        /// What to do.
        advice: &'static str,
        /// What is wrong.
        source: sqlx::Error,
    },
    /// The log-in failed over a connection for which `DATABASE_URL` rules out TLS.
    #[error(
        "the database {server} does not let {user} in without TLS; set sslmode=verify-full in DATABASE_URL \
         (or require, which proves nothing), or see the name and the server's pg_hba.conf"
    )]
    Unencrypted {
        /// Host, port and database.
        server: String,
        /// Who tried.
        user: String,
        /// What the server says.
        source: sqlx::Error,
    },
    /// The log-in failed.
    #[error(
        "the database {server} does not let {user} in; check the name and the password in DATABASE_URL, \
         and the server's pg_hba.conf"
    )]
    Login {
        /// Host, port and database.
        server: String,
        /// Who tried.
        user: String,
        /// What the server says.
        source: sqlx::Error,
    },
    /// The server has no database of this name.
    #[error(
        "there is no database {server}; make it (`createdb`), or name another one in DATABASE_URL"
    )]
    Missing {
        /// Host, port and database.
        server: String,
    },
    /// It is there, but acknowledged events would not be safe in it.
    #[error("the database {server} can't be used: {finding}")]
    Unfit {
        /// Host, port and database.
        server: String,
        /// What is wrong with it, and what to do.
        finding: String,
    },
    /// A later version of this program has changed the tables.
    #[error(
        "the database {server} was written by a newer version of click-to-call (its schema has step {version}); \
         start that version again, or restore a back-up made before the upgrade"
    )]
    NewerSchema {
        /// Host, port and database.
        server: String,
        /// The first schema step that is not known here.
        version: i64,
    },
    /// A schema step failed, or its text differs from the one applied before.
    #[error(
        "cannot bring the tables of the database {server} up to date; give its user the right to make tables there, \
         free some disk space if it is full, else restore a back-up or start the version that wrote it"
    )]
    Migrate {
        /// Host, port and database.
        server: String,
        /// What failed.
        source: MigrateError,
    },
    /// Somebody else holds the schema's lock.
    #[error(
        "the tables of the database {server} are being changed by another server, or one that did so hangs; \
         look for its advisory lock in pg_locks"
    )]
    Locked {
        /// Host, port and database.
        server: String,
    },
}

/// All that a connection needs to be told.
///
/// # Errors
/// When a file that the address names can't be used.
pub(super) fn options(url: &PostgresUrl) -> Result<PgConnectOptions, PostgresError> {
    // The driver would say of a missing one that the server can't be reached.
    for (parameter, path) in url.files() {
        if let Err(source) = File::open(&path) {
            return Err(PostgresError::File {
                parameter,
                path,
                source,
            });
        }
    }
    let options = PgConnectOptions::from_url(url.expose()).map_err(PostgresError::Address)?;
    let options = match options.get_application_name() {
        Some(_) => options,
        None => options.application_name("click-to-call"),
    };
    Ok(options.options([
        // Before a webhook's sender gives up.
        ("statement_timeout", "3s"),
        ("lock_timeout", "2s"),
        // A server that was cut off in mid-transaction must not keep the others from its rows.
        ("idle_in_transaction_session_timeout", "5s"),
        ("tcp_keepalives_idle", "10"),
        ("tcp_keepalives_interval", "5"),
        ("tcp_keepalives_count", "3"),
        // Compiling takes longer than any of our statements.
        ("jit", "off"),
    ]))
}

/// Opens a connection to a server that is fit, within [`CONNECT_TIMEOUT`].
pub(super) async fn connect(options: &PgConnectOptions) -> Result<PgConnection, Fault> {
    let opening = async {
        let mut connection = options.connect().await?;
        prove_fit(&mut connection).await?;
        Ok(connection)
    };
    tokio::time::timeout(CONNECT_TIMEOUT, opening)
        .await
        .unwrap_or(Err(Fault::Slow(CONNECT_TIMEOUT)))
}

/// What decides whether a commit is on disk when it is acknowledged, and whether our texts can be kept.
const FITNESS: &str = "
    SELECT current_setting('server_version_num')::int4 AS version,
           current_setting('server_version') AS version_name,
           pg_is_in_recovery() AS is_standby,
           current_setting('transaction_read_only') = 'on' AS is_read_only,
           current_setting('synchronous_commit') AS synchronous_commit,
           current_setting('fsync') AS fsync,
           current_setting('server_encoding') AS encoding";

/// Asked of every new connection: behind one name another server may stand after a failover.
pub(super) async fn prove_fit(connection: &mut PgConnection) -> Result<(), Fault> {
    let row = sqlx::query(FITNESS).fetch_one(connection).await?;
    let is =
        |column: &str, value: &str| Ok::<_, sqlx::Error>(row.try_get::<&str, _>(column)? == value);
    let finding = if row.try_get::<i32, _>("version")? < OLDEST_VERSION {
        format!(
            "it runs on PostgreSQL {}; 14 or newer is needed",
            row.try_get::<&str, _>("version_name")?
        )
    } else if row.try_get("is_standby")? {
        "it is a standby, which takes no writes; name the primary in DATABASE_URL".to_owned()
    } else if row.try_get("is_read_only")? {
        "it is read-only for this user; set default_transaction_read_only to off".to_owned()
    } else if is("synchronous_commit", "off")? {
        "synchronous_commit is off, so a power cut would lose what was acknowledged; \
         set it to on, for the server or with `ALTER ROLE … SET synchronous_commit = on`"
            .to_owned()
    } else if is("fsync", "off")? {
        "fsync is off, so a power cut would damage it; set it to on and restart PostgreSQL"
            .to_owned()
    } else if !is("encoding", "UTF8")? {
        format!(
            "its encoding is {}; make one with the encoding UTF8 (`createdb -T template0 -E UTF8`)",
            row.try_get::<&str, _>("encoding")?
        )
    } else {
        return Ok(());
    };
    Err(Fault::Unfit(finding))
}

/// Every step of the schema, in order. A step that was released never changes.
pub(super) fn migrations() -> Vec<Migration> {
    let step = |version, description: &'static str, sql: &'static str| {
        let (sql, kind) = (sql.into_sql_str(), MigrationType::Simple);
        Migration::new(version, description.into(), kind, sql, false)
    };
    vec![
        step(
            1,
            "core",
            include_str!("../../../migrations/postgres/0001_core.sql"),
        ),
        step(
            2,
            "ready users",
            include_str!("../../../migrations/postgres/0002_ready_users.sql"),
        ),
        step(
            3,
            "homes",
            include_str!("../../../migrations/postgres/0003_homes.sql"),
        ),
        step(
            4,
            "lean events",
            include_str!("../../../migrations/postgres/0004_lean_events.sql"),
        ),
    ]
}

/// Proves that the database can be used, and applies the schema steps that are missing.
///
/// Several servers may start at once: the migrator holds an advisory lock, and the next one finds the work done.
pub(super) async fn prepare(
    url: &PostgresUrl,
    options: &PgConnectOptions,
) -> Result<(), PostgresError> {
    let server = url.server();
    // Making an index can take longer than any request may.
    let options = options
        .clone()
        .options([("statement_timeout", "0"), ("lock_timeout", "0")]);
    let mut connection = connect(&options)
        .await
        .map_err(|fault| explain(url, fault))?;
    // `run_direct` and not `run`: the latter's bounds make a future that cannot be spawned.
    let migrator = Migrator::with_migrations(migrations());
    let migrating = migrator.run_direct(None, &mut connection, false);
    match tokio::time::timeout(MIGRATION_TIMEOUT, migrating).await {
        // Closed in any case: the lock belongs to the connection.
        Ok(Ok(())) => match connection.close().await {
            Ok(()) | Err(_) => Ok(()),
        },
        Ok(Err(MigrateError::VersionMissing(version))) => {
            Err(PostgresError::NewerSchema { server, version })
        }
        Ok(Err(source)) => Err(PostgresError::Migrate { server, source }),
        Err(_elapsed) => Err(PostgresError::Locked { server }),
    }
}

pub(super) fn explain(url: &PostgresUrl, fault: Fault) -> PostgresError {
    let server = url.server();
    let source = match fault {
        Fault::Database(source) => source,
        Fault::Slow(_) => return PostgresError::Silent { server },
        Fault::Unfit(finding) => return PostgresError::Unfit { server, finding },
        Fault::Content(error) => {
            let finding = error.to_string();
            return PostgresError::Unfit { server, finding };
        }
    };
    if let Some(advice) = tls_advice(url, &source) {
        return PostgresError::Tls {
            server,
            advice,
            source,
        };
    }
    let code = source.as_database_error().and_then(DatabaseError::code);
    match code.as_deref() {
        Some("28000") if url.rules_out_tls() => PostgresError::Unencrypted {
            server,
            user: url.user().to_owned(),
            source,
        },
        Some("28P01" | "28000") => PostgresError::Login {
            server,
            user: url.user().to_owned(),
            source,
        },
        Some("3D000") => PostgresError::Missing { server },
        _ => PostgresError::Unreachable { server, source },
    }
}

/// What to do about this fault, if TLS is what failed.
fn tls_advice(url: &PostgresUrl, error: &sqlx::Error) -> Option<&'static str> {
    if matches!(error, sqlx::Error::Tls(_)) {
        return Some(if url.is_socket() {
            "PostgreSQL never speaks it over a Unix socket, where it is not needed: leave sslmode out of DATABASE_URL, and \
             sslrootcert, sslcert and sslkey with it"
        } else {
            "switch it on there (ssl = on), and see that the files that DATABASE_URL names hold certificates"
        });
    }
    let sqlx::Error::Io(error) = error else {
        return None;
    };
    let fault = error.get_ref()?.downcast_ref::<rustls::Error>()?;
    Some(
        if matches!(
            fault,
            rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer)
        ) {
            "its certificate is from an authority that is not known here: name the file with that authority's \
         certificate as sslrootcert in DATABASE_URL"
        } else if matches!(
            fault,
            rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. }
            )
        ) {
            "its certificate is for another name: write the host in DATABASE_URL as the certificate does, \
         or give the server a certificate for this one"
        } else {
            "see the server's certificate and its log"
        },
    )
}
