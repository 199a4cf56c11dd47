//! Tokens over HTTP, for a crowd of visitors at a time.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use click_to_call::vonage::key::ApplicationKey;
use tokio::task::JoinSet;

use crate::{
    load::{http::Connection, process, requests},
    mint, place,
    stage::Stage,
    table::{Row, median, median_ratio, number},
};

const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(2);
/// Connections that ask at the same time.
const CROWD: usize = 64;

pub(crate) fn rows() -> Vec<Row> {
    let stage = Stage::set();
    let key = ApplicationKey::parse(place::private_key()).unwrap();
    stage.runtime.block_on(async {
        let (mut served, mut signed) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            signed.push(mint::signatures_per_cpu_second(&key));
            let crowd = Crowd::gather(stage.address(), CROWD).await;
            let cpu = process::cpu(stage.service.pid());
            let before = crowd.tokens();
            tokio::time::sleep(ROUND).await;
            let tokens = crowd.tokens() - before;
            let cpu = process::cpu(stage.service.pid()).checked_sub(cpu).unwrap();
            served.push(f64::from(tokens) / cpu.as_secs_f64());
            crowd.leave().await;
        }
        vec![Row::share(
            "tokens over HTTP per server CPU second / RSA signatures",
            number(median(&served)),
            number(median(&signed)),
            median_ratio(&served, &signed),
            [0.88, 0.75],
        )]
    })
}

/// Visitors who ask for tokens, each on a connection of their own, one after the other without a pause.
pub(crate) struct Crowd {
    tokens: Arc<AtomicU32>,
    enough: Arc<AtomicBool>,
    visitors: JoinSet<()>,
}

impl Crowd {
    /// Returns when each has had a token.
    pub(crate) async fn gather(address: SocketAddr, size: usize) -> Self {
        let (tokens, enough) = (
            Arc::new(AtomicU32::new(0)),
            Arc::new(AtomicBool::new(false)),
        );
        let mut connections = Vec::new();
        for visitor in 0..size {
            // The limit is per address, and these are many visitors.
            let [.., high, low] = u32::try_from(visitor).unwrap().to_be_bytes();
            let request = requests::token(Ipv4Addr::new(198, 18, high, low));
            let mut connection = Connection::open(address).await.unwrap();
            let answer = connection.send(&request).await.unwrap();
            assert_eq!(
                answer.status,
                200,
                "{}",
                String::from_utf8_lossy(&answer.body)
            );
            connections.push((connection, request));
        }
        let mut visitors = JoinSet::new();
        for (mut connection, request) in connections {
            let (tokens, enough) = (Arc::clone(&tokens), Arc::clone(&enough));
            visitors.spawn(async move {
                while !enough.load(Ordering::Relaxed) {
                    let answer = connection.send(&request).await.unwrap();
                    assert_eq!(
                        answer.status,
                        200,
                        "{}",
                        String::from_utf8_lossy(&answer.body)
                    );
                    tokens.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        Self {
            tokens,
            enough,
            visitors,
        }
    }

    /// Tokens so far.
    pub(crate) fn tokens(&self) -> u32 {
        self.tokens.load(Ordering::Relaxed)
    }

    pub(crate) async fn leave(self) {
        self.enough.store(true, Ordering::Relaxed);
        self.visitors.join_all().await;
    }
}
