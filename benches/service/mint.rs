//! Making a token, beside nothing but its signature.

use std::{fs, hint::black_box, sync::Arc, time::Duration};

use aws_lc_rs::{rand::SystemRandom, signature::RSA_PKCS1_SHA256};
use click_to_call::{
    domain::clock::Clock,
    settings::acl,
    vonage::{
        jwt::{self, Claims},
        key::ApplicationKey,
    },
};

use crate::{
    place,
    table::{Row, median, median_ratio, number},
};

/// A multiple of three, so that a stolen slice of time meets each as often.
const ROUNDS: usize = 9;
const ROUND: Duration = Duration::from_millis(400);
/// About as long as what is signed in a token.
const MESSAGE: &[u8] = &[b'x'; 640];

pub(crate) fn rows() -> Vec<Row> {
    let key = ApplicationKey::parse(place::private_key()).unwrap();
    let application: Arc<str> = "78d335fa-323d-0114-9c3d-d6f0d48968cf".into();
    let acl: Arc<[String]> = acl::preset("client-sdk").unwrap().into();
    let now = Clock::system().now();
    let mint = || {
        let day = Duration::from_hours(24);
        let claims = Claims::for_user(
            Arc::clone(&application),
            "visitor-1",
            Arc::clone(&acl),
            now,
            day,
        );
        black_box(jwt::mint(&key, &claims).unwrap());
    };
    mint();
    let allocations = allocation_counter::measure(mint).count_total;
    let (mut minted, mut signed) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        minted.push(per_cpu_second(mint));
        signed.push(signatures_per_cpu_second(&key));
    }
    let allocations = f64::from(u32::try_from(allocations).unwrap());
    vec![
        Row::share(
            "tokens per CPU second / RSA signatures",
            number(median(&minted)),
            number(median(&signed)),
            median_ratio(&minted, &signed),
            [0.97, 0.90],
        ),
        Row::cost(
            "allocations of a token",
            number(allocations),
            "1".to_owned(),
            (allocations, ""),
            [6.0, 6.0],
        ),
    ]
}

/// What one processor can do at best: signatures with a key that was read once.
pub(crate) fn signatures_per_cpu_second(key: &ApplicationKey) -> f64 {
    let pair = key.key_pair();
    let random = SystemRandom::new();
    let mut signature = vec![0; pair.public_modulus_len()];
    per_cpu_second(|| {
        pair.sign(
            &RSA_PKCS1_SHA256,
            &random,
            black_box(MESSAGE),
            &mut signature,
        )
        .unwrap();
    })
}

fn per_cpu_second(mut action: impl FnMut()) -> f64 {
    let begun = thread_cpu();
    let mut done = 0_u32;
    loop {
        for _ in 0..50 {
            action();
        }
        done += 50;
        let spent = thread_cpu().checked_sub(begun).unwrap();
        if spent >= ROUND {
            return f64::from(done) / spent.as_secs_f64();
        }
    }
}

/// Processor time of this thread.
fn thread_cpu() -> Duration {
    let statistics = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(statistics.split(' ').next().unwrap().parse().unwrap())
}
