//! The alert rules ask only for what is counted.

use std::{collections::BTreeSet, process::Command};

use saphyr::{LoadableYamlNode, Yaml};

use crate::helpers::{Scrape, TestApp};

const RULES: &str = include_str!("../../config/alerts.yml");

/// The rules, each with its alert's name.
fn rules(document: &Yaml<'_>) -> Vec<(String, String)> {
    let groups = document["groups"].as_vec().unwrap();
    let rules = groups.iter().flat_map(|g| g["rules"].as_vec().unwrap());
    rules
        .map(|rule| {
            let text = |node: &Yaml<'_>| node.as_str().unwrap().to_owned();
            assert!(!text(&rule["annotations"]["summary"]).is_empty());
            let severity = text(&rule["labels"]["severity"]);
            assert!(["page", "ticket"].contains(&severity.as_str()));
            (text(&rule["alert"]), text(&rule["expr"]))
        })
        .collect()
}

/// What of the service's an expression asks for: each metric with its matchers, as `(label, value)`.
fn selectors(expression: &str) -> Vec<(&str, Vec<(&str, &str)>)> {
    let starts = expression.match_indices("click_to_call_");
    starts
        .map(|(start, _)| {
            let rest = &expression[start..];
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            let (name, rest) = rest.split_at(end.unwrap_or(rest.len()));
            let braces = rest.strip_prefix('{').and_then(|rest| rest.split_once('}'));
            let matchers = braces.map_or("", |(matchers, _)| matchers);
            let pairs = matchers.split(',').filter(|matcher| !matcher.is_empty());
            let pairs = pairs.flat_map(|pair| {
                let (label, values) = pair.split_once('"').unwrap();
                let label = label.trim_end_matches(['=', '!', '~']);
                let values = values.trim_end_matches('"');
                values.split('|').map(move |value| (label, value))
            });
            (name, pairs.collect())
        })
        .collect()
}

/// Whether the service shows this metric with a label of this value.
fn shows(scrape: &Scrape, name: &str, label: &str, value: &str) -> bool {
    let label = format!("{label}=\"{value}\"");
    let mut lines = scrape.0.lines();
    lines.any(|line| line.starts_with(name) && line.contains(&label))
}

#[tokio::test]
async fn every_rule_asks_for_what_is_shown_and_is_documented() {
    let app = TestApp::with(|s| s.metrics.port = Some(0)).await;
    app.get("/healthz").await;
    let scrape = app.scrape().await;
    let known: BTreeSet<_> = scrape.metrics().into_iter().map(|(_, name)| name).collect();

    let documents = Yaml::load_from_str(RULES).unwrap();
    let rules = rules(&documents[0]);
    for (alert, expression) in &rules {
        let selectors = selectors(expression);
        assert!(!selectors.is_empty(), "{alert}");
        for (name, matchers) in selectors {
            let metric = name.strip_suffix("_bucket").unwrap_or(name);
            assert!(known.contains(metric), "{alert}: {name} is not shown");
            for (label, value) in matchers {
                let shown = shows(&scrape, name, label, value);
                assert!(shown, "{alert}: {name} has no {label}=\"{value}\"");
            }
        }
    }

    let names: Vec<_> = rules.iter().map(|(alert, _)| alert.as_str()).collect();
    let page = include_str!("../../docs/METRICS.md");
    let documented: Vec<_> = page
        .lines()
        .filter_map(|line| line.strip_prefix("### "))
        .collect();
    assert_eq!(names, documented);
}

/// The expression of this alert.
fn asked_by(alert: &str) -> String {
    let documents = Yaml::load_from_str(RULES).unwrap();
    let rules = rules(&documents[0]);
    let (_, expression) = rules.into_iter().find(|(name, _)| name == alert).unwrap();
    expression
}

#[test]
fn one_request_of_a_stranger_pages_nobody() {
    let expression = asked_by("NoWebhookIsGenuine");
    let left_out = ["genuine", "unchecked", "missing", "form"].map(|word| ("verdict", word));
    assert_eq!(selectors(&expression)[0].1, left_out);
    assert!(expression.contains("and sum(increase(click_to_call_calls_permitted_total[10m])) > 0"));
}

#[test]
fn a_clock_that_no_webhook_has_seen_of_late_pages_nobody() {
    let expression = asked_by("ClockIsWrong");
    let (name, matchers) = selectors(&expression).pop().unwrap();
    assert_eq!(name, "click_to_call_webhook_verdicts_total");
    assert_eq!(matchers, [("verdict", "genuine")]);
}

/// Where Prometheus's own tool is installed, it has the last word.
#[test]
fn promtool_accepts_the_rules() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/config/alerts.yml");
    let checked = Command::new("promtool")
        .args(["check", "rules", file])
        .output();
    match checked {
        Ok(output) => assert!(output.status.success(), "{output:?}"),
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::NotFound),
    }
}
