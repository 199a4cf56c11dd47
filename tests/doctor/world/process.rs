//! The binary: as a service, and as doctor.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
};

use serde_json::Value;

use super::Folder;

/// The service. It ends with the test.
pub(crate) struct Service {
    child: Child,
    pub(crate) url: String,
}

impl Service {
    /// Starts `serve` on a free port and waits until it listens.
    pub(crate) fn start(folder: &Folder) -> Self {
        let mut child = command(folder.path(), &folder.variables, &["serve"])
            .env("PORT", "0")
            .env("CLICK_TO_CALL__LOG__FORMAT", "text")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut log = String::new();
        let url = loop {
            let Some(line) = lines.next() else {
                panic!("the service does not listen: {log}");
            };
            let line = line.unwrap();
            if let Some((_, address)) = line.split_once("listening on ") {
                break address.split_whitespace().next().unwrap().to_owned();
            }
            log.push_str(&line);
        };
        // Somebody has to go on reading.
        thread::spawn(move || lines.for_each(drop));
        Self { child, url }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The binary, with these arguments, in this folder.
pub(crate) fn command(
    folder: &Path,
    variables: &BTreeMap<String, String>,
    args: &[&str],
) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_click-to-call"));
    command
        .args(args)
        .current_dir(folder)
        .env_clear()
        .envs(variables)
        .stdin(Stdio::null());
    command
}

/// What doctor said.
pub(crate) struct Report {
    pub(crate) code: i32,
    pub(crate) json: Value,
    pub(crate) err: String,
}

/// What the binary printed, whatever it did.
pub(crate) async fn run(
    folder: &Path,
    variables: &BTreeMap<String, String>,
    args: &[&str],
) -> (i32, String, String) {
    let mut command = command(folder, variables, args);
    let output = tokio::task::spawn_blocking(move || command.output());
    let output = output.await.unwrap().unwrap();
    (
        output.status.code().unwrap(),
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

/// Runs `doctor --json` with these arguments more.
pub(crate) async fn doctor(
    folder: &Path,
    variables: &BTreeMap<String, String>,
    more: &[&str],
) -> Report {
    let args: Vec<&str> = ["doctor", "--json"].iter().chain(more).copied().collect();
    let (code, out, err) = run(folder, variables, &args).await;
    let json = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}{err}"));
    Report { code, json, err }
}

impl Report {
    /// What a check found.
    pub(crate) fn check(&self, name: &str) -> &Value {
        let checks = self.json["checks"].as_array().unwrap();
        let found = checks.iter().find(|check| check["name"] == name);
        found.unwrap_or_else(|| panic!("there is no check {name}"))
    }

    pub(crate) fn status(&self, name: &str) -> &str {
        self.check(name)["status"].as_str().unwrap()
    }

    /// The checks that ended so. The settings' warning, that the addresses are not https, is not counted.
    pub(crate) fn that_are(&self, status: &str) -> Vec<&str> {
        let checks = self.json["checks"].as_array().unwrap();
        checks
            .iter()
            .filter(|check| check["status"] == status)
            .filter(|check| !(status == "warning" && check["name"] == "settings"))
            .map(|check| check["name"].as_str().unwrap())
            .collect()
    }

    /// Exactly this check has failed, with these words for what is wrong and how to mend it.
    #[track_caller]
    pub(crate) fn fails(&self, name: &str, found: &str, remedy: &str) -> &Self {
        assert_eq!(self.that_are("failed"), [name], "{:#}", self.json);
        assert_eq!(
            self.that_are("warning"),
            Vec::<&str>::new(),
            "{:#}",
            self.json
        );
        assert_eq!(self.code, 1);
        self.says(name, found, remedy)
    }

    /// Nothing fails, and exactly this check warns, with these words.
    #[track_caller]
    pub(crate) fn warns(&self, name: &str, found: &str, remedy: &str) -> &Self {
        assert_eq!(
            self.that_are("failed"),
            Vec::<&str>::new(),
            "{:#}",
            self.json
        );
        assert_eq!(self.that_are("warning"), [name], "{:#}", self.json);
        assert_eq!(self.code, 0);
        self.says(name, found, remedy)
    }

    /// A check has these words for what is wrong and how to mend it, and a reason.
    #[track_caller]
    pub(crate) fn says(&self, name: &str, found: &str, remedy: &str) -> &Self {
        let check = self.check(name);
        let text = |key: &str| check[key].as_str().unwrap_or_default();
        assert!(
            text("found").contains(found),
            "{found:?} is not in {check:#}"
        );
        assert!(
            text("remedy").contains(remedy),
            "{remedy:?} is not in {check:#}"
        );
        assert!(!text("matters").is_empty());
        self
    }

    /// Exactly these were not looked at.
    #[track_caller]
    pub(crate) fn skips(&self, names: &[&str]) -> &Self {
        assert_eq!(self.that_are("skipped"), names, "{:#}", self.json);
        self
    }

    /// As [`Self::is_in_order`], where the settings warn of the shared user.
    #[track_caller]
    pub(crate) fn is_in_order_but_for_the_shared_user(&self) {
        self.is_in_order();
        self.says("settings", "visitors.users is \"shared\"", "");
    }

    /// Everything was looked at and is in order.
    #[track_caller]
    pub(crate) fn is_in_order(&self) -> &Self {
        for status in ["failed", "warning", "skipped"] {
            assert_eq!(self.that_are(status), Vec::<&str>::new(), "{:#}", self.json);
        }
        assert_eq!(self.code, 0);
        assert_eq!(self.json["ok"], true);
        self
    }
}
