//! One of two servers is killed: the other goes on with all that was acknowledged.

use std::time::Duration;

use reqwest::StatusCode;
use tokio::task::JoinSet;
use wiremock::ResponseTemplate;

use crate::world::{Permitted, Replica, Signed, Visitor, World, leg_event};

/// The steps of a call, after each of which the server that took them is killed.
const STEPS: usize = 6;

/// A call and how far it has come.
#[derive(Default)]
struct Story {
    visitor: Option<Visitor>,
    call: Option<Permitted>,
}

impl Story {
    async fn step(&mut self, number: usize, world: &World<'_>, at: &Replica) {
        match (number, &self.visitor, &self.call) {
            (0, ..) => self.visitor = Some(at.visitor().await),
            (1, Some(visitor), _) => self.call = Some(at.call(visitor).await),
            (2, Some(visitor), Some(call)) => {
                assert!(at.connects(&world.question(visitor, call, "near")).await);
            }
            (3, ..) => at.event(&leg_event("far", "near", "ringing")).await,
            (4, ..) => at.event(&leg_event("far", "near", "answered")).await,
            (5, Some(visitor), Some(call)) => at.hang_up(visitor, call).await,
            _ => panic!("step {number} comes too early"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_killed_after_any_step_is_missed_by_nobody() {
    for last in 0..STEPS {
        let world = World::new().await;
        let [killed, survivor] = world.start_two();
        let mut story = Story::default();
        for step in 0..=last {
            story.step(step, &world, &killed).await;
        }
        killed.kill();
        for step in last + 1..STEPS {
            story.step(step, &world, &survivor).await;
        }
        world.end_leases_of("one").await;
        let (visitor, call) = (story.visitor.unwrap(), story.call.unwrap());
        let mut stream = survivor.watch(&visitor, &call).await;
        stream.until("ended").await;
        // Killed between asking Vonage and writing down the answer, it is asked again.
        let hangups = world.hangups("near").await;
        let most = if last == STEPS - 1 { 2 } else { 1 };
        assert!((1..=most).contains(&hangups), "{last}: {hangups}");
        let events = world.number("SELECT count(*) FROM events WHERE kind = 'status'");
        assert_eq!(events.await, 2, "after step {last}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hang_up_that_a_killed_server_was_at_is_done_by_the_other() {
    let world = World::new().await;
    let never = ResponseTemplate::new(204).set_delay(Duration::from_mins(1));
    world
        .vonage
        .mount_times(1, "PUT", "/v1/calls/near", never)
        .await;
    let killed = world.start("one");
    let mut story = Story::default();
    for step in 0..STEPS {
        story.step(step, &world, &killed).await;
    }
    world.vonage.wait_for("PUT", "/v1/calls/near").await;
    killed.kill();
    let survivor = world.start("two");
    world.end_leases_of("one").await;
    let (visitor, call) = (story.visitor.unwrap(), story.call.unwrap());
    let mut stream = survivor.watch(&visitor, &call).await;
    stream.until("ended").await;
    assert_eq!(world.hangups("near").await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_killed_under_load_loses_and_doubles_no_event() {
    const SENDERS: usize = 16;
    const EACH: usize = 40;
    let world = World::new().await;
    let [killed, survivor] = world.start_two();
    let (told, mut heard) = tokio::sync::mpsc::unbounded_channel();
    let mut senders = JoinSet::new();
    for sender in 0..SENDERS {
        let doors = [killed.door.clone(), survivor.door.clone()];
        let told = told.clone();
        senders.spawn(async move {
            let mut turn = sender;
            for number in 0..EACH {
                let event = leg_event(&format!("leg-{sender}-{number}"), "near", "ringing");
                // To one of them, and when it is gone to the other.
                loop {
                    let signed = Signed::new(&event);
                    let response = doors[turn % 2].webhook("/webhooks/event", &signed).await;
                    turn += 1;
                    match response {
                        Ok(response) => {
                            assert_eq!(response.status(), StatusCode::OK);
                            break;
                        }
                        Err(error) => assert!(!error.is_timeout(), "{error}"),
                    }
                }
                told.send(()).unwrap();
            }
        });
    }
    for _ in 0..SENDERS * EACH / 3 {
        heard.recv().await.unwrap();
    }
    killed.kill();
    senders.join_all().await;
    let kept = world.number("SELECT count(*) FROM events").await;
    assert_eq!(usize::try_from(kept).unwrap(), SENDERS * EACH);
}
