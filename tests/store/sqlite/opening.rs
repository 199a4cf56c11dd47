//! What is refused at the start, in words, and without touching the file.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use click_to_call::{
    domain::{event::NewEvent, ids::LegId, store::Appended, visitor::SessionHash},
    settings::DatabaseUrl,
    store::{Access, ConnectError, MigrateError, connect},
};

use super::{database_in, execute, open_new, serve, stranger};
use crate::records::{HOME, at, call, event};

/// SQLite's usual page size.
const PAGE: usize = 4_096;

/// The refusal of this file, which must name it.
async fn refusal(path: &Path) -> ConnectError {
    let error = serve(path).await.unwrap_err();
    let words = error.to_string();
    assert!(words.contains("click-to-call.db"), "{words}");
    error
}

fn modified(path: &Path) -> SystemTime {
    fs::metadata(path).unwrap().modified().unwrap()
}

fn set_modified(path: &Path, at: SystemTime) {
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_modified(at).unwrap();
}

/// Writes a file a second after its last change: times of files may be coarse.
fn write_later(path: &Path, bytes: &[u8]) {
    let before = modified(path);
    fs::write(path, bytes).unwrap();
    set_modified(path, before + Duration::from_secs(1));
}

/// Damages a page that only a check of the whole file finds.
fn damage_middle(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / PAGE / 2 * PAGE;
    bytes[middle..middle + PAGE].fill(0xa5);
    fs::write(path, bytes).unwrap();
}

/// A closed database with some rows in it.
async fn filled() -> (PathBuf, tempfile::TempDir) {
    let (store, folder) = open_new().await;
    for _ in 0..50 {
        store.insert_call(&call()).await.unwrap();
        store.append_event(&event()).await.unwrap();
    }
    store.close().await;
    (database_in(&folder), folder)
}

#[tokio::test]
async fn folder_and_file_are_made_for_their_owner_only() {
    let (store, folder) = open_new().await;
    store.ping().await.unwrap();
    let path = database_in(&folder);
    for name in [
        "click-to-call.db",
        "click-to-call.db-wal",
        "click-to-call.db.lock",
    ] {
        let mode = fs::metadata(path.with_file_name(name))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    let mode = fs::metadata(path.parent().unwrap())
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[tokio::test]
async fn text_is_not_a_database() {
    let folder = tempfile::tempdir().unwrap();
    for content in ["shopping list: tea".to_owned(), "x".repeat(100_000)] {
        let path = folder.path().join("click-to-call.db");
        fs::write(&path, &content).unwrap();
        let error = refusal(&path).await;
        assert!(
            matches!(error, ConnectError::NotADatabase { .. }),
            "{error:?}"
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), content);
    }
}

#[tokio::test]
async fn corrupt_database_stays_as_it_is() {
    let (path, _folder) = filled().await;
    let intact = fs::read(&path).unwrap();
    // The root of the schema, which stops SQLite at once, and a page that only a check finds.
    let middle = intact.len() / PAGE / 2 * PAGE;
    for damaged in [100..PAGE, middle..middle + PAGE] {
        let mut bytes = intact.clone();
        bytes[damaged].fill(0xa5);
        write_later(&path, &bytes);
        let error = refusal(&path).await;
        assert!(matches!(error, ConnectError::Corrupt { .. }), "{error:?}");
        assert!(fs::read(&path).unwrap() == bytes, "the file was changed");
    }
    write_later(&path, &intact);
    serve(&path).await.unwrap();
}

#[tokio::test]
async fn file_as_the_last_server_left_it_is_not_read_again() {
    let (path, _folder) = filled().await;
    let left_at = modified(&path);
    damage_middle(&path);
    set_modified(&path, left_at);
    let store = serve(&path).await.unwrap();
    store.ping().await.unwrap();
}

#[tokio::test]
async fn file_with_a_log_beside_it_is_read_again() {
    let (path, _folder) = filled().await;
    let left_at = modified(&path);
    damage_middle(&path);
    set_modified(&path, left_at);
    fs::write(path.with_file_name("click-to-call.db-wal"), "torn").unwrap();
    let error = refusal(&path).await;
    assert!(matches!(error, ConnectError::Corrupt { .. }), "{error:?}");
}

#[tokio::test]
async fn damaged_note_of_the_last_stop_is_no_obstacle() {
    let (path, _folder) = filled().await;
    fs::write(path.with_file_name("click-to-call.db.lock"), [0xff; 300]).unwrap();
    let store = serve(&path).await.unwrap();
    store.ping().await.unwrap();
}

#[tokio::test]
async fn file_in_place_of_the_one_that_was_left_is_read() {
    let (path, _folder) = filled().await;
    let left_at = modified(&path);
    damage_middle(&path);
    let copy = path.with_file_name("copy");
    fs::copy(&path, &copy).unwrap();
    fs::rename(&copy, &path).unwrap();
    set_modified(&path, left_at);
    let error = refusal(&path).await;
    assert!(matches!(error, ConnectError::Corrupt { .. }), "{error:?}");
}

#[tokio::test]
async fn newer_schema_stays_as_it_is() {
    let (path, _folder) = filled().await;
    let newer = stranger(&path);
    execute(
        &newer,
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9000, 'from the future', TRUE, x'00', 0)",
    );
    newer.close().unwrap();
    let before = fs::read(&path).unwrap();
    let error = refusal(&path).await;
    assert!(
        matches!(error, ConnectError::NewerSchema { version: 9_000, .. }),
        "{error:?}"
    );
    assert!(fs::read(&path).unwrap() == before, "the file was changed");
}

#[tokio::test]
async fn step_with_another_text_is_refused() {
    let (path, _folder) = filled().await;
    let other = stranger(&path);
    execute(
        &other,
        "UPDATE _sqlx_migrations SET checksum = x'00' WHERE version = 2",
    );
    other.close().unwrap();
    let before = fs::read(&path).unwrap();
    let error = refusal(&path).await;
    assert!(
        matches!(
            error,
            ConnectError::Migrate {
                source: MigrateError::Differs(2),
                ..
            }
        ),
        "{error:?}"
    );
    assert!(fs::read(&path).unwrap() == before, "the file was changed");
}

/// As version 0.1.0 has left it before the ready users came: tables by the first step, which sqlx has noted.
#[tokio::test]
async fn file_of_an_older_version_is_brought_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("click-to-call.db");
    let older = stranger(&path);
    execute(
        &older,
        include_str!("../../../migrations/sqlite/0001_core.sql"),
    );
    execute(
        &older,
        "CREATE TABLE _sqlx_migrations (
             version BIGINT PRIMARY KEY, description TEXT NOT NULL,
             installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
             success BOOLEAN NOT NULL, checksum BLOB NOT NULL, execution_time BIGINT NOT NULL);
         INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (1, 'core', TRUE,
             x'8510e30ea2a77712aa1a6160295e9ce49d39015bf96520a51040ec10bb9cf3407c441ee13fb3ddc853133ac888386697', 1234567);
         INSERT INTO visitors VALUES
             (zeroblob(16), zeroblob(32), 'anna', NULL, 1767700000000, 1, 1767600000000, 1767700000000);
         INSERT INTO events VALUES
             (7, zeroblob(32), 'status', 'leg-1', 'CON-1', 'ringing', 'now', 0, x'7b7d', 1767600000000),
             (9, randomblob(32), 'other', NULL, NULL, NULL, NULL, 0, x'7b7d', 1767600000000)",
    );
    older.close().unwrap();
    let store = serve(&path).await.unwrap();
    let found = store.find_visitor(&SessionHash([0; 32]), at(0)).await;
    assert_eq!(found.unwrap().unwrap().user.name, "anna");
    assert_eq!(store.count_ready_users(HOME, at(0)).await.unwrap(), 0);
    let again = NewEvent {
        leg: LegId::parse("leg-1"),
        timestamp: Some("now".to_owned()),
        ..event()
    };
    assert_eq!(store.append_event(&again).await.unwrap(), Appended::Repeat);
    let stranger = stranger(&path);
    let ids = "SELECT group_concat(id || ' ' || kind) FROM events ORDER BY id";
    let kept: String = stranger.query_row(ids, [], |row| row.get(0)).unwrap();
    assert_eq!(kept, "7 status,9 other");
}

#[tokio::test]
async fn folder_that_can_not_be_made_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let error = serve(&folder.path().join("file/data/click-to-call.db")).await;
    let error = error.unwrap_err();
    assert!(matches!(error, ConnectError::Folder { .. }), "{error:?}");
    assert!(error.to_string().contains("file/data"), "{error}");
}

#[tokio::test]
async fn folder_in_place_of_the_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("click-to-call.db");
    fs::create_dir(&path).unwrap();
    let error = refusal(&path).await;
    assert!(matches!(error, ConnectError::File { .. }), "{error:?}");
}

#[tokio::test]
async fn second_server_is_refused_until_the_first_has_closed() {
    let (first, folder) = open_new().await;
    let path = database_in(&folder);
    let error = refusal(&path).await;
    assert!(matches!(error, ConnectError::InUse { .. }), "{error:?}");
    first.ping().await.unwrap();
    first.close().await;
    serve(&path).await.unwrap();
}

#[tokio::test]
async fn command_works_beside_the_server() {
    let (server, folder) = open_new().await;
    let url = DatabaseUrl::Sqlite(database_in(&folder));
    let command = connect(&url, Access::Beside).await.unwrap();
    let call = call();
    command.insert_call(&call).await.unwrap();
    assert_eq!(server.find_call(call.id).await.unwrap(), Some(call));
    command.close().await;
    server.ping().await.unwrap();
}

#[tokio::test]
async fn everything_is_there_after_a_restart() {
    let (store, folder) = open_new().await;
    let call = call();
    store.insert_call(&call).await.unwrap();
    let secret = store.server_secret("tickets", [7; 32]).await.unwrap();
    store.close().await;
    let store = serve(&database_in(&folder)).await.unwrap();
    assert_eq!(store.find_call(call.id).await.unwrap(), Some(call));
    let again = store.server_secret("tickets", [8; 32]).await.unwrap();
    assert_eq!(again, secret);
}
