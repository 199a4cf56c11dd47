//! `database.*`

use std::path::PathBuf;

use crate::settings::{
    Database, DatabaseUrl,
    key::{Default::Value, Form, Key, Raw, Spec},
    reader::{Noted, Reader},
};

pub(in crate::settings) static URL: Key<DatabaseUrl> = Key::new(
    "database.url",
    &Form {
        expected: || {
            "sqlite:// and the path of the file, like sqlite://data/click-to-call.db (relative) or \
             sqlite:///var/lib/click-to-call/click-to-call.db (absolute)"
                .to_owned()
        },
        parse: sqlite_file,
    },
    Value("\"sqlite://data/click-to-call.db\""),
    "Where everything is kept. Two slashes and a path: relative to the working directory. Three slashes: absolute. \
     The file and its folder are made when missing.",
)
.variables(&["DATABASE_URL"]);

pub(in crate::settings) static KEYS: &[&Spec] = &[&URL.spec];

pub(in crate::settings) fn read(reader: &mut Reader) -> Result<Database, Noted> {
    Ok(Database {
        url: reader.value(&URL)?,
    })
}

fn sqlite_file(raw: &Raw) -> Result<DatabaseUrl, String> {
    let text = raw.one()?.trim();
    let (scheme, rest) = text
        .split_once(':')
        .ok_or_else(|| "does not begin with sqlite://".to_owned())?;
    match scheme {
        "sqlite" => {}
        "postgres" | "postgresql" => {
            return Err("is PostgreSQL; this build keeps its data in SQLite only".to_owned());
        }
        _ => return Err("does not begin with sqlite://".to_owned()),
    }
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
    Ok(DatabaseUrl::Sqlite(PathBuf::from(path)))
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
            let DatabaseUrl::Sqlite(parsed) = sqlite_file(&Raw::One(text.to_owned())).unwrap();
            assert_eq!(parsed, PathBuf::from(path), "{text}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for text in [
            "data/a.db",
            "sqlite://",
            "sqlite://data/",
            "sqlite::memory:",
            "sqlite://a.db?mode=ro",
            "postgres://u@h/d",
            "mysql://h/d",
        ] {
            assert!(sqlite_file(&Raw::One(text.to_owned())).is_err(), "{text}");
        }
    }
}
