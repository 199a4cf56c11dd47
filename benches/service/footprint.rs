//! How soon the service listens, how much memory and disk it takes, what a first visit costs a visitor.

use std::{fs, time::Instant};

use crate::{
    load::{http::Connection, process, requests},
    service::Service,
    stage::{self, Stage},
    table::{Row, median, milliseconds, number},
};

const ROUNDS: usize = 7;
const MIB: f64 = 1_048_576.0;

pub(crate) fn rows() -> Vec<Row> {
    vec![listening(), idle_memory(), program(), first_page()]
}

/// From the start of the process to its readiness, with a new store; beside a start that only prints the version.
fn listening() -> Row {
    let (mut listening, mut version) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let place = stage::ready();
        let begun = Instant::now();
        let service = Service::start(&place);
        listening.push(milliseconds(begun.elapsed()));
        service.kill();
        let begun = Instant::now();
        place.run(&["--version"]).done();
        version.push(milliseconds(begun.elapsed()));
    }
    Row::cost(
        "listening after start",
        format!("{} ms", number(median(&listening))),
        format!("--version {} ms", number(median(&version))),
        (median(&listening), " ms"),
        [300.0, 600.0],
    )
}

/// After one of each request, as it stays between calls.
fn idle_memory() -> Row {
    let stage = Stage::set();
    stage.runtime.block_on(async {
        let mut connection = Connection::open(stage.address()).await.unwrap();
        for request in [
            requests::get("/"),
            requests::token([198, 18, 0, 1].into()),
            requests::answer(),
            requests::event("leg"),
        ] {
            assert_eq!(connection.send(&request).await.unwrap().status, 200);
        }
    });
    let kib =
        |what| f64::from(u32::try_from(process::memory_kib(stage.service.pid(), what)).unwrap());
    let mib = kib("VmRSS:") / 1_024.0;
    Row::cost(
        "memory when idle",
        format!("{} MiB", number(mib)),
        format!(
            "of it the program's file {} MiB",
            number(kib("RssFile:") / 1_024.0)
        ),
        (mib, " MiB"),
        [24.0, 36.0],
    )
}

fn program() -> Row {
    let bytes = fs::metadata(env!("CARGO_BIN_EXE_click-to-call"))
        .unwrap()
        .len();
    let mib = f64::from(u32::try_from(bytes).unwrap()) / MIB;
    Row::cost(
        "the program's file",
        format!("{} MiB", number(mib)),
        "—".to_owned(),
        (mib, " MiB"),
        [24.0, 28.0],
    )
}

/// What a browser fetches before it shows the button: the page and all that it names; beside the same uncompressed.
fn first_page() -> Row {
    let stage = Stage::set();
    let (sent, plain) = stage.runtime.block_on(async {
        let mut connection = Connection::open(stage.address()).await.unwrap();
        let page = connection
            .send(&requests::get_plain("/"))
            .await
            .unwrap()
            .body;
        let html = String::from_utf8(page).unwrap();
        let mut sum = (0, 0);
        for path in std::iter::once("/").chain(files_of(&html)) {
            sum.0 += connection
                .send(&requests::get(path))
                .await
                .unwrap()
                .body
                .len();
            sum.1 += connection
                .send(&requests::get_plain(path))
                .await
                .unwrap()
                .body
                .len();
        }
        sum
    });
    let kib = |bytes: usize| f64::from(u32::try_from(bytes).unwrap()) / 1_024.0;
    Row::cost(
        "first page, without the SDK",
        format!("{} KiB", number(kib(sent))),
        format!("uncompressed {} KiB", number(kib(plain))),
        (kib(sent), " KiB"),
        [40.0, 60.0],
    )
}

/// Our own files that a page names for a browser to fetch at once.
fn files_of(html: &str) -> impl Iterator<Item = &str> {
    html.split('"')
        .filter(|text| text.starts_with("/static/") || *text == "/embed.js")
}
