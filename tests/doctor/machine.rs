//! This machine: settings, key, database, port.

use std::net::TcpListener;

use click_to_call::{
    settings::DatabaseUrl,
    store::{self, Access},
};
use rusqlite::Connection;

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_are_faulty_are_told_all_at_once_and_the_rest_is_looked_at() {
    let world = World::start().await;
    let report = world
        .doctor_with(&[
            ("DESTINATION_PHONE_NUMBER", ""),
            ("VONAGE_SIGNATURE_SECRET", ""),
            ("CLICK_TO_CALL__PAGE__COLOUR", "red"),
        ])
        .await;
    report.fails(
        "settings",
        "lines.support.destination: is not set",
        "config manual",
    );
    report.says(
        "settings",
        "vonage.signature_secret: is not set",
        "config manual",
    );
    report.says("settings", "CLICK_TO_CALL__PAGE__COLOUR", "config manual");
    report.skips(&["signature-secret", "destination"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_calls_itself() {
    let world = World::start().await;
    let report = world
        .doctor_with(&[("DESTINATION_PHONE_NUMBER", crate::world::NUMBER)])
        .await;
    report.says("settings", "the call would ring at itself", "config manual");
    report.says(
        "destination",
        "the call would ring at itself",
        "DESTINATION_PHONE_NUMBER",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_can_not_be_used_or_is_not_kept_well() {
    let world = World::start().await;
    let key = world.folder.path().join("private.key");
    let pem = std::fs::read_to_string(&key).unwrap();
    for mode in [0o644, 0o660] {
        world.folder.write_key(&pem, mode);
        let report = world.doctor().await;
        if mode == 0o644 {
            report.warns("key", "can be read by others", "chmod 600");
        } else {
            report.fails("key", "can be written by others", "chmod 600");
            assert_eq!(report.status("users"), "skipped");
        }
        assert_eq!(report.check("key")["fixable"], true);
    }
    world.folder.write_key("canary", 0o600);
    let report = world.doctor().await;
    report.fails("key", "private.key", "");
    std::fs::remove_file(key).unwrap();
    let report = world.doctor().await;
    report.fails("key", "there is no such file", "click-to-call keygen");
    report.skips(&["application-key", "users"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_none_or_not_there_yet() {
    let world = World::start().await;
    world.folder.write("broken.db", &"no database ".repeat(100));
    let report = world
        .doctor_with(&[("DATABASE_URL", "sqlite://broken.db")])
        .await;
    report.fails("database", "is not a SQLite database", "move it away");
    let report = world
        .doctor_with(&[("DATABASE_URL", "sqlite://new/calls.db")])
        .await;
    report.is_in_order();
    assert!(!world.folder.path().join("new").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_another_version_stays_as_it_is() {
    let world = World::start().await;
    let path = world.folder.path().join("other.db");
    let url = DatabaseUrl::Sqlite(path.clone());
    let store = store::connect(&url, Access::Beside).await.unwrap();
    store.close().await;
    let execute = |statement| {
        let connection = Connection::open(&path).unwrap();
        connection.execute_batch(statement).unwrap();
        connection.close().unwrap();
        std::fs::read(&path).unwrap()
    };
    let other = [("DATABASE_URL", "sqlite://other.db")];

    world.doctor_with(&other).await.is_in_order();
    let before = execute("DELETE FROM _sqlx_migrations WHERE version > 1");
    let report = world.doctor_with(&other).await;
    report.warns("database", "older than this version", "make a back-up");
    assert!(std::fs::read(&path).unwrap() == before);

    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                 VALUES (9000, 'later', TRUE, x'00', 0)";
    let before = execute(newer);
    let report = world.doctor_with(&other).await;
    report.fails("database", "a newer version", "start that version again");
    assert!(std::fs::read(&path).unwrap() == before);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_secret_of_the_store_proves_as_well() {
    let world = World::with(|folder| {
        folder.variables.remove("SESSION_SECRET");
    })
    .await;
    world.doctor().await.is_in_order();
    let report = world
        .doctor_with(&[("DATABASE_URL", "sqlite://new/calls.db")])
        .await;
    assert_eq!(report.status("public-address"), "skipped");
    let found = report.check("public-address")["found"].as_str().unwrap();
    assert!(found.contains("start it first"), "{found}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_something_else_has() {
    let world = World::start().await;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let report = world.doctor_with(&[("PORT", &port)]).await;
    report.fails("port", "another program listens", "ss -ltnp");
    drop(listener);
    let report = world.doctor_with(&[("PORT", &port)]).await;
    report.is_in_order();
    assert!(
        report.check("port")["found"]
            .as_str()
            .unwrap()
            .contains("is free")
    );

    let other = World::with(|folder| {
        folder.set("SESSION_SECRET", "canary-secret-of-another-installation");
    })
    .await;
    let port = other.folder.variables["PORT"].clone();
    let report = world.doctor_with(&[("PORT", &port)]).await;
    report.fails(
        "port",
        "another installation of click-to-call",
        "choose another PORT",
    );
}
