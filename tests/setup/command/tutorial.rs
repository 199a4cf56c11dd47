//! From an empty folder to a telephone that rings.

use std::{
    io::{BufRead as _, BufReader},
    net::TcpListener,
    process::Child,
};

use serde_json::Value;

use super::{
    place::Place,
    world::{CHEAPEST, DESK, SIGNATURE_SECRET, World},
};

/// The service; ended with the test.
pub(super) struct Service(Child);

impl Service {
    /// Starts `serve` and waits until it listens.
    pub(super) async fn start(place: &Place, args: &[&str]) -> Self {
        let mut child = place.spawn(args);
        let out = child.stdout.take().unwrap();
        let log = tokio::task::spawn_blocking(move || {
            let mut log = String::new();
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                log.push_str(&line);
                if line.contains("listening on") {
                    return Ok(());
                }
            }
            Err(log)
        });
        log.await.unwrap().unwrap();
        Self(child)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_one_setup_the_telephone_rings() {
    let world = World::start().await;
    let mut place = world.place();
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let public_url = format!("http://127.0.0.1:{port}");
    let args = [
        "setup",
        "--country",
        "GB",
        "--destination",
        DESK,
        "--phone-line",
        "--public-url",
        &public_url,
    ];
    place
        .run_with_input(&args, &format!("2\ny\n{SIGNATURE_SECRET}\n"))
        .await
        .done()
        .says(&format!("open {public_url}/ and press Call"));

    // The service needs nothing of what setup was told by variables, but for where this Vonage is.
    place.variables.remove("VONAGE_API_KEY");
    place.variables.remove("VONAGE_API_SECRET");
    place.set("PORT", &port.to_string());
    let _service = Service::start(&place, &["serve"]).await;

    // A visitor gets a token, so key, application and user go together.
    let http = reqwest::Client::builder().build().unwrap();
    let session = http.post(format!("{public_url}/api/sessions"));
    let session = session.header("Origin", &public_url).send().await.unwrap();
    assert_eq!(session.status(), 201);
    let session: Value = session.json().await.unwrap();
    assert!(session["token"].is_string());

    // A call: Vonage asks the answer address with a signature, and the desk picks up.
    world.dial_in(CHEAPEST).await;
    world
        .state("the desk answers", |state| {
            let legs = state["legs"].as_array()?;
            legs.iter()
                .find(|leg| leg["to"] == DESK && leg["status"] == "answered")
                .map(|_leg| ())
        })
        .await;
}
