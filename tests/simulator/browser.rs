//! The unmodified Client SDK in a real Chromium, driven by `tests/simulator/browser/*.test.mjs`.

use std::process::{Command, Stdio};

use serde_json::json;

use crate::support::{API_KEY, API_SECRET, World, scenario};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs `npm ci` and Chromium: run with `-- --include-ignored`"]
async fn the_real_sdk_in_a_real_browser() {
    let world = World::with(scenario(json!({
        "timing": {
            "call_setup_ms": 50,
            "speech_ms_per_character": 5,
            "hangup_refused_ms": 0,
            "reconnect_window_ms": 8_000,
        },
        "limits": { "calls_per_second": 100, "voice_requests_per_second": 1_000 },
    })))
    .await;
    let mut node = Command::new("node");
    node.args(["--test", "--test-concurrency=1", "--test-timeout=240000"])
        .arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/simulator/browser/"
        ))
        .env("SIMULATOR_URL", world.simulator.base_url())
        .env("API_KEY", API_KEY)
        .env("API_SECRET", API_SECRET)
        .stdin(Stdio::null());
    let run = tokio::task::spawn_blocking(move || node.output())
        .await
        .unwrap()
        .unwrap();
    let report = String::from_utf8_lossy(&run.stdout).into_owned();
    let faults = String::from_utf8_lossy(&run.stderr).into_owned();
    assert!(run.status.success(), "{report}\n{faults}");
    world.simulator.stop().await;
}
