//! The service as operations run it.

use serde_json::Value;

use crate::{
    place::{Place, private_key},
    service::Service,
};

#[test]
fn the_start_names_the_addresses_that_vonage_needs() {
    let mut service = Service::start(&Place::ready());
    service.wait_for("/webhooks/event");
    for address in [
        "/",
        "/webhooks/answer",
        "/webhooks/fallback",
        "/webhooks/event",
    ] {
        assert!(
            service
                .log
                .contains(&format!("https://calls.example.com{address}")),
            "{}",
            service.log
        );
    }
}

#[test]
fn both_signals_stop_it_in_order() {
    for signal in ["-TERM", "-INT"] {
        let mut service = Service::start(&Place::ready());
        service.signal(signal);
        assert_eq!(service.end(), Some(0), "{signal}: {}", service.log);
        assert!(service.log.contains("stopped"), "{}", service.log);
    }
}

#[test]
fn no_command_means_serve() {
    let place = Place::empty();
    place.run(&[]).failed().says("VONAGE_APPLICATION_ID");
}

#[test]
fn a_second_service_on_the_same_store_is_refused_and_commands_are_not() {
    let mut place = Place::ready();
    let _service = Service::start(&place);
    place.set("PORT", "0");
    place.run(&["serve"]).failed().says("click-to-call.db");
    place.run(&["config", "check"]).done();
}

#[test]
fn a_taken_port_is_named() {
    let first = Place::ready();
    let service = Service::start(&first);
    let mut second = Place::ready();
    second.set("PORT", service.url.rsplit(':').next().unwrap());
    second
        .run(&["serve"])
        .failed()
        .says("cannot listen on 127.0.0.1")
        .says("PORT");
}

#[test]
fn a_taken_port_of_the_metrics_is_named() {
    let first = Place::ready();
    let service = Service::start(&first);
    let mut second = Place::ready();
    second.set("PORT", "0");
    let taken = service.url.rsplit(':').next().unwrap();
    second.set("CLICK_TO_CALL__METRICS__PORT", taken);
    second
        .run(&["serve"])
        .failed()
        .says("for the metrics")
        .says("metrics.port");
}

#[test]
fn the_health_check_asks_the_running_service() {
    let mut place = Place::ready();
    let service = Service::start(&place);
    place.set("PORT", service.url.rsplit(':').next().unwrap());
    let run = place.run(&["healthcheck"]).done();
    assert_eq!(run.out, "ready\n");
    service.kill();
    place.run(&["healthcheck"]).failed().says("nothing listens");
}

#[test]
fn a_new_key_file_is_read_on_hangup_and_a_bad_one_is_not_used() {
    let place = Place::ready();
    let mut service = Service::start(&place);
    place.write_key(&place.openssl("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048"));
    service.signal("-HUP");
    service.wait_for("signing with the key");
    place.write_key("-----BEGIN PRIVATE KEY-----\nbroken\n-----END PRIVATE KEY-----\n");
    service.signal("-HUP");
    let line = service.wait_for("kept the old key");
    assert!(line.contains("private.key"), "{line}");
    place.write_key(private_key());
    service.signal("-HUP");
    service.wait_for("signing with the key");
}

#[test]
fn the_fallback_that_is_printed_is_a_sentence() {
    let run = Place::ready().run(&["fallback-ncco"]).done();
    let ncco: Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(ncco[0]["action"], "talk");
    assert!(!run.out.contains("447700900"), "{}", run.out);
}

#[tokio::test]
async fn the_log_has_no_secret_no_query_and_no_number() {
    let mut place = Place::ready();
    place.set("RUST_LOG", "trace");
    place.set("SESSION_SECRET", "a-session-secret-that-nobody-should-see");
    let mut service = Service::start(&place);
    let http = reqwest::Client::builder().build().unwrap();
    for path in [
        "/?q=canary-query",
        "/auth/canary-user",
        "/webhooks/answer?from=447700900111&uuid=1",
    ] {
        let request = http
            .get(format!("{}{path}", service.url))
            .bearer_auth("canary-bearer");
        request
            .header("cookie", "click-to-call=canary-cookie")
            .send()
            .await
            .unwrap();
    }
    let event = r#"{"from":"447700900111","to":"447700900000","canary":"canary-body"}"#;
    let request = http
        .post(format!("{}/webhooks/event", service.url))
        .body(event);
    request
        .header("authorization", "Bearer canary.signature.canary")
        .send()
        .await
        .unwrap();
    service.signal("-TERM");
    assert_eq!(service.end(), Some(0));
    assert!(
        service.log.contains("/webhooks/event"),
        "routes are logged: {}",
        service.log
    );
    let key_line = private_key().lines().nth(3).unwrap();
    for secret in [
        "canary",
        "447700900",
        "a-session-secret",
        "a-signature-secret",
        key_line,
    ] {
        assert!(
            !service.log.contains(secret),
            "{secret} is in the log:\n{}",
            service.log
        );
    }
}
