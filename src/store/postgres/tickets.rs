//! Redeeming a ticket. The call's row is locked, so what is read here stays true until the commit, on every server.

use async_trait::async_trait;
use sqlx::{Connection, PgConnection, Row, query};

use super::{
    calls,
    columns::{millis, text},
    database::Operation,
    fault::Fault,
    webhook_ids,
};
use crate::{
    domain::{
        ids::ConversationId,
        store::{Redeemed, Redemption},
    },
    store::Seen,
};

/// A hang-up that was tried and put off had been due before.
const FIND: &str = "
    SELECT *, hung_up_at IS NOT NULL
        OR coalesce(hangup_due_at <= $2 OR hangup_attempts > 0 AND hangup_due_at IS NOT NULL, false) AS is_hung_up
    FROM calls WHERE id = $1
    FOR UPDATE";

const REDEEM: &str = "
    UPDATE calls SET redeemed_at = $2, leg = $3, conversation = $4, region_url = $5
    WHERE id = $1
    RETURNING *, pg_notify('click_to_call_changes', id::text)";

/// The leg came too late: it is to be hung up at once, counted from its first attempt.
const NOTE_LEG: &str = "
    UPDATE calls
    SET leg = $3, conversation = $4, region_url = $5,
        hangup_due_at = least(hangup_due_at, $2), hangup_attempts = 0
    WHERE id = $1
    RETURNING *, pg_notify('click_to_call_changes', id::text)";

#[async_trait]
impl Operation for Redemption {
    type Output = Redeemed;

    /// Of two servers that give one leg two tickets the second breaks the leg's uniqueness, begins anew, and sees it.
    async fn run(&self, connection: &mut PgConnection) -> Result<Redeemed, Fault> {
        let mut transaction = connection.begin().await?;
        let redeemed = self.decide(&mut transaction).await?;
        transaction.commit().await?;
        Ok(redeemed)
    }
}

impl Redemption {
    async fn decide(&self, connection: &mut PgConnection) -> Result<Redeemed, Fault> {
        let seen = webhook_ids::note(connection, self.replay.as_ref()).await?;
        if seen == Seen::WithOtherContent {
            return Ok(Redeemed::Replayed);
        }
        let found = query(FIND)
            .bind(self.call.0)
            .bind(millis(self.at))
            .fetch_optional(&mut *connection)
            .await?;
        let Some(row) = found else {
            return Ok(Redeemed::Unknown);
        };
        let call = calls::call(&row)?;
        let voided = call.voided_at.is_some();
        match &call.leg {
            Some(leg) if *leg != self.leg => return Ok(Redeemed::ByAnotherLeg),
            Some(_) if voided || row.try_get("is_hung_up")? => return Ok(Redeemed::HungUp(call)),
            Some(_) => return Ok(Redeemed::Yes(call)),
            None => {}
        }
        let of_leg = calls::find_by_leg(connection, &self.leg).await?;
        if of_leg.is_some() {
            return Ok(Redeemed::ByAnotherLeg);
        }
        if !voided && millis(self.at) >= millis(call.ticket_expires_at) {
            return Ok(Redeemed::Expired);
        }
        let row = query(if voided { NOTE_LEG } else { REDEEM })
            .bind(self.call.0)
            .bind(millis(self.at))
            .bind(self.leg.as_str())
            .bind(self.conversation.as_ref().map(ConversationId::as_str))
            .bind(self.region_url.as_deref().map(text))
            .fetch_one(connection)
            .await?;
        let call = calls::call(&row)?;
        Ok(if voided {
            Redeemed::HungUp(call)
        } else {
            Redeemed::Yes(call)
        })
    }
}
