//! Crowds that take connections and give nothing: Vonage is answered in time all the same.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::mpsc::{self, UnboundedSender},
    task::JoinSet,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use crate::{
    load::{http, process, steady::ask_steadily, times::percentile},
    service::Service,
    stage::{PATIENCE, address, ready},
};

/// A crowd, and how well the service has to bear it.
struct Crowd {
    stalled_bodies: usize,
    idle: usize,
    trickling_heads: usize,
    lasts: Duration,
    /// 99 of 100 questions of Vonage are answered within this.
    p99: Duration,
}

const SHORT: Crowd = Crowd {
    stalled_bodies: 100,
    idle: 100,
    trickling_heads: 10,
    lasts: Duration::from_secs(3),
    // A debug build, beside other tests.
    p99: Duration::from_secs(2),
};
const FULL: Crowd = Crowd {
    stalled_bodies: 10_000,
    idle: 10_000,
    trickling_heads: 1_000,
    lasts: Duration::from_mins(1),
    p99: Duration::from_millis(250),
};

/// No connection that gives nothing is kept longer: 10 s for a body, 5 s for a head, and what a busy machine adds.
const LONGEST: Duration = Duration::from_secs(15);
/// The most memory for one connection that is held, and for everything else.
const KIB_PER_CONNECTION: u64 = 32;
const KIB_WITHOUT: u64 = 64 * 1_024;
/// Files that the test needs beside its connections.
const OTHER_FILES: usize = 1_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_small_crowd_that_gives_nothing_delays_nobody() {
    bear(&SHORT).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the full size: make soak"]
async fn twenty_one_thousand_connections_that_give_nothing_delay_nobody() {
    bear(&FULL).await;
}

/// How a connection gives nothing.
#[derive(Clone, Copy)]
enum Attack {
    StalledBody,
    Idle,
    TricklingHead,
}

async fn bear(crowd: &Crowd) {
    let place = ready();
    let service = Service::start(&place);
    let address = address(&service);
    let attacks = connections(crowd);
    let number = attacks.len();
    let enough = CancellationToken::new();
    let (arrived, mut arrivals) = mpsc::unbounded_channel();
    let mut attackers = JoinSet::new();
    for (index, attack) in attacks.into_iter().enumerate() {
        attackers.spawn(hold(
            attack,
            index,
            address,
            arrived.clone(),
            enough.clone(),
        ));
    }
    let all_there = async {
        for _ in 0..number {
            arrivals.recv().await.unwrap();
        }
    };
    timeout(PATIENCE, all_there).await.unwrap();

    let lasts = crowd.lasts;
    let asking = tokio::task::spawn_blocking(move || ask_steadily(address, lasts, false));
    let mut answers = asking.await.unwrap();
    enough.cancel();
    let longest = attackers.join_all().await.into_iter().max().unwrap();
    let most = process::memory_kib(service.pid(), "VmHWM:");
    let p99 = percentile(&mut answers.times, 0.99);
    eprintln!(
        "{number} held for {:?}: {} answers, p99 {p99:?}, {} failed; the longest held {longest:?}; {} MiB at most",
        crowd.lasts,
        answers.times.len(),
        answers.failed,
        most / 1_024
    );
    assert_eq!(answers.failed, 0);
    assert!(p99 <= crowd.p99, "{p99:?}");
    assert!(longest <= LONGEST, "{longest:?}");
    let allowed = KIB_WITHOUT + KIB_PER_CONNECTION * u64::try_from(number).unwrap();
    assert!(most <= allowed, "{most} KiB in use, {allowed} allowed");
}

/// The crowd, or as many of it as this process can open.
fn connections(crowd: &Crowd) -> Vec<Attack> {
    let all = crowd.stalled_bodies + crowd.idle + crowd.trickling_heads;
    let files = rlimit::increase_nofile_limit(u64::MAX).unwrap();
    let possible = usize::try_from(files)
        .unwrap()
        .saturating_sub(OTHER_FILES)
        .min(all);
    if possible < all {
        eprintln!(
            "only {possible} of {all} connections: the limit of open files (ulimit -Hn) is {files}"
        );
    }
    [
        (Attack::StalledBody, crowd.stalled_bodies),
        (Attack::Idle, crowd.idle),
        (Attack::TricklingHead, crowd.trickling_heads),
    ]
    .into_iter()
    .flat_map(|(attack, number)| vec![attack; number * possible / all])
    .collect()
}

/// Holds one connection after another until it is enough. Returns the longest time that one was held.
async fn hold(
    attack: Attack,
    index: usize,
    address: SocketAddr,
    arrived: UnboundedSender<()>,
    enough: CancellationToken,
) -> Duration {
    // Every two hundred have an address of loopback, so that there are ports enough.
    let [.., high, low] = u32::try_from(index / 200).unwrap().to_be_bytes();
    let from = IpAddr::V4(Ipv4Addr::new(127, 1, high, low));
    let mut longest = Duration::ZERO;
    while !enough.is_cancelled() {
        let stream = http::connect(address, Some(from)).await.unwrap();
        // Nobody counts those that come again.
        let _ = arrived.send(());
        let begun = Instant::now();
        // However it ends: with an answer, an end or a reset.
        let _ = timeout(LONGEST * 2, give_nothing(attack, stream)).await;
        longest = longest.max(begun.elapsed());
    }
    longest
}

/// Ends when the service has closed the connection.
async fn give_nothing(attack: Attack, stream: TcpStream) -> io::Result<()> {
    let (mut reader, mut writer) = stream.into_split();
    let (head, then): (&[u8], &[u8]) = match attack {
        Attack::StalledBody => (
            b"POST /webhooks/event HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n{",
            b"",
        ),
        Attack::Idle => (b"", b""),
        Attack::TricklingHead => (b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ", b"a"),
    };
    writer.write_all(head).await?;
    let trickle = async {
        loop {
            tokio::time::sleep(Duration::from_millis(500)).await;
            if writer.write_all(then).await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    };
    let closed = async {
        let mut buffer = [0; 1_024];
        while reader.read(&mut buffer).await? > 0 {}
        io::Result::Ok(())
    };
    tokio::select! {
        result = closed => result,
        () = trickle => Ok(()),
    }
}
