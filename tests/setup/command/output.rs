//! How the program talks: colours where they are seen, and a word while it waits.

use super::{place::setup, world::World};
use crate::account::{Stub, answer};

#[tokio::test]
async fn colours_are_for_terminals_alone() {
    let world = World::start().await;
    let mut place = world.place();
    let dry = setup(&["--yes", "--country", "GB", "--dry-run"]);
    let doctor = ["doctor"];
    for args in [&dry[..], &doctor] {
        let piped = place.run(args).await.said();
        assert!(!piped.contains('\u{1b}'), "{piped}");
    }
    place.set("CLICOLOR_FORCE", "1");
    place
        .run(&dry)
        .await
        .says("\u{1b}[2malready there\u{1b}[0m  account abcd1234");
    place
        .run(&doctor)
        .await
        .failed()
        .says("\u{1b}[1m\u{1b}[31mfailed  \u{1b}[0m settings");
    place
        .run(&["numbers", "cancel", "442079460001", "--yes"])
        .await
        .failed()
        .says("\u{1b}[1m\u{1b}[31merror:\u{1b}[0m 442079460001 is not one of");
    let json = place.run(&["doctor", "--json"]).await.said();
    assert!(!json.contains('\u{1b}'), "{json}");

    place.set("NO_COLOR", "1");
    for args in [&dry[..], &doctor] {
        let said = place.run(args).await.said();
        assert!(!said.contains('\u{1b}'), "{said}");
    }
}

#[tokio::test]
async fn a_long_pause_is_told() {
    let stub = Stub::start().await;
    let busy = answer(429, "common/error-429.json").insert_header("Retry-After", "2");
    stub.mount("GET", "/account/get-balance", busy, 1).await;
    stub.answer(
        "GET",
        "/account/get-balance",
        200,
        "account/balance-200.json",
    )
    .await;
    let url = stub.url().origin().ascii_serialization();
    let run = World::place_at(&url).run(&["balance"]).await.done();
    assert_eq!(
        run.err,
        "Vonage takes no more requests for now: waiting 2 s, then trying again to ask for the balance ...\n"
    );
}
