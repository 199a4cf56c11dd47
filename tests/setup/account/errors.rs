//! Every error that Vonage's REST side is known to give becomes a sentence that a beginner can act on.

use click_to_call::vonage::account::Cause;
use wiremock::ResponseTemplate;

use super::{APPLICATION, Stub, answer, fixture};

/// What is said when Vonage answers so to the reading of an application.
async fn said(status: u16, name: &str) -> String {
    let stub = Stub::start().await;
    stub.answer("GET", "/v2/applications/.*", status, name)
        .await;
    let error = stub.client().application(APPLICATION).await.unwrap_err();
    error.to_string()
}

#[tokio::test]
async fn each_error_of_the_applications_api_is_a_sentence() {
    for (status, name, sentence) in [
        (
            400,
            "applications/error-400.json",
            "Vonage finds fault with it: capabilities.voice.webhooks.answer_url.http_method must be one of: GET, POST",
        ),
        (
            401,
            "applications/error-401.json",
            "VONAGE_API_KEY and VONAGE_API_SECRET from the dashboard",
        ),
        (
            401,
            "common/error-401.json",
            "VONAGE_API_KEY and VONAGE_API_SECRET from the dashboard",
        ),
        (
            403,
            "common/error-403.json",
            "Your account does not have permission to perform this action",
        ),
        (
            404,
            "applications/error-404.json",
            "ID 'ABC123' does not exist, or you do not have access",
        ),
    ] {
        let said = said(status, name).await;
        assert!(
            said.starts_with(&format!("could not read the application {APPLICATION}: ")),
            "{said}"
        );
        assert!(said.contains(sentence), "{said}");
        assert!(!said.contains("canary"), "{said}");
    }
}

#[tokio::test]
async fn a_fault_of_vonages_is_tried_again_and_then_told() {
    let stub = Stub::start().await;
    stub.answer("GET", "/v2/applications/.*", 500, "common/error-500.json")
        .await;
    let error = stub.client().application(APPLICATION).await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("Vonage has a fault of its own (it answers 500), nothing is wrong here")
    );
    assert_eq!(stub.requests().await.len(), 4);

    let stub = Stub::start().await;
    stub.mount(
        "GET",
        "/v2/applications/.*",
        answer(500, "common/error-500.json"),
        1,
    )
    .await;
    stub.answer(
        "GET",
        "/v2/applications/.*",
        200,
        "applications/get-200.json",
    )
    .await;
    stub.client().application(APPLICATION).await.unwrap();
}

#[tokio::test]
async fn a_pause_that_vonage_asks_for_is_made_unless_it_is_long() {
    let stub = Stub::start().await;
    let soon = answer(429, "common/error-429.json").insert_header("Retry-After", "1");
    stub.mount("GET", "/v2/applications/.*", soon, 1).await;
    stub.answer(
        "GET",
        "/v2/applications/.*",
        200,
        "applications/get-200.json",
    )
    .await;
    let begun = std::time::Instant::now();
    stub.client().application(APPLICATION).await.unwrap();
    assert!(begun.elapsed().as_secs() >= 1);

    let stub = Stub::start().await;
    let late = answer(429, "common/error-429.json").insert_header("Retry-After", "3600");
    stub.mount("GET", "/v2/applications/.*", late, u64::MAX)
        .await;
    let error = stub.client().application(APPLICATION).await.unwrap_err();
    assert!(error.to_string().contains("wait 3600 seconds"), "{error}");
    assert_eq!(stub.requests().await.len(), 1);
}

#[tokio::test]
async fn nothing_that_may_have_been_done_is_done_twice() {
    let stub = Stub::start().await;
    stub.answer("POST", "/number/buy", 500, "common/error-500.json")
        .await;
    let error = stub
        .client()
        .buy_number("GB", "442039050911")
        .await
        .unwrap_err();
    assert!(matches!(error.cause, Cause::InDoubt { .. }), "{error}");
    assert!(
        error
            .to_string()
            .contains("may have been done all the same"),
        "{error}"
    );
    assert_eq!(stub.requests().await.len(), 1);
}

#[tokio::test]
async fn an_order_that_was_not_taken_is_tried_again() {
    let stub = Stub::start().await;
    stub.mount(
        "POST",
        "/number/buy",
        answer(429, "common/error-429.json"),
        1,
    )
    .await;
    stub.answer(
        "POST",
        "/number/buy",
        200,
        "numbers/buy-update-cancel-200.json",
    )
    .await;
    stub.client()
        .buy_number("GB", "442039050911")
        .await
        .unwrap();
    assert_eq!(stub.requests().await.len(), 2);
}

#[tokio::test]
async fn each_error_of_the_numbers_api_is_a_sentence() {
    let stub = Stub::start().await;
    stub.answer("GET", "/account/numbers", 401, "numbers/error-401.json")
        .await;
    let error = stub.client().owned_numbers().await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("does not accept the API key and secret"),
        "{error}"
    );

    stub.answer("POST", "/number/.*", 420, "numbers/error-420.json")
        .await;
    let client = stub.client();
    let buying = client.buy_number("GB", "442039050911").await.unwrap_err();
    assert!(
        buying
            .to_string()
            .contains("wants an address or papers first"),
        "{buying}"
    );
    let cancelling = client
        .cancel_number("GB", "442039050911")
        .await
        .unwrap_err();
    assert!(
        cancelling
            .to_string()
            .contains("`click-to-call numbers list`"),
        "{cancelling}"
    );
}

#[tokio::test]
async fn a_label_with_status_200_is_an_error_too() {
    let stub = Stub::start().await;
    stub.answer("POST", "/number/buy", 200, "numbers/error-420.json")
        .await;
    let error = stub
        .client()
        .buy_number("GB", "442039050911")
        .await
        .unwrap_err();
    assert!(error.to_string().contains("420 method failed"), "{error}");
}

#[tokio::test]
async fn low_credit_is_told_apart() {
    let stub = Stub::start().await;
    let mut body = fixture("common/error-403.json");
    body["type"] = "https://developer.vonage.com/api-errors#low-balance".into();
    let poor = ResponseTemplate::new(402).set_body_json(body);
    stub.mount("GET", "/account/get-balance", poor, u64::MAX)
        .await;
    let error = stub.client().balance().await.unwrap_err();
    assert!(error.to_string().contains("too little credit"), "{error}");
}

#[tokio::test]
async fn something_that_is_not_vonage_is_recognised() {
    for strange in [
        ResponseTemplate::new(200).set_body_string("<html>Welcome to the hotel's network</html>"),
        ResponseTemplate::new(302).insert_header("Location", "http://127.0.0.1:1/stolen"),
        ResponseTemplate::new(200).set_body_json(serde_json::json!({ "ok": true })),
    ] {
        let stub = Stub::start().await;
        stub.mount("GET", "/.*", strange, u64::MAX).await;
        let error = stub.client().application(APPLICATION).await.unwrap_err();
        assert!(
            error
                .to_string()
                .contains("answers something else than Vonage does"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_host_that_is_not_there_is_named() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = url::Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    drop(listener);
    let client = click_to_call::vonage::account::AccountClient::new(
        "abcd1234".to_owned(),
        "canary-secret".into(),
        &url,
        url.clone(),
    );
    let error = client.unwrap().balance().await.unwrap_err();
    let said = error.to_string();
    let host = url.origin().ascii_serialization();
    assert!(said.contains(&format!("{host} can't be reached")), "{said}");
    assert!(!said.contains("canary"), "{said}");
}
