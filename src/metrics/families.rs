//! The kinds of families that the groups are made of.

use std::time::Duration;

use prometheus_client::{
    metrics::{
        counter::Counter, family::Family as LabelledFamily, gauge::Gauge, histogram::Histogram,
    },
    registry::{Registry, Unit},
};

/// One label, whose values are words of this program.
type Label = [(&'static str, &'static str); 1];

/// A counter for each value of one label.
#[derive(Debug, Clone)]
pub(super) struct CounterBy {
    label: &'static str,
    family: LabelledFamily<Label, Counter>,
}

impl CounterBy {
    /// Registers it, with all its `values`.
    pub(super) fn new(
        registry: &mut Registry,
        name: &str,
        help: &str,
        label: &'static str,
        values: impl IntoIterator<Item = &'static str>,
    ) -> Self {
        let family = LabelledFamily::default();
        registry.register(name, help, family.clone());
        for value in values {
            drop(family.get_or_create(&[(label, value)]));
        }
        Self { label, family }
    }

    pub(super) fn count(&self, value: &'static str) {
        self.family.get_or_create(&[(self.label, value)]).inc();
    }
}

/// Times in seconds, apart for each value of one label.
#[derive(Debug, Clone)]
pub(super) struct SecondsBy {
    label: &'static str,
    family: LabelledFamily<Label, Histogram, fn() -> Histogram>,
}

impl SecondsBy {
    /// Registers it, with all its `values`.
    pub(super) fn new(
        registry: &mut Registry,
        name: &str,
        help: &str,
        label: &'static str,
        values: impl IntoIterator<Item = &'static str>,
    ) -> Self {
        let constructor: fn() -> Histogram = buckets;
        let family = LabelledFamily::new_with_constructor(constructor);
        registry.register_with_unit(name, help, Unit::Seconds, family.clone());
        for value in values {
            drop(family.get_or_create(&[(label, value)]));
        }
        Self { label, family }
    }

    pub(super) fn observe(&self, value: &'static str, took: Duration) {
        let seconds = took.as_secs_f64();
        self.family
            .get_or_create(&[(self.label, value)])
            .observe(seconds);
    }
}

pub(super) fn counter(registry: &mut Registry, name: &str, help: &str) -> Counter {
    let counter = Counter::default();
    registry.register(name, help, counter.clone());
    counter
}

pub(super) fn gauge(registry: &mut Registry, name: &str, help: &str) -> Gauge {
    let gauge = Gauge::default();
    registry.register(name, help, gauge.clone());
    gauge
}

pub(super) fn seconds_gauge(registry: &mut Registry, name: &str, help: &str) -> Gauge {
    let gauge = Gauge::default();
    registry.register_with_unit(name, help, Unit::Seconds, gauge.clone());
    gauge
}

pub(super) fn seconds(registry: &mut Registry, name: &str, help: &str) -> Histogram {
    let histogram = buckets();
    registry.register_with_unit(name, help, Unit::Seconds, histogram.clone());
    histogram
}

/// From a commit on a fast disk to the longest that anybody waits.
fn buckets() -> Histogram {
    Histogram::new([
        0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
    ])
}

/// A number that a gauge can show.
pub(super) fn shown(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
