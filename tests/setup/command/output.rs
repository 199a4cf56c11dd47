//! How the program talks: a word while it waits.

use super::world::World;
use crate::account::{Stub, answer};

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
