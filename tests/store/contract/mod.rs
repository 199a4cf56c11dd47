//! What every store promises, as functions over any of them.

pub(crate) mod calls;
pub(crate) mod events;
pub(crate) mod hangups;
pub(crate) mod lifecycle;
pub(crate) mod ready_users;
pub(crate) mod retention;
pub(crate) mod tickets;
pub(crate) mod visitors;

use click_to_call::domain::{
    call::Call,
    store::{Redeemed, Redemption, Store},
};

use crate::records::{call, redemption};

/// One test per promise. `$open` makes a new store and what must outlive it: `async fn() -> (Arc<dyn Store>, _)`.
///
/// A promise that is missing here is dead code, which the lints refuse.
macro_rules! test_contract {
    ($open:path) => {
        $crate::contract::test_contract! { $open;
            calls: [
                call_is_read_back_as_kept,
                same_call_is_kept_once,
                call_of_a_forgotten_visitor_is_kept_without_them,
                opened_call_has_its_leg,
                leg_opens_one_call,
                forged_request_opens_nothing,
                open_calls_are_listed_oldest_first,
                open_calls_of_one_moment_are_listed_each_once,
                closing_is_final,
                missing_call_is_no_fault,
            ]
            events: [
                event_is_kept_once,
                same_leg_status_and_timestamp_is_the_same_event,
                events_without_full_identity_differ_by_their_bytes,
                same_signed_request_is_a_repeat,
                forged_event_is_not_kept,
                repeated_event_still_uses_up_its_token,
                event_belongs_to_the_call_of_its_leg,
                event_belongs_to_the_call_of_its_conversation,
                events_before_their_call_are_listed_with_it,
                event_without_any_id_is_kept,
                events_are_listed_in_order_of_arrival,
                thousand_concurrent_events_are_all_kept,
                concurrent_copies_of_an_event_are_kept_once,
            ]
            hangups: [
                hangup_comes_due,
                earliest_due_time_wins,
                due_hangups_are_bounded_and_in_order,
                returning_visitor_takes_the_hangup_back,
                due_hangup_can_not_be_taken_back,
                attempted_hangup_can_not_be_taken_back,
                attempts_are_counted,
                settled_hangup_is_final,
                hangup_that_is_not_due_is_not_settled,
                closed_call_is_not_hung_up,
                void_spares_a_redeemed_ticket,
                due_hangup_without_a_leg_voids_the_ticket,
                settled_hangup_without_a_leg_voids_the_ticket,
                leg_of_a_void_ticket_is_hung_up,
                missing_call_is_no_fault,
            ]
            lifecycle: [
                ping_works_until_closed,
                first_secret_stays,
                cancelled_callers_lose_nothing,
                closed_store_refuses,
            ]
            ready_users: [
                ready_user_is_taken_once,
                first_to_end_is_taken_first,
                user_that_ends_too_early_is_not_taken,
                user_that_lives_elsewhere_is_not_taken,
                stale_ready_users_are_dropped_and_handed_out,
                many_takers_get_different_users,
            ]
            retention: [
                old_is_swept_and_new_stays,
                sweep_is_bounded,
                swept_token_is_forgotten,
            ]
            tickets: [
                first_leg_redeems,
                retry_of_the_leg_is_the_same_redemption,
                second_leg_is_refused,
                ticket_expires,
                retry_after_expiry_still_holds_the_ticket,
                unknown_call_has_no_ticket,
                leg_redeems_one_ticket,
                forged_redemption_changes_nothing,
                void_ticket_notes_the_leg,
                void_wins_over_expiry,
                exactly_one_of_many_legs_redeems,
                void_and_redemption_exclude_each_other,
            ]
            visitors: [
                visitor_is_found_until_the_end,
                shared_user_is_read_back,
                same_visitor_is_kept_once,
                renewal_moves_the_end_only_forward,
            first_of_two_renewals_wins,
                expired_visitors_are_listed_longest_first,
                forgotten_visitor_leaves_their_calls,
                missing_visitor_is_no_fault,
            ]
        }
    };
    ($open:path; $($area:ident: [$($promise:ident,)*])*) => {
        $(mod $area {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $promise() {
                    let (store, _kept) = $open().await;
                    $crate::contract::$area::$promise(&store).await;
                    store.close().await;
                }
            )*
        })*
    };
}
pub(crate) use test_contract;

/// Keeps a new call and redeems its ticket.
async fn redeemed_call(store: &dyn Store) -> (Call, Redemption) {
    let call = call();
    store.insert_call(&call).await.unwrap();
    let redemption = redemption(&call);
    let redeemed = store.redeem_ticket(&redemption).await.unwrap();
    let Redeemed::Yes(call) = redeemed else {
        panic!("a fresh ticket was not redeemed: {redeemed:?}");
    };
    (call, redemption)
}
