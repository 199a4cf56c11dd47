//! Which number `setup` takes, and that it buys none without consent.

use click_to_call::simulator::SeededNumber;

use super::{
    place::setup,
    world::{CHEAPEST, DEARER, SIGNATURE_SECRET, World, number},
};

#[tokio::test]
async fn nothing_is_bought_without_consent() {
    let world = World::start().await;
    let place = world.place();
    place
        .run_with_input(&setup(&["--country", "GB"]), "n\n1\nn\n")
        .await
        .failed()
        .says("nothing was bought");
    assert!(world.owned_numbers().await.is_empty());
    // Nobody to ask, and no country named.
    place
        .run(&setup(&["--yes"]))
        .await
        .failed()
        .says("say --country to buy its cheapest");
    place
        .run(&setup(&[]))
        .await
        .failed()
        .says("there is nobody to ask");
    assert!(world.owned_numbers().await.is_empty());
}

#[tokio::test]
async fn a_price_that_is_not_told_is_not_agreed_to_beforehand() {
    let world = World::with(vec![number(CHEAPEST, "")], Vec::new()).await;
    let place = world.place();
    place
        .run(&setup(&["--yes", "--country", "GB"]))
        .await
        .failed()
        .says("Vonage does not say what 442079460001 (GB, landline) costs");
    assert!(world.owned_numbers().await.is_empty());
}

#[tokio::test]
async fn a_number_that_is_named_is_the_one_that_is_used() {
    let world = World::start().await;
    let mut place = world.place();
    place.set("VONAGE_SIGNATURE_SECRET", SIGNATURE_SECRET);
    let named = ["--yes", "--number", DEARER];
    place
        .run(&setup(&named))
        .await
        .failed()
        .says("say --country as well");
    let to_buy = [&named[..], &["--country", "GB"]].concat();
    place.run(&setup(&to_buy)).await.done();
    assert_eq!(world.owned_numbers().await[0]["msisdn"], DEARER);
}

#[tokio::test]
async fn of_several_free_numbers_none_is_guessed() {
    let mine = |msisdn| SeededNumber {
        owned: true,
        ..number(msisdn, "1.00")
    };
    let world = World::with(vec![mine(DEARER), mine(CHEAPEST)], Vec::new()).await;
    let mut place = world.place();
    place.set("VONAGE_SIGNATURE_SECRET", SIGNATURE_SECRET);
    place
        .run(&setup(&["--yes", "--country", "GB"]))
        .await
        .failed()
        .says("several free numbers; choose one with --number");
    for owned in world.owned_numbers().await {
        assert!(owned["app_id"].is_null(), "{owned}");
    }
}

#[tokio::test]
async fn the_cheapest_is_that_of_all_that_are_listed_and_of_both_prices() {
    let priced = |msisdn: &str, once: &str| SeededNumber {
        initial_price: Some(once.to_owned()),
        ..number(msisdn, "1.00")
    };
    let mut numbers: Vec<_> = (10..30)
        .map(|end| number(&format!("4420794600{end}"), "2.00"))
        .collect();
    numbers.extend([
        priced("442079460040", "5.00"),
        priced("442079460041", "0.50"),
    ]);
    let world = World::with(numbers, Vec::new()).await;
    let mut place = world.place();
    place.set("VONAGE_SIGNATURE_SECRET", SIGNATURE_SECRET);
    place
        .run(&setup(&["--yes", "--country", "GB"]))
        .await
        .done();
    assert_eq!(world.owned_numbers().await[0]["msisdn"], "442079460041");
}

#[tokio::test]
async fn a_free_number_is_taken_before_one_is_bought() {
    let mut mine = number(DEARER, "1.25");
    mine.owned = true;
    let world = World::with(vec![mine, number(CHEAPEST, "1.00")], Vec::new()).await;
    let mut place = world.place();
    place.set("VONAGE_SIGNATURE_SECRET", SIGNATURE_SECRET);
    place
        .run(&setup(&["--yes", "--country", "GB"]))
        .await
        .done();
    let owned = world.owned_numbers().await;
    assert_eq!(owned.len(), 1);
    assert_eq!(owned[0]["msisdn"], DEARER);
}
