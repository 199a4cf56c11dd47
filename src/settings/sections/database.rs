//! `database.*`

use crate::settings::{
    Database, DatabaseUrl, forms,
    key::{Default::Value, Form, Key, Spec},
    reader::{Noted, Reader},
};

pub(in crate::settings) static URL: Key<DatabaseUrl> = Key::new(
    "database.url",
    &Form {
        expected: || {
            "sqlite:// and the path of the file, like sqlite://data/click-to-call.db (relative) or \
             sqlite:///var/lib/click-to-call/click-to-call.db (absolute); or postgres://user:password@host:port/database"
                .to_owned()
        },
        parse: |raw| DatabaseUrl::parse(raw.one()?.trim()),
    },
    Value("\"sqlite://data/click-to-call.db\""),
    "Where everything is kept. One server needs nothing but SQLite: two slashes and a path are relative to the working \
     directory, three slashes absolute; file and folder are made when missing.\n\
     Several servers that serve one website share a PostgreSQL database (14 or newer, made beforehand, encoding UTF8, \
     synchronous_commit on), reached directly or through a pooler in session mode. \
     Behind a ? may stand sslmode (disable, prefer, require, verify-ca, verify-full; the default is prefer), \
     sslrootcert, sslcert, sslkey and application_name. A password that is left out is looked up as by psql: PGPASSWORD, \
     then ~/.pgpass.",
)
.variables(&["DATABASE_URL"])
.readable_from_file();

static CONNECTIONS: Key<u32> = Key::new(
    "database.connections",
    &forms::count::<2, 100>(),
    Value("10"),
    "How many connections to PostgreSQL each server opens for its requests, when they are needed. Two more, for events \
     and for changes made by other servers, are opened besides: PostgreSQL's max_connections has to hold this and two \
     for every server, and a few for commands. SQLite needs none.",
);

pub(in crate::settings) static KEYS: &[&Spec] = &[&URL.spec, &CONNECTIONS.spec];

pub(in crate::settings) fn read(reader: &mut Reader) -> Result<Database, Noted> {
    let url = reader.value(&URL);
    let connections = reader.value(&CONNECTIONS);
    Ok(Database {
        url: url?,
        connections: connections?,
    })
}
