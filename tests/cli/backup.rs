//! `backup`. That it loses nothing under load is shown in `tests/soak`.

use std::{fs, os::unix::fs::PermissionsExt};

use crate::{place::Place, service::Service};

/// A place whose service has run.
fn used() -> Place {
    let place = Place::ready();
    let mut service = Service::start(&place);
    service.signal("-TERM");
    assert_eq!(service.end(), Some(0));
    place
}

#[test]
fn a_backup_is_one_plain_file_for_its_owner() {
    let place = used();
    place
        .run(&["backup", "copy.db"])
        .done()
        .says("copy.db: ")
        .says("bytes");
    let copy = fs::metadata(place.path("copy.db")).unwrap();
    assert_eq!(copy.permissions().mode() & 0o777, 0o600);
    assert!(
        fs::read(place.path("copy.db"))
            .unwrap()
            .starts_with(b"SQLite format 3\0")
    );
    assert!(!place.path("copy.db-wal").exists() && !place.path("copy.db-journal").exists());
}

#[test]
fn a_file_that_is_there_is_not_overwritten() {
    let place = used();
    place.write("copy.db", "of yesterday");
    place
        .run(&["backup", "copy.db"])
        .failed()
        .says("cannot make the back-up copy.db")
        .says("exists");
    assert_eq!(
        fs::read_to_string(place.path("copy.db")).unwrap(),
        "of yesterday"
    );
}

#[test]
fn what_an_interrupted_backup_has_left_is_in_nobodys_way() {
    let place = used();
    place.write("copy.db.part", "half a copy");
    place.run(&["backup", "copy.db"]).done();
    assert!(!place.path("copy.db.part").exists());
    assert!(
        fs::read(place.path("copy.db"))
            .unwrap()
            .starts_with(b"SQLite format 3\0")
    );
}

#[test]
fn nothing_is_left_behind_when_there_is_nothing_to_copy() {
    let place = Place::ready();
    place
        .run(&["backup", "copy.db"])
        .failed()
        .says("there is no database")
        .says("data/click-to-call.db");
    place.write("data/click-to-call.db", "shopping list: tea");
    place
        .run(&["backup", "copy.db"])
        .failed()
        .says("cannot copy the database");
    assert!(!place.path("copy.db").exists() && !place.path("copy.db.part").exists());
}
