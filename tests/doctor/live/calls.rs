//! The questions that ring, in each possible answer.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    process::{Child, Stdio},
};

use serde_json::{Value, json};

use super::{Live, Run, door::Door};
use crate::world;

pub(super) const DESTINATION: &str = "447700900000";
/// Questions that need the first call, in order.
const OF_FIRST: [&str; 7] = [
    "get-signature",
    "post-signature",
    "retries",
    "press-1",
    "recording",
    "event-copies",
    "prices",
];

/// The budget of the first call, where nothing of the second is asked.
const FIRST_ONLY: [&str; 3] = ["--yes", "--budget", "0.1"];

/// A run that calls, on its way.
pub(super) struct Calling {
    pub(super) child: Child,
    err: std::thread::JoinHandle<String>,
    out: std::thread::JoinHandle<String>,
}

/// A telephone that somebody answers twice, and on which the key 1 is pressed; engaged to a second call. The key is pressed
/// until somebody listens, and Vonage's patience is well over the service's: a busy machine must not change the answers.
pub(super) fn well() -> Value {
    json!({
        "destinations": { DESTINATION: [
            { "does": "answer", "digits": "1111" }, { "does": "answer" }, { "does": "busy" },
        ] },
        "timing": { "call_setup_ms": 10, "speech_ms_per_character": 1, "hangup_refused_ms": 50 },
        "habits": { "answer_patience_ms": 2_500 },
    })
}

/// The same with other habits of Vonage's.
pub(super) fn with_habits(habits: &Value) -> Value {
    let mut scenario = well();
    for (name, habit) in habits.as_object().unwrap() {
        scenario["habits"][name] = habit.clone();
    }
    scenario
}

impl Live {
    /// A run with calls.
    pub(super) async fn call(&self, scenario: &Value, more: &[&str]) -> Run {
        self.play(scenario.clone()).await;
        let mut variables = self.folder.variables.clone();
        // Recordings lie at the simulator itself, which the proxy in between does not hide.
        let url = self.simulator.base_url().to_owned();
        variables.insert("VONAGE_REST_URL".to_owned(), url);
        let calling = self.start_calling(&variables, more, "").await;
        calling.done().await
    }

    pub(super) async fn start_calling(
        &self,
        variables: &BTreeMap<String, String>,
        more: &[&str],
        input: &str,
    ) -> Calling {
        let door = Door::start().await;
        let mut variables = variables.clone();
        variables.insert("PUBLIC_URL".to_owned(), door.url.clone());
        let traces = self.folder.path().join("traces");
        if traces.exists() {
            std::fs::remove_dir_all(&traces).unwrap();
        }
        let args = [
            "doctor",
            "--live",
            "--json",
            "--live-port",
            "0",
            "--traces",
            "traces",
        ];
        let args: Vec<&str> = args.iter().chain(more).copied().collect();
        let mut child = world::command(self.folder.path(), &variables, &args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(input.as_bytes())
            .unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let mut stdout = child.stdout.take().unwrap();
        let err = std::thread::spawn(move || {
            let mut said = String::new();
            for line in stderr.lines() {
                let line = line.unwrap();
                if let Some(address) = line.strip_prefix("listening on ") {
                    door.lead_to(address.parse().unwrap());
                }
                said.push_str(&line);
                said.push('\n');
            }
            said
        });
        let out = std::thread::spawn(move || {
            let mut said = String::new();
            stdout.read_to_string(&mut said).unwrap();
            said
        });
        Calling { child, err, out }
    }

    /// What a run says that comes to nothing.
    pub(super) async fn fails(&self, variables: &BTreeMap<String, String>, port: &str) -> String {
        let args = ["doctor", "--live", "--yes", "--live-port", port];
        let (code, _, err) = world::run(self.folder.path(), variables, &args).await;
        assert_eq!(code, 1);
        err
    }

    /// Every leg that Vonage had.
    pub(super) async fn legs(&self) -> Vec<Value> {
        let url = format!("{}/simulator/state", self.simulator.base_url());
        let http = reqwest::Client::builder().build().unwrap();
        let state: Value = http.get(url).send().await.unwrap().json().await.unwrap();
        state["legs"].as_array().unwrap().clone()
    }
}

impl Calling {
    pub(super) async fn done(mut self) -> Run {
        tokio::task::spawn_blocking(move || {
            let code = self.child.wait().unwrap().code().unwrap();
            let out = self.out.join().unwrap();
            let err = self.err.join().unwrap();
            let json = serde_json::from_str(&out).unwrap_or_default();
            Run { code, json, err }
        })
        .await
        .unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_are_as_the_service_assumes() {
    let live = Live::start().await;
    let run = live.call(&well(), &["--yes"]).await;
    run.contradicts(&[])
        .says(
            "get-signature",
            "agrees",
            "the parameters as a compact JSON object",
        )
        .says("post-signature", "agrees", "that came are")
        .says(
            "retries",
            "agrees",
            "again with the same token; an event is tried once more",
        )
        .says("patience", "agrees", "it tries again after ")
        .says("press-1", "agrees", "the key 1")
        .says(
            "recording",
            "agrees",
            "with the application's token; deleting it is refused",
        )
        .says("synchronous-connect", "agrees", "after busy it is")
        .says("event-copies", "agrees", "only to their own")
        .says("prices", "agrees", "price, rate and duration")
        .says("caller-id", "untried", "nobody was asked");
    let legs = live.legs().await;
    assert_eq!(legs.len(), 3, "{legs:#?}");
    assert!(
        legs.iter()
            .all(|leg| leg["to"] == DESTINATION && leg["over"] == true)
    );
    assert_eq!(live.left_at_vonage().await, Vec::<Value>::new());
    // What it costs is said before and after.
    assert!(run.err.contains("EUR 0.3000 at most"), "{}", run.err);
    assert!(run.err.contains("+447700900000"), "{}", run.err);
    assert!(run.err.contains("spent: EUR 0.0"), "{}", run.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_get_with_each_kind_of_hash() {
    let live = Live::start().await;
    for (hash, words) in [
        ("query", "with the hash of the query as it came"),
        ("absent", "without a hash"),
        ("unknown", "with a hash of something else"),
    ] {
        let scenario = with_habits(&json!({ "get_hash": hash }));
        let run = live.call(&scenario, &FIRST_ONLY).await;
        run.contradicts(&[]).says("get-signature", "agrees", words);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_that_are_not_signed_or_by_somebody_else() {
    let live = Live::start().await;
    for (effect, words) in [
        ("unsigned", "not signed"),
        ("wrong_signature", "not signed with our signature secret"),
    ] {
        let mut scenario = well();
        scenario["webhooks"] = json!([{ "effect": effect }]);
        let run = live.call(&scenario, &FIRST_ONLY).await;
        run.contradicts(&["get-signature", "post-signature"])
            .says("get-signature", "contradicts", words)
            .says("post-signature", "contradicts", words);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_that_are_tried_again_otherwise() {
    let live = Live::start().await;
    let scenario = with_habits(&json!({ "webhook_tries": 3, "signs_each_try": true }));
    let run = live.call(&scenario, &["--yes"]).await;
    run.contradicts(&[]).says(
        "retries",
        "agrees",
        "with a new token; an event is tried 2 times more",
    );
    let scenario = with_habits(&json!({ "webhook_tries": 1 }));
    let run = live.call(&scenario, &["--yes"]).await;
    run.contradicts(&["retries", "patience"])
        .says(
            "retries",
            "contradicts",
            "the answer is not tried again; an event is not tried again",
        )
        .says("patience", "contradicts", "is not asked for again")
        .says("press-1", "untried", "no such request");
}

#[tokio::test(flavor = "multi_thread")]
async fn patience_copies_and_prices_otherwise() {
    let live = Live::start().await;
    let scenario = with_habits(&json!({
        "answer_patience_ms": 900, "event_copies": true, "tells_prices": false,
    }));
    let run = live.call(&scenario, &["--yes"]).await;
    run.contradicts(&["patience", "prices"])
        .says("patience", "contradicts", "after ")
        .says("event-copies", "agrees", "to both")
        .says("prices", "contradicts", "it has no price, rate");
    // What nobody tells has cost the worst.
    assert!(run.err.contains("spent: EUR 0.3000 at most"), "{}", run.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn people_who_do_something_else() {
    let live = Live::start().await;
    let mut scenario = well();
    scenario["destinations"][DESTINATION] = json!([
        { "does": "answer", "digits": "2222" }, { "does": "answer" },
        { "does": "answer", "hang_up_after_ms": 200 },
    ]);
    let run = live.call(&scenario, &["--yes"]).await;
    run.contradicts(&[])
        .says("press-1", "untried", "another key")
        .says("synchronous-connect", "untried", "answered as well");
    // Nobody answers: nobody is rung at again.
    scenario["destinations"][DESTINATION] = json!([{ "does": "decline" }]);
    let before = live.legs().await.len();
    let run = live.call(&scenario, &["--yes"]).await;
    assert_eq!(live.legs().await.len(), before + 1);
    run.contradicts(&[]);
    for name in OF_FIRST
        .iter()
        .filter(|name| !["post-signature", "event-copies"].contains(name))
    {
        run.says(name, "untried", "not answered (rejected)");
    }
    run.says("patience", "untried", "not answered")
        .says("caller-id", "untried", "not answered");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_that_can_not_be_fetched() {
    let live = Live::start().await;
    live.play(well()).await;
    let calling = live
        .start_calling(&live.folder.variables, &FIRST_ONLY, "")
        .await;
    let run = calling.done().await;
    run.contradicts(&["recording"])
        .says("recording", "contradicts", "not among Vonage's hosts");
    let mut scenario = well();
    scenario["requests"] =
        json!([{ "method": "GET", "path": "/v1/files/*", "answer": "forbidden" }]);
    let run = live.call(&scenario, &FIRST_ONLY).await;
    run.contradicts(&["recording"])
        .says("recording", "contradicts", "does not fetch it: 403");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_person_at_the_telephone_says_what_it_showed() {
    let live = Live::start().await;
    for (shown, standing) in [
        ("+44 20 7946 0000", "agrees"),
        ("020 7946 0000", "agrees"),
        ("unknown", "untried"),
        ("+33 6 12 34 56 78", "contradicts"),
    ] {
        live.play(well()).await;
        let input = format!("y\n{shown}\n");
        let calling = live
            .start_calling(&live.folder.variables, &["--budget", "0.1"], &input)
            .await;
        let run = calling.done().await;
        run.says("caller-id", standing, "");
    }
    // Somebody says no: nothing rings.
    let before = live.legs().await.len();
    let calling = live.start_calling(&live.folder.variables, &[], "n\n").await;
    let run = calling.done().await;
    assert_eq!(run.code, 1);
    assert!(run.err.contains("nothing was spent"), "{}", run.err);
    assert_eq!(live.legs().await.len(), before);
}
