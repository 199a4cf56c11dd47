//! What reaches both servers at once happens once.

use crate::world::{Signed, World, leg_event};

const ROUNDS: usize = 10;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ticket_shown_to_both_is_redeemed_once() {
    let world = World::new().await;
    let [a, b] = world.start_two();
    let visitor = a.visitor().await;
    for round in 0..ROUNDS {
        let call = a.call(&visitor).await;
        let question = |leg| world.question(&visitor, &call, &format!("{leg}-{round}"));
        let (at_a, at_b) = (question("one"), question("two"));
        let (first, second) = tokio::join!(a.connects(&at_a), b.connects(&at_b));
        assert!(first != second, "{round}: {first} and {second}");
    }
    let redeemed = "SELECT count(*) FROM calls WHERE leg IS NOT NULL";
    let redeemed = world.number(redeemed).await;
    assert_eq!(usize::try_from(redeemed).unwrap(), ROUNDS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_sent_to_both_is_kept_once() {
    let world = World::new().await;
    let [a, b] = world.start_two();
    for round in 0..ROUNDS {
        let event = leg_event(&format!("leg-{round}"), "near", "ringing");
        // The very same request, and one signed anew.
        let (same, anew) = (Signed::new(&event), Signed::new(&event));
        let path = "/webhooks/event";
        let told = tokio::join!(
            a.door.webhook(path, &same),
            b.door.webhook(path, &same),
            a.door.webhook(path, &anew),
            b.door.webhook(path, &anew)
        );
        for response in [told.0, told.1, told.2, told.3] {
            assert_eq!(response.unwrap().status(), 200);
        }
    }
    let kept = world.number("SELECT count(*) FROM events").await;
    assert_eq!(usize::try_from(kept).unwrap(), ROUNDS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hang_up_is_carried_out_once() {
    let world = World::new().await;
    let replicas = world.start_two();
    let visitor = replicas[0].visitor().await;
    let mut streams = Vec::new();
    for round in 0..ROUNDS {
        let (here, there) = (&replicas[round % 2], &replicas[(round + 1) % 2]);
        let call = here.call(&visitor).await;
        let leg = format!("leg-{round}");
        let question = world.question(&visitor, &call, &leg);
        assert!(there.connects(&question).await);
        // Asked for twice, as by two clicks.
        tokio::join!(
            here.hang_up(&visitor, &call),
            there.hang_up(&visitor, &call)
        );
        streams.push((leg, there.watch(&visitor, &call).await));
    }
    for (leg, mut stream) in streams {
        let reason = stream.until("ended").await;
        assert_eq!(reason.as_deref(), Some("cancelled"));
        assert_eq!(world.hangups(&leg).await, 1, "{leg}");
    }
}
