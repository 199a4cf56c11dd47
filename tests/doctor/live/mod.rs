//! `doctor --live`: the real command against a simulated Vonage that answers each question in each way.

mod calls;
mod door;
mod free;
mod money;
mod safety;

use std::{collections::BTreeMap, path::Path};

use click_to_call::simulator::{Scenario, Simulator};
use serde_json::{Value, json};

use crate::world::{self, API_SECRET, APPLICATION, Folder, OTHER_APPLICATION, Proxy};

/// A Vonage and a folder with settings. There is no service: this command takes its place.
struct Live {
    simulator: Simulator,
    /// Between the command and Vonage.
    vonage: Proxy,
    folder: Folder,
}

/// What a run said and left.
struct Run {
    code: i32,
    json: Value,
    err: String,
}

impl Live {
    async fn start() -> Self {
        let simulator = world::simulator().await;
        let vonage = Proxy::start(simulator.base_url().to_owned()).await;
        let mut folder = Folder::new(&vonage.url);
        folder.set("PUBLIC_URL", "https://canary-host.example");
        Self {
            simulator,
            vonage,
            folder,
        }
    }

    /// Has Vonage behave so.
    async fn play(&self, scenario: Value) {
        let scenario: Scenario = serde_json::from_value(scenario).unwrap();
        let url = format!("{}/simulator/scenario", self.simulator.base_url());
        let http = reqwest::Client::builder().build().unwrap();
        let answer = http.post(url).json(&scenario).send().await.unwrap();
        assert!(answer.status().is_success());
    }

    /// A run without calls.
    async fn run(&self, more: &[&str]) -> Run {
        self.run_with(&self.folder.variables, more).await
    }

    /// The same, with other variables.
    async fn run_with(&self, variables: &BTreeMap<String, String>, more: &[&str]) -> Run {
        let traces = self.folder.path().join("traces");
        if traces.exists() {
            std::fs::remove_dir_all(&traces).unwrap();
        }
        let args: Vec<&str> = [
            "doctor", "--live", "--json", "--budget", "0", "--traces", "traces",
        ]
        .iter()
        .chain(more)
        .copied()
        .collect();
        let (code, out, err) = world::run(self.folder.path(), variables, &args).await;
        let json = serde_json::from_str(&out).unwrap_or_default();
        Run { code, json, err }
    }

    /// What Vonage has beside what it had before.
    async fn left_at_vonage(&self) -> Vec<Value> {
        let url = format!(
            "{}/v2/applications?page_size=100",
            self.simulator.base_url()
        );
        let http = reqwest::Client::builder().build().unwrap();
        let answer = http
            .get(url)
            .basic_auth("abcd1234", Some(API_SECRET))
            .send()
            .await
            .unwrap();
        let listed: Value = answer.json().await.unwrap();
        let listed = listed["_embedded"]["applications"].as_array().unwrap();
        let is_new = |application: &&Value| {
            ![json!(APPLICATION), json!(OTHER_APPLICATION)].contains(&application["id"])
        };
        listed.iter().filter(is_new).cloned().collect()
    }

    fn traces(&self) -> BTreeMap<String, String> {
        files(&self.folder.path().join("traces"))
    }
}

fn files(folder: &Path) -> BTreeMap<String, String> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return BTreeMap::new();
    };
    entries
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read_to_string(path).unwrap())
        })
        .collect()
}

impl Run {
    /// What came of a question.
    fn finding(&self, name: &str) -> &Value {
        let findings = self.json["findings"].as_array();
        let findings = findings.unwrap_or_else(|| panic!("no report: {}", self.err));
        let found = findings.iter().find(|finding| finding["name"] == name);
        found.unwrap_or_else(|| panic!("nothing about {name}: {:#}", self.json))
    }

    /// A question was answered so, with these words for what was found.
    #[track_caller]
    fn says(&self, name: &str, standing: &str, found: &str) -> &Self {
        let finding = self.finding(name);
        assert_eq!(finding["standing"], standing, "{finding:#}");
        let words = finding["found"].as_str().unwrap();
        assert!(words.contains(found), "{found:?} is not in {finding:#}");
        // A contradiction says what to do.
        let has_advice = finding["means"]
            .as_str()
            .is_some_and(|means| !means.is_empty());
        assert!(has_advice || standing != "contradicts", "{finding:#}");
        self
    }

    /// These questions were answered otherwise than assumed, and the exit code says so.
    #[track_caller]
    fn contradicts(&self, names: &[&str]) -> &Self {
        let findings = self.json["findings"].as_array().unwrap();
        let found: Vec<&str> = findings
            .iter()
            .filter(|finding| finding["standing"] == "contradicts")
            .map(|finding| finding["name"].as_str().unwrap())
            .collect();
        assert_eq!(found, names, "{:#}", self.json);
        assert_eq!(self.code, i32::from(!names.is_empty()), "{}", self.err);
        self
    }
}
