//! The address of the database: a SQLite file, or a database of a PostgreSQL server.

use std::{fmt, path::PathBuf};

use url::{Host, Url};

/// A database address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// A database of a PostgreSQL server.
    Postgres(PostgresUrl),
}

/// The address of a PostgreSQL database. It is shown without its password.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresUrl(Url);

/// What may stand behind the `?`.
const PARAMETERS: [&str; 5] = [
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "application_name",
];

/// PostgreSQL's, but for `allow`: the driver takes it for `disable` and never tries TLS, as `allow` would.
///
/// Source: <https://www.postgresql.org/docs/current/libpq-ssl.html#LIBPQ-SSL-PROTECTION>
const SSL_MODES: [&str; 5] = ["disable", "prefer", "require", "verify-ca", "verify-full"];

impl DatabaseUrl {
    /// Reads an address, or says in words what is wrong with it, without repeating any of it.
    ///
    /// # Errors
    /// When it is of another kind, or lacks something.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (scheme, rest) = text.split_once(':').unwrap_or_default();
        match scheme {
            "sqlite" => parse_file(rest).map(Self::Sqlite),
            "postgres" | "postgresql" => PostgresUrl::parse(text).map(Self::Postgres),
            _ => Err("begins with neither sqlite:// nor postgres://".to_owned()),
        }
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite://{}", path.display()),
            Self::Postgres(url) => url.fmt(f),
        }
    }
}

fn parse_file(rest: &str) -> Result<PathBuf, String> {
    let path = rest.strip_prefix("//").unwrap_or(rest);
    if path.is_empty() || path.ends_with('/') {
        return Err("names no file".to_owned());
    }
    if path.contains(":memory:") {
        return Err("would forget everything at each start".to_owned());
    }
    if path.contains(['?', '#']) {
        return Err("has ? or # in it; how the file is opened can't be chosen".to_owned());
    }
    Ok(PathBuf::from(path))
}

impl PostgresUrl {
    fn parse(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|error| {
            format!("is not an address ({error}); reserved characters in a password are written as %40 (@), %2F (/) and so on")
        })?;
        if url.host_str().is_none_or(str::is_empty) {
            return Err(
                "names no host; a socket's folder is written as %2Fvar%2Frun%2Fpostgresql"
                    .to_owned(),
            );
        }
        if url.username().is_empty() {
            return Err("names no user".to_owned());
        }
        let database = url.path().trim_start_matches('/');
        if database.is_empty() || database.contains('/') {
            return Err("names no database behind the host".to_owned());
        }
        if url.fragment().is_some() {
            return Err("has a # in it; in a password it is written as %23".to_owned());
        }
        for (name, value) in url.query_pairs() {
            if !PARAMETERS.contains(&&*name) {
                return Err(format!(
                    "has a parameter that is not known; these are: {}",
                    PARAMETERS.join(", ")
                ));
            }
            if name == "sslmode" && value == "allow" {
                return Err(
                    "has sslmode=allow, with which TLS would never be tried here; write sslmode=prefer if TLS is \
                     optional, verify-full if it is not (or require, which proves nothing), disable to do without"
                        .to_owned(),
                );
            }
            if name == "sslmode" && !SSL_MODES.contains(&&*value) {
                return Err(format!(
                    "has an sslmode that is not known; these are: {}",
                    SSL_MODES.join(", ")
                ));
            }
        }
        let url = Self(url);
        // PostgreSQL's own clients would check with `require` as well; the driver does not.
        if url.files().any(|(name, _)| name == "sslrootcert")
            && !url.ssl_mode().starts_with("verify-")
        {
            return Err(
                "names an sslrootcert that nothing would be checked against; write sslmode=verify-full with it (or \
                 verify-ca, which leaves the server's name unchecked)"
                    .to_owned(),
            );
        }
        Ok(url)
    }

    /// The whole address, with its password.
    pub fn expose(&self) -> &Url {
        &self.0
    }

    /// Host, port and database, for messages.
    pub fn server(&self) -> String {
        let host = self.0.host_str().unwrap_or_default().replace("%2F", "/");
        let port = self.0.port().unwrap_or(5432);
        format!("{host}:{port}{}", self.0.path())
    }

    /// The user that logs in.
    pub fn user(&self) -> &str {
        self.0.username()
    }

    /// Whether the way there is a Unix socket.
    pub fn is_socket(&self) -> bool {
        let host = self.0.host_str().unwrap_or_default();
        host.starts_with("%2F")
    }

    /// Whether the chosen `sslmode` is one with which TLS is not tried.
    pub fn rules_out_tls(&self) -> bool {
        self.ssl_mode() == "disable"
    }

    /// The files for TLS that it names, each with the parameter that does.
    pub fn files(&self) -> impl Iterator<Item = (String, PathBuf)> {
        let parameters = self.0.query_pairs();
        parameters
            .filter(|(name, _)| matches!(&**name, "sslrootcert" | "sslcert" | "sslkey"))
            .map(|(name, path)| (name.into_owned(), PathBuf::from(&*path)))
    }

    fn ssl_mode(&self) -> String {
        let mode = self.0.query_pairs().find(|(name, _)| name == "sslmode");
        mode.map_or_else(|| "prefer".to_owned(), |(_, mode)| mode.into_owned())
    }

    /// The chosen `sslmode`, when the way there leads through a network that others may share.
    ///
    /// A name without a dot is one of this machine or of its containers.
    pub(super) fn unproven_ssl_mode(&self) -> Option<String> {
        let is_near = match self.0.host() {
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            // The parser leaves the addresses of this scheme as they are written.
            Some(Host::Domain(name)) => {
                name.starts_with("127.") || !name.contains('.') || self.is_socket()
            }
            None => true,
        };
        let mode = self.ssl_mode();
        (!is_near && !mode.starts_with("verify-")).then_some(mode)
    }
}

impl fmt::Display for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = &self.0;
        write!(f, "{}://{}", url.scheme(), url.username())?;
        if url.password().is_some() {
            f.write_str(":[redacted]")?;
        }
        write!(f, "@{}", url.host_str().unwrap_or_default())?;
        if let Some(port) = url.port() {
            write!(f, ":{port}")?;
        }
        f.write_str(url.path())?;
        if let Some(query) = url.query() {
            write!(f, "?{query}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_and_absolute_paths() {
        for (text, path) in [
            ("sqlite://data/a.db", "data/a.db"),
            ("sqlite:///var/lib/a.db", "/var/lib/a.db"),
            ("sqlite:a.db", "a.db"),
        ] {
            let parsed = DatabaseUrl::parse(text).unwrap();
            assert_eq!(parsed, DatabaseUrl::Sqlite(PathBuf::from(path)), "{text}");
        }
    }

    #[test]
    fn a_password_never_comes_out() {
        let text = "postgres://ann:can%40ary@db.example:5433/calls?sslmode=verify-full";
        let url = DatabaseUrl::parse(text).unwrap();
        let shown = "postgres://ann:[redacted]@db.example:5433/calls?sslmode=verify-full";
        assert_eq!(url.to_string(), shown);
        assert!(!format!("{url:?}").contains("can"));
        let DatabaseUrl::Postgres(url) = url else {
            panic!("not PostgreSQL");
        };
        assert_eq!(url.server(), "db.example:5433/calls");
        assert_eq!(url.expose().password(), Some("can%40ary"));
    }

    #[test]
    fn a_way_through_a_network_is_to_be_proven() {
        for (text, mode) in [
            ("postgres://a@db/calls", None),
            ("postgres://a@127.0.0.1/calls", None),
            ("postgres://a@[::1]/calls", None),
            ("postgres://a@%2Fvar%2Frun%2Fpostgresql.d/calls", None),
            ("postgres://a@db.example/calls?sslmode=verify-full", None),
            ("postgres://a@db.example/calls", Some("prefer")),
            (
                "postgres://a@10.0.0.7/calls?sslmode=require",
                Some("require"),
            ),
        ] {
            let DatabaseUrl::Postgres(url) = DatabaseUrl::parse(text).unwrap() else {
                panic!("not PostgreSQL");
            };
            assert_eq!(url.unproven_ssl_mode().as_deref(), mode, "{text}");
        }
    }

    #[test]
    fn everything_else_is_refused_in_words() {
        for (text, words) in [
            ("data/a.db", "begins with neither"),
            ("mysql://h/d", "begins with neither"),
            ("sqlite://", "names no file"),
            ("sqlite://data/", "names no file"),
            ("sqlite::memory:", "would forget everything"),
            ("sqlite://a.db?mode=ro", "can't be chosen"),
            ("postgres://", "names no host"),
            ("postgres:///calls", "names no host"),
            ("postgres://db/calls", "names no user"),
            ("postgres://ann@db", "names no database"),
            ("postgres://ann@db/a/b", "names no database"),
            ("postgres://ann:can#ary@db/calls", "is not an address"),
            ("postgres://ann@db/calls#ary", "is written as %23"),
            ("postgres://ann@db/calls?password=canary", "is not known"),
            ("postgres://ann@db/calls?sslmode=canary", "verify-full"),
            (
                "postgres://ann@db/calls?sslrootcert=canary.pem",
                "write sslmode=verify-full with it",
            ),
            (
                "postgres://ann@db/calls?sslmode=require&sslrootcert=canary.pem",
                "write sslmode=verify-full with it",
            ),
            (
                "postgres://ann@db/calls?sslmode=allow",
                "write sslmode=prefer if TLS is optional, verify-full if it is not",
            ),
        ] {
            let reason = DatabaseUrl::parse(text).unwrap_err();
            assert!(reason.contains(words), "{text}: {reason}");
            assert!(!reason.contains("canary"), "{text}: {reason}");
        }
    }
}
