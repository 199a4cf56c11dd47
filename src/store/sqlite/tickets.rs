//! Redeeming a ticket. One writer applies one redemption after the other, so what is read here stays true.

use rusqlite::{Connection, params};

use super::{
    calls,
    columns::millis,
    sql::{execute, value},
    webhook_ids,
    writer::Write,
};
use crate::{
    domain::{
        ids::ConversationId,
        store::{Redeemed, Redemption, StoreError},
    },
    store::Seen,
};

const REDEEM: &str =
    "UPDATE calls SET redeemed_at = ?2, leg = ?3, conversation = ?4, region_url = ?5 WHERE id = ?1";

/// One that was tried and put off had been due before.
const IS_HUNG_UP: &str = "
    SELECT hung_up_at IS NOT NULL
        OR coalesce(hangup_due_at <= ?2 OR hangup_attempts > 0 AND hangup_due_at IS NOT NULL, 0)
    FROM calls WHERE id = ?1";

/// The leg came too late: it is to be hung up at once, counted from its first attempt.
const NOTE_LEG: &str = "
    UPDATE calls
    SET leg = ?3, conversation = ?4, region_url = ?5,
        hangup_due_at = min(coalesce(hangup_due_at, ?2), ?2), hangup_attempts = 0
    WHERE id = ?1";

impl Write for Redemption {
    type Output = Redeemed;

    fn apply(&self, connection: &Connection) -> Result<Redeemed, StoreError> {
        let seen = webhook_ids::note(connection, self.replay.as_ref())?;
        if seen == Seen::WithOtherContent {
            return Ok(Redeemed::Replayed);
        }
        let Some(call) = calls::find(connection, self.call)? else {
            return Ok(Redeemed::Unknown);
        };
        let voided = call.voided_at.is_some();
        match &call.leg {
            Some(leg) if *leg != self.leg => return Ok(Redeemed::ByAnotherLeg),
            Some(_) if voided || self.is_hung_up(connection)? => {
                return Ok(Redeemed::HungUp(call));
            }
            Some(_) => return Ok(Redeemed::Yes(call)),
            None => {}
        }
        if calls::find_by_leg(connection, &self.leg)?.is_some() {
            return Ok(Redeemed::ByAnotherLeg);
        }
        if !voided && millis(self.at) >= millis(call.ticket_expires_at) {
            return Ok(Redeemed::Expired);
        }
        execute(
            connection,
            if voided { NOTE_LEG } else { REDEEM },
            params![
                self.call.0,
                millis(self.at),
                self.leg.as_str(),
                self.conversation.as_ref().map(ConversationId::as_str),
                self.region_url,
            ],
        )?;
        let call = calls::find(connection, self.call)?;
        Ok(match call {
            Some(call) if voided => Redeemed::HungUp(call),
            Some(call) => Redeemed::Yes(call),
            None => Redeemed::Unknown,
        })
    }
}

impl Redemption {
    /// Whether the visitor has hung up: a retry of Vonage's must not put through whom we are about to end.
    fn is_hung_up(&self, connection: &Connection) -> rusqlite::Result<bool> {
        value(
            connection,
            IS_HUNG_UP,
            params![self.call.0, millis(self.at)],
        )
    }
}
