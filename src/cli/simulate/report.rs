//! What is said at the end.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
    time::Duration,
};

use serde::Serialize;

use super::{
    tally::Webhooks,
    visitor::{Outcome, Played},
};
use crate::simulator::scenario::Expectation;

/// Faults of one kind that are spelt out; the others are counted.
const SPELT_OUT: usize = 20;

/// How the service did.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    visitors: usize,
    /// Calls by the reason of their end.
    ends: BTreeMap<String, usize>,
    /// Refusals by step and cause.
    refusals: BTreeMap<String, usize>,
    /// Visitors who did not come, because too many were there.
    stayed_away: usize,
    webhooks: u64,
    forgeries_refused: u64,
    latency_ms: BTreeMap<&'static str, Latency>,
    /// What the service said it had, or should have said, and had not.
    lost: Vec<String>,
    /// What was given to two.
    doubled: Vec<String>,
    /// What was not as expected; empty when all was.
    faults: Vec<String>,
}

/// Milliseconds.
#[derive(Debug, Clone, Copy, Serialize)]
struct Latency {
    count: usize,
    p50: f64,
    p99: f64,
}

impl Report {
    pub(super) fn of(played: Vec<Played>, webhooks: &Webhooks, expected: Expectation) -> Self {
        let milliseconds = |times: Vec<Duration>| -> Vec<f64> {
            times
                .iter()
                .map(|time| time.as_secs_f64() * 1_000.0)
                .collect()
        };
        let sessions = played.iter().filter_map(|visit| visit.session).collect();
        let permissions = played.iter().filter_map(|visit| visit.permission).collect();
        let latency_ms: BTreeMap<&'static str, Latency> = [
            ("session", milliseconds(sessions)),
            ("call", milliseconds(permissions)),
            ("answer", webhooks.answer_ms.clone()),
            ("event", webhooks.event_ms.clone()),
        ]
        .into_iter()
        .filter_map(|(name, times)| Some((name, Latency::of(times)?)))
        .collect();
        let mut report = Self {
            visitors: played.len(),
            ends: BTreeMap::new(),
            refusals: BTreeMap::new(),
            stayed_away: 0,
            webhooks: webhooks.sent,
            forgeries_refused: webhooks.forgeries_refused,
            latency_ms,
            lost: webhooks.lost().cloned().collect(),
            doubled: webhooks.answered_twice.clone(),
            faults: Vec::new(),
        };
        report.judge_ids(&played);
        report.judge_visits(played);
        report.judge_bounds(expected);
        if webhooks.forgeries_taken > 0 {
            let count = webhooks.forgeries_taken;
            report.faults.push(format!(
                "{count} forged or stale events were taken for true ones"
            ));
        }
        for (count, what) in [
            (report.lost.len(), "lost"),
            (report.doubled.len(), "done twice"),
        ] {
            if count > 0 {
                report.faults.push(format!("{count} {what}"));
            }
        }
        for list in [&mut report.lost, &mut report.doubled, &mut report.faults] {
            shorten(list);
        }
        report
    }

    /// Whether the replay was as the scenario expects.
    pub(super) fn as_expected(&self) -> bool {
        self.faults.is_empty()
    }

    fn judge_visits(&mut self, played: Vec<Played>) {
        for (place, visit) in played.into_iter().enumerate() {
            let word = match &visit.outcome {
                Outcome::Ended(reason) => {
                    *self.ends.entry(reason.clone()).or_default() += 1;
                    reason.clone()
                }
                Outcome::Refused(step, cause) => {
                    *self.refusals.entry(format!("{step}: {cause}")).or_default() += 1;
                    cause.clone()
                }
                Outcome::Lost(what) => {
                    self.lost.push(format!("visitor {}: {what}", place + 1));
                    (*what).to_owned()
                }
                Outcome::StayedAway => {
                    self.stayed_away += 1;
                    "stayed away".to_owned()
                }
            };
            if let Some(expected) = visit.visitor.ends.filter(|expected| *expected != word) {
                let number = place + 1;
                self.faults.push(format!(
                    "visitor {number} should have ended with `{expected}`, not `{word}`"
                ));
            }
        }
    }

    /// No two visitors may have the same call. Nor may they be the same user, unless the service
    /// gives all of them one on purpose.
    fn judge_ids(&mut self, played: &[Played]) {
        self.doubled.extend(repeated(
            played.iter().filter_map(|visit| visit.call.as_ref()),
        ));
        let users = || played.iter().filter_map(|visit| visit.user.as_ref());
        if users().collect::<BTreeSet<_>>().len() > 1 {
            self.doubled.extend(repeated(users()));
        }
    }

    fn judge_bounds(&mut self, expected: Expectation) {
        for (name, bound) in [
            ("session", expected.session_p99_ms),
            ("answer", expected.answer_p99_ms),
            ("event", expected.event_p99_ms),
        ] {
            let found = self.latency_ms.get(name).map(|latency| latency.p99);
            if let (Some(bound), Some(found)) = (bound, found)
                && Duration::from_secs_f64(found / 1_000.0) > Duration::from_millis(bound)
            {
                self.faults.push(format!(
                    "{name} took {found:.1} ms at the 99th percentile, {bound} ms were allowed"
                ));
            }
        }
    }

    /// For people.
    pub(super) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "visitors  {}", self.visitors)?;
        for (title, counts) in [("ended", &self.ends), ("refused", &self.refusals)] {
            for (what, count) in counts {
                writeln!(out, "{title:<9} {count} × {what}")?;
            }
        }
        if self.stayed_away > 0 {
            writeln!(
                out,
                "away      {} stayed away: too many at once",
                self.stayed_away
            )?;
        }
        writeln!(
            out,
            "webhooks  {} sent, {} forgeries refused",
            self.webhooks, self.forgeries_refused
        )?;
        for (name, latency) in &self.latency_ms {
            writeln!(
                out,
                "{name:<9} p50 {:.1} ms, p99 {:.1} ms of {}",
                latency.p50, latency.p99, latency.count
            )?;
        }
        for (title, list) in [
            ("lost", &self.lost),
            ("doubled", &self.doubled),
            ("FAULT", &self.faults),
        ] {
            for what in list {
                writeln!(out, "{title:<9} {what}")?;
            }
        }
        let verdict = if self.as_expected() {
            "as expected"
        } else {
            "not as expected"
        };
        writeln!(out, "{verdict}")
    }
}

impl Latency {
    /// None without any.
    fn of(mut times: Vec<f64>) -> Option<Self> {
        times.sort_by(f64::total_cmp);
        let at =
            |percent: usize| times.get((times.len() * percent).div_ceil(100).saturating_sub(1));
        Some(Self {
            count: times.len(),
            p50: *at(50)?,
            p99: *at(99)?,
        })
    }
}

fn repeated<'a>(ids: impl Iterator<Item = &'a String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    ids.filter(|id| !seen.insert(*id)).cloned().collect()
}

fn shorten(list: &mut Vec<String>) {
    let more = list.len().saturating_sub(SPELT_OUT);
    if more > 0 {
        list.truncate(SPELT_OUT);
        list.push(format!("and {more} more"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::scenario::Visitor;

    fn visit(outcome: Outcome, ends: Option<&str>) -> Played {
        let visitor = Visitor {
            ends: ends.map(str::to_owned),
            ..Visitor::default()
        };
        Played::new(visitor, outcome)
    }

    fn report(played: Vec<Played>) -> Report {
        Report::of(played, &Webhooks::default(), Expectation::default())
    }

    #[test]
    fn percentiles_are_of_the_times_themselves() {
        let times = (1..=200).map(f64::from).collect();
        let latency = Latency::of(times).unwrap();
        assert_eq!((latency.p50, latency.p99), (100.0, 198.0));
        assert!(Latency::of(Vec::new()).is_none());
    }

    #[test]
    fn an_end_that_was_not_expected_is_a_fault() {
        let busy = || Outcome::Ended("busy".to_owned());
        assert!(report(vec![visit(busy(), None), visit(busy(), Some("busy"))]).as_expected());
        assert!(!report(vec![visit(busy(), Some("completed"))]).as_expected());
        let refused = Outcome::Refused("session", "rate-limited".to_owned());
        assert!(report(vec![visit(refused.clone(), Some("rate-limited"))]).as_expected());
        assert_eq!(
            report(vec![visit(refused, None)]).refusals["session: rate-limited"],
            1
        );
    }

    #[test]
    fn what_is_lost_or_given_twice_is_a_fault() {
        assert!(!report(vec![visit(Outcome::Lost("no end"), None)]).as_expected());
        let given = |user: &str, call: &str| {
            let mut played = visit(Outcome::Ended("completed".to_owned()), None);
            played.user = Some(user.to_owned());
            played.call = Some(call.to_owned());
            played
        };
        let twins = report(vec![given("a", "1"), given("b", "2"), given("a", "2")]);
        assert_eq!(twins.doubled, ["2", "a"]);
        assert!(!twins.as_expected());
        // One user for everybody is a mode of the service.
        assert!(report(vec![given("a", "1"), given("a", "2")]).as_expected());
    }

    #[test]
    fn a_bound_that_is_not_kept_is_a_fault() {
        let slow = || {
            let mut played = visit(Outcome::Ended("completed".to_owned()), None);
            played.session = Some(Duration::from_millis(50));
            vec![played]
        };
        let bound = |session_p99_ms| Expectation {
            session_p99_ms: Some(session_p99_ms),
            ..Expectation::default()
        };
        assert!(Report::of(slow(), &Webhooks::default(), bound(60)).as_expected());
        assert!(!Report::of(slow(), &Webhooks::default(), bound(40)).as_expected());
    }
}
