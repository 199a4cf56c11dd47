//! The table of figures and what is to be thought of each.

use std::{fmt, time::Duration};

/// Which figures are good.
#[derive(Debug, Clone, Copy)]
enum Wanted {
    AtLeast,
    AtMost,
}

/// One figure.
#[derive(Debug)]
pub(crate) struct Row {
    name: String,
    measured: String,
    reference: String,
    /// What is judged.
    figure: f64,
    unit: &'static str,
    wanted: Wanted,
    /// Goal and guard. Without them it is told and not judged.
    bounds: Option<[f64; 2]>,
}

impl Row {
    /// A share of what the reference does; more is better.
    pub(crate) fn share(
        name: &str,
        measured: String,
        reference: String,
        ratio: f64,
        bounds: impl Into<Option<[f64; 2]>>,
    ) -> Self {
        let (name, unit, wanted) = (name.to_owned(), "", Wanted::AtLeast);
        Self {
            name,
            measured,
            reference,
            figure: ratio,
            unit,
            wanted,
            bounds: bounds.into(),
        }
    }

    /// A cost; less is better.
    pub(crate) fn cost(
        name: &str,
        measured: String,
        reference: String,
        (figure, unit): (f64, &'static str),
        bounds: [f64; 2],
    ) -> Self {
        let (name, wanted) = (name.to_owned(), Wanted::AtMost);
        Self {
            name,
            measured,
            reference,
            figure,
            unit,
            wanted,
            bounds: Some(bounds),
        }
    }

    fn reaches(&self, bound: f64) -> bool {
        match self.wanted {
            Wanted::AtLeast => self.figure >= bound,
            Wanted::AtMost => self.figure <= bound,
        }
    }

    fn cells(&self) -> [String; 7] {
        let sign = match self.wanted {
            Wanted::AtLeast => '≥',
            Wanted::AtMost => '≤',
        };
        let bound = |bound| format!("{sign} {}{}", number(bound), self.unit);
        let (goal, guard, verdict) = match self.bounds {
            None => ("—".to_owned(), "—".to_owned(), "—"),
            Some([goal, guard]) => {
                let verdict = if self.reaches(goal) {
                    "goal"
                } else if self.reaches(guard) {
                    "guard only"
                } else {
                    "MISSED"
                };
                (bound(goal), bound(guard), verdict)
            }
        };
        [
            self.name.clone(),
            self.measured.clone(),
            self.reference.clone(),
            format!("{}{}", number(self.figure), self.unit),
            goal,
            guard,
            verdict.to_owned(),
        ]
    }
}

/// All figures of a run, in Markdown.
#[derive(Debug, Default)]
pub(crate) struct Table(Vec<Row>);

impl Table {
    pub(crate) fn add(&mut self, rows: Vec<Row>) {
        self.0.extend(rows);
    }

    /// Whether every figure is as good as it has to be on any machine.
    pub(crate) fn keeps_its_guards(&self) -> bool {
        let keeps_it = |row: &Row| row.bounds.is_none_or(|[_, guard]| row.reaches(guard));
        self.0.iter().all(keeps_it)
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "| row | measured | reference | judged | goal | guard | verdict |"
        )?;
        writeln!(f, "| --- | ---: | ---: | ---: | ---: | ---: | --- |")?;
        for row in &self.0 {
            writeln!(f, "| {} |", row.cells().join(" | "))?;
        }
        Ok(())
    }
}

/// With as many digits as mean something.
pub(crate) fn number(value: f64) -> String {
    if value.fract() == 0.0 || value.abs() >= 100.0 {
        format!("{value:.0}")
    } else if value.abs() >= 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}

/// The middle one.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

/// The median of the ratios within each round: what slows a whole round down cancels out.
pub(crate) fn median_ratio(measured: &[f64], reference: &[f64]) -> f64 {
    let ratios: Vec<f64> = measured
        .iter()
        .zip(reference)
        .map(|(measured, reference)| measured / reference)
        .collect();
    median(&ratios)
}

pub(crate) fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
