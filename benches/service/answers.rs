//! Vonage's question what to do with a call, alone and while a crowd asks for tokens. An answer has one durable
//! commit in it, so it is judged by what it takes beyond that.

use std::{
    fs::File,
    io::Write,
    path::Path,
    time::{Duration, Instant},
};

use crate::{
    load::{steady::ask_steadily, times::percentile},
    stage::Stage,
    table::{Row, median, median_ratio, milliseconds, number},
    tokens::Crowd,
};

const ROUNDS: usize = 3;
const ROUND: Duration = Duration::from_secs(4);
const CROWDS: [usize; 2] = [64, 512];
/// A commit writes a handful of pages.
const COMMIT: &[u8] = &[0xa5; 4 * 4_096];
/// One commit may take this much of a bare flush of as many bytes.
const COMMIT_SHARE: f64 = 1.5;

/// The middle and the slowest of one round, in milliseconds.
struct Figures {
    p50: Vec<f64>,
    p99: Vec<f64>,
}

impl Figures {
    fn new() -> Self {
        Self {
            p50: Vec::new(),
            p99: Vec::new(),
        }
    }

    fn add(&mut self, mut times: Vec<Duration>) {
        self.p50.push(milliseconds(percentile(&mut times, 0.5)));
        self.p99.push(milliseconds(percentile(&mut times, 0.99)));
    }

    /// A row about the time beyond one commit.
    fn row(&self, name: &str, (part, bounds): (&str, [f64; 2]), flush: &Self) -> Row {
        let (own, reference) = if part == "p50" {
            (&self.p50, &flush.p50)
        } else {
            (&self.p99, &flush.p99)
        };
        let beyond: Vec<f64> = own
            .iter()
            .zip(reference)
            .map(|(own, flush)| own - flush * COMMIT_SHARE)
            .collect();
        Row::cost(
            &format!("answer {name}, {part}, beyond its commit"),
            format!("{} ms", number(median(own))),
            format!("flush {} ms", number(median(reference))),
            (median(&beyond), " ms"),
            bounds,
        )
    }
}

pub(crate) fn rows() -> Vec<Row> {
    let stage = Stage::set();
    let address = stage.address();
    let (mut flush, mut alone) = (Figures::new(), Figures::new());
    let mut crowded = CROWDS.map(|_| (Figures::new(), Vec::new()));
    let mut failed = 0_usize;
    let mut ask = |figures: &mut Figures| {
        let answers = ask_steadily(address, ROUND, true);
        figures.add(answers.times);
        failed += answers.failed;
    };
    for _ in 0..ROUNDS {
        flush.add(flushes(&stage.place.path("flush")));
        ask(&mut alone);
        for (size, (figures, rates)) in CROWDS.iter().zip(&mut crowded) {
            let crowd = stage.runtime.block_on(Crowd::gather(address, *size));
            let (begun, before) = (Instant::now(), crowd.tokens());
            ask(figures);
            rates.push(f64::from(crowd.tokens() - before) / begun.elapsed().as_secs_f64());
            stage.runtime.block_on(crowd.leave());
        }
    }
    let mut rows = vec![alone.row("alone", ("p50", [1.0, 10.0]), &flush)];
    for (size, (figures, _)) in CROWDS.iter().zip(&crowded) {
        let name = format!("beside {size} who ask for tokens");
        rows.push(figures.row(&name, ("p50", [1.0, 10.0]), &flush));
        rows.push(figures.row(&name, ("p99", [8.0, 250.0]), &flush));
    }
    rows.push(Row::cost(
        "answers that did not connect the caller",
        failed.to_string(),
        "0".to_owned(),
        (f64::from(u32::try_from(failed).unwrap()), ""),
        [0.0, 0.0],
    ));
    let [(_, few), (_, many)] = &crowded;
    rows.push(Row::share(
        "tokens/s for 512 at a time / for 64",
        number(median(many)),
        number(median(few)),
        median_ratio(many, few),
        [0.9, 0.6],
    ));
    rows
}

/// Times of a hundred bare flushes to the disk that the store is on.
fn flushes(path: &Path) -> Vec<Duration> {
    let mut file = File::create(path).unwrap();
    (0..100)
        .map(|_| {
            let begun = Instant::now();
            file.write_all(COMMIT).unwrap();
            file.sync_data().unwrap();
            begun.elapsed()
        })
        .collect()
}
