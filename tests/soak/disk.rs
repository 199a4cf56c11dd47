//! Disks that take no more: nothing is acknowledged that was not written, callers hear a sentence, readiness says why.

use std::{
    fs,
    io::{Seek, SeekFrom, Write},
    os::unix::{
        fs::{MetadataExt, chown},
        process::CommandExt,
    },
    process::Command,
};

use rlimit::Resource;
use uuid::Uuid;

use crate::{
    load::requests,
    place::{Place, set_mode},
    service::Service,
    stage::{assert_kept, ready, send, stored_legs, wait_until_readiness_is},
};

const SHORT: usize = 40;
const FULL: usize = 4_000;
/// Somebody who owns nothing: `nobody` on Debian.
const NOBODY: u32 = 65_534;

#[tokio::test]
async fn a_full_disk_is_said_and_survived() {
    fill_the_disk(SHORT).await;
}

#[tokio::test]
#[ignore = "the full size: make soak"]
async fn a_full_disk_is_said_and_survived_under_load() {
    fill_the_disk(FULL).await;
}

/// Sends events before, while and after files may not grow, which the kernel refuses as it does on a full disk, to
/// root as well.
async fn fill_the_disk(events: usize) {
    let place = ready();
    let mut service = Service::spawn(beyond_limit_fails(&place));
    let (mut acknowledged, _) = send_events(&service, events).await;
    assert_eq!(acknowledged.len(), events);

    let log = fs::metadata(place.path("data/click-to-call.db-wal"))
        .unwrap()
        .len();
    // In the middle of a page, so that the first write beyond is cut short.
    limit_files(&service, log + 10_000);
    let (some, _) = send_events(&service, events).await;
    acknowledged.extend(some);
    // Nor may the log be begun anew, when it has been moved into the file.
    limit_files(&service, 2_000);
    let (none, refused) = send_events(&service, SHORT).await;
    assert_eq!((none, refused), (Vec::new(), SHORT));
    let why = wait_until_readiness_is(&service, 503).await;
    assert!(why.contains("the store does not take a write"), "{why}");
    let answer = send(&service, &requests::answer()).await.unwrap();
    assert!(
        answer.status == 200 && !requests::connects(&answer),
        "a caller must hear an apology"
    );
    assert_eq!(
        send(&service, &requests::get("/healthz"))
            .await
            .unwrap()
            .status,
        200
    );

    limit_files(&service, u64::MAX);
    wait_until_readiness_is(&service, 200).await;
    let (more, refused) = send_events(&service, events).await;
    assert_eq!(refused, 0, "{}", service.log);
    acknowledged.extend(more);
    let answer = send(&service, &requests::answer()).await.unwrap();
    assert!(requests::connects(&answer));
    service.signal("-TERM");
    assert_eq!(service.end(), Some(0), "{}", service.log);
    assert_kept(&acknowledged, &stored_legs(&place));
}

#[tokio::test]
async fn a_read_only_store_is_refused_at_the_start() {
    let place = ready();
    let mut service = Service::start(&place);
    service.signal("-TERM");
    assert_eq!(service.end(), Some(0));

    // Permissions hold nobody back who is root.
    let program = place.path("click-to-call");
    fs::copy(env!("CARGO_BIN_EXE_click-to-call"), &program).unwrap();
    let mut command = place.command_of(&program, &["serve"]);
    if fs::metadata(place.path(".")).unwrap().uid() == 0 {
        chown(place.path("private.key"), Some(NOBODY), Some(NOBODY)).unwrap();
        command.uid(NOBODY).gid(NOBODY);
    }
    set_mode(&place.path("."), 0o755);
    set_mode(&place.path("data"), 0o555);
    for file in fs::read_dir(place.path("data")).unwrap() {
        set_mode(&file.unwrap().path(), 0o444);
    }
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("click-to-call.db") && said.contains("right to write"),
        "{said}"
    );
}

#[tokio::test]
async fn a_store_that_is_damaged_while_it_is_in_use_acknowledges_nothing() {
    let place = ready();
    let mut service = Service::start(&place);
    send_events(&service, 20).await;
    service.signal("-TERM");
    assert_eq!(service.end(), Some(0));

    let service = Service::start(&place);
    let path = place.path("data/click-to-call.db");
    let length = usize::try_from(fs::metadata(&path).unwrap().len()).unwrap();
    let mut file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.seek(SeekFrom::Start(0)).unwrap();
    file.write_all(&vec![0xa5; length]).unwrap();
    let (acknowledged, _) = send_events(&service, 20).await;
    assert!(
        acknowledged.is_empty(),
        "what can't be read back was acknowledged"
    );
    let why = wait_until_readiness_is(&service, 503).await;
    assert!(why.contains("the store does not take a write"), "{why}");
    let answer = send(&service, &requests::answer()).await.unwrap();
    assert!(answer.status == 200 && !requests::connects(&answer));
}

/// Sends so many events, one after the other; returns the legs of those that were acknowledged, and how many were not.
async fn send_events(service: &Service, number: usize) -> (Vec<String>, usize) {
    let mut acknowledged = Vec::new();
    let mut refused = 0;
    for _ in 0..number {
        let leg = Uuid::new_v4().to_string();
        match send(service, &requests::event(&leg)).await.unwrap().status {
            200 => acknowledged.push(leg),
            503 => refused += 1,
            status => panic!("{status}"),
        }
    }
    (acknowledged, refused)
}

/// `serve`, so that a write beyond a limit fails and does not end the process.
fn beyond_limit_fails(place: &Place) -> Command {
    let program = env!("CARGO_BIN_EXE_click-to-call");
    place.command_of(
        "/bin/sh",
        &["-c", "trap '' XFSZ; exec \"$0\" serve", program],
    )
}

/// No file may grow beyond this.
fn limit_files(service: &Service, bytes: u64) {
    let pid = i32::try_from(service.pid()).unwrap();
    rlimit::prlimit(pid, Resource::FSIZE, Some((bytes, u64::MAX)), None).unwrap();
}
