use std::collections::BTreeMap;

use click_to_call::vonage::account::numbers::{Number, NumberQuery};
use serde_json::json;

use super::{APPLICATION, Stub, fixture};

fn query() -> NumberQuery {
    NumberQuery {
        country: "GB".to_owned(),
        kind: Some("landline".to_owned()),
        pattern: Some("2039".to_owned()),
        size: 5,
    }
}

#[tokio::test]
async fn numbers_for_sale_have_prices() {
    let stub = Stub::start().await;
    stub.answer("GET", "/number/search", 200, "numbers/search-200.json")
        .await;
    let found = stub.client().search_numbers(&query()).await.unwrap();
    let shown: Vec<_> = found.iter().map(|n| (n.to_string(), n.price())).collect();
    assert_eq!(
        shown,
        [
            (
                "442039050911 (GB, landline)".to_owned(),
                "EUR 1.00 a month".to_owned()
            ),
            (
                "447700900000 (GB, mobile-lvn)".to_owned(),
                "EUR 1.25 a month".to_owned()
            ),
        ]
    );
    let asked = stub.requests().await[0].url.query().unwrap().to_owned();
    assert_eq!(
        asked,
        "country=GB&features=VOICE&size=5&type=landline&pattern=2039&search_pattern=1"
    );
}

#[test]
fn prices_come_as_text_or_number_or_not_at_all() {
    let number = |cost, once| -> Number {
        let mut number = fixture("numbers/search-200.json")["numbers"][0].clone();
        number["cost"] = cost;
        number["initialPrice"] = once;
        serde_json::from_value(number).unwrap()
    };
    assert_eq!(
        number(json!(1.5), json!("2.00")).price(),
        "EUR 1.5 a month and EUR 2.00 once"
    );
    assert_eq!(
        number(json!("0.90"), json!(null)).price(),
        "EUR 0.90 a month"
    );
    assert_eq!(number(json!(null), json!(null)).price(), "");
}

#[tokio::test]
async fn an_account_without_numbers_has_none() {
    for empty in [
        "numbers/owned-200-empty-object.json",
        "numbers/owned-200-count-zero.json",
    ] {
        let stub = Stub::start().await;
        stub.answer("GET", "/account/numbers", 200, empty).await;
        assert_eq!(stub.client().owned_numbers().await.unwrap(), []);
    }
}

#[tokio::test]
async fn owned_numbers_are_kept_whole() {
    let stub = Stub::start().await;
    stub.answer("GET", "/account/numbers", 200, "numbers/owned-200.json")
        .await;
    let owned = stub.client().owned_numbers().await.unwrap();
    assert_eq!(json!(owned), fixture("numbers/owned-200.json")["numbers"]);
    assert!(!owned[0].has_voice());
    assert!(owned[1].has_voice());
    assert_eq!(owned[1].app_id.as_deref(), Some(APPLICATION));
    assert_eq!(owned[1].diversion(), None);
}

#[tokio::test]
async fn linking_keeps_where_messages_go() {
    let stub = Stub::start().await;
    stub.answer(
        "POST",
        "/number/update",
        200,
        "numbers/buy-update-cancel-200.json",
    )
    .await;
    let mut number = fixture("numbers/owned-200.json")["numbers"][1].clone();
    number["moHttpUrl"] = json!("https://owner.example/sms");
    number["voiceCallbackType"] = json!("sip");
    number["voiceCallbackValue"] = json!("sip:desk@owner.example");
    let number: Number = serde_json::from_value(number).unwrap();
    assert_eq!(number.diversion(), Some(("sip", "sip:desk@owner.example")));
    stub.client()
        .link_number(&number, APPLICATION)
        .await
        .unwrap();

    let request = stub.requests().await.remove(0);
    let sent: BTreeMap<String, String> = url::form_urlencoded::parse(&request.body)
        .into_owned()
        .collect();
    let expected = [
        ("app_id", APPLICATION),
        ("country", "GB"),
        ("moHttpUrl", "https://owner.example/sms"),
        ("msisdn", "447700900000"),
    ];
    assert_eq!(
        sent,
        expected.map(|(k, v)| (k.to_owned(), v.to_owned())).into()
    );
    // The secret is in the header, where no log has it.
    assert_eq!(request.url.query(), None);
    assert!(
        request.headers["authorization"]
            .to_str()
            .unwrap()
            .starts_with("Basic ")
    );
}

#[tokio::test]
async fn the_balance_is_in_euros() {
    let stub = Stub::start().await;
    stub.answer(
        "GET",
        "/account/get-balance",
        200,
        "account/balance-200.json",
    )
    .await;
    let balance = stub.client().balance().await.unwrap();
    assert_eq!(json!(balance), fixture("account/balance-200.json"));
}
