//! Taking away what a run has made, and telling what is still there.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use reqwest::Method;
use serde_json::{Value, json};
use url::Url;

use super::{
    calls::LONGEST,
    listener::Listener,
    stage::{Stage, USER_TTL},
    wire::{Answer, Request},
};

/// A call that was just made is not hung up at once.
const HANG_UP_TRIES: usize = 8;
const HANG_UP_PAUSE: Duration = Duration::from_millis(500);
const DELETION_TRIES: usize = 3;

/// What may be taken away again. Whose users and calls a token of the application lists is not said anywhere: nothing is
/// taken from a list that was not made here by name.
#[derive(Debug, Default)]
pub(super) struct Made {
    /// Users that were asked for, by name, with the id of those that are known to have been made.
    pub(super) users: BTreeMap<String, Option<String>>,
    /// Calls that Vonage says it made.
    pub(super) calls: BTreeSet<String>,
    /// How many calls were known when the last one was asked for, while it is not known whether that was made.
    pub(super) in_doubt: Option<usize>,
}

impl Stage {
    /// Deletes everything that was made. Returns what is still there, each with what becomes of it or the command that
    /// deletes it.
    pub(super) async fn take_down(&self, listener: Option<&Listener>) -> Vec<String> {
        let mut left_behind = Vec::new();
        if let Some(listener) = listener {
            let calls = self.hang_up(listener).await;
            let seconds = LONGEST.as_secs();
            left_behind.extend(calls.into_iter().map(|(uuid, why)| {
                format!("the call {uuid} ({why}): it ends by itself within {seconds} seconds")
            }));
            if self.is_in_doubt(listener) {
                left_behind.push(format!(
                    "a call that was asked for, and of which Vonage has told nothing: if it was made, it ends by itself \
                     within {seconds} seconds"
                ));
            }
        }
        let users = self.made().users.clone();
        for (name, id) in users {
            let mut ids = self.ids_of(&name).await;
            ids.extend(id);
            for id in ids {
                let segments = ["v1", "users", id.as_str()];
                let host = &self.needs.account.api_url;
                let deletion = || Request::new("user-deletion", Method::DELETE, host, &segments);
                if let Err(why) = deleted(|| self.as_application(deletion())).await {
                    left_behind.push(format!(
                        "the user {id} ({why}): Vonage deletes it within {USER_TTL} seconds"
                    ));
                }
            }
        }
        let host = self.applications_host();
        let segments = ["v2", "applications", self.id.as_str()];
        let deletion = || Request::new("application-deletion", Method::DELETE, &host, &segments);
        if let Err(why) = deleted(|| self.by_account(deletion())).await {
            left_behind.push(self.left_behind(&why));
        }
        left_behind
    }

    /// That the application is still there, why, and the command that deletes it.
    pub(super) fn left_behind(&self, why: &str) -> String {
        format!(
            "the application {id} ({why}): curl -u \"$VONAGE_API_KEY:$VONAGE_API_SECRET\" -X DELETE \
             {origin}/v2/applications/{id}",
            id = self.id,
            origin = self.applications_host().origin().ascii_serialization(),
        )
    }

    /// The calls that were made here: those that Vonage said it made, and those that its webhooks told of, as the answer
    /// to one that was interrupted is missing.
    pub(super) fn calls(&self, listener: &Listener) -> BTreeSet<String> {
        let mut calls = self.made().calls.clone();
        let told = listener.all();
        calls.extend(
            told.iter()
                .filter_map(|one| one.text("uuid"))
                .map(str::to_owned),
        );
        calls
    }

    /// Whether a call may have been made of which nothing is known yet.
    fn is_in_doubt(&self, listener: &Listener) -> bool {
        let in_doubt = self.made().in_doubt;
        in_doubt.is_some_and(|known| self.calls(listener).len() <= known)
    }

    /// Hangs them up. Returns those of which Vonage does not say that they are over, each with why.
    pub(super) async fn hang_up(&self, listener: &Listener) -> BTreeMap<String, String> {
        let mut open = BTreeMap::new();
        for _ in 0..HANG_UP_TRIES {
            let calls = self.calls(listener);
            open.clear();
            for uuid in &calls {
                if let Err(why) = self.is_over(uuid).await {
                    open.insert(uuid.clone(), why);
                    let body = json!({ "action": "hangup" });
                    let segments = ["v1", "calls", uuid.as_str()];
                    // Whether it has helped is what the next question shows.
                    let _ = self
                        .by_application("hang-up", Method::PUT, &segments, Some(body))
                        .await;
                }
            }
            if open.is_empty() && !self.is_in_doubt(listener) {
                break;
            }
            // Vonage refuses to hang up in a call's first seconds.
            tokio::time::sleep(HANG_UP_PAUSE).await;
        }
        open
    }

    /// # Errors
    /// In words, when it is not over, or that is not known.
    async fn is_over(&self, uuid: &str) -> Result<(), String> {
        let segments = ["v1", "calls", uuid];
        let shown = self
            .by_application("call-state", Method::GET, &segments, None)
            .await?;
        if !shown.status.is_success() {
            return Err(shown.words());
        }
        match shown.text("/status") {
            Some(status @ ("started" | "ringing" | "answered" | "human" | "machine")) => {
                Err(status.to_owned())
            }
            None => Err("without a status".to_owned()),
            Some(_) => Ok(()),
        }
    }

    /// Ids of the users of exactly this name: the answer to one that was interrupted is missing, and there may be two.
    async fn ids_of(&self, name: &str) -> BTreeSet<String> {
        let api_url: &Url = &self.needs.account.api_url;
        let request = Request {
            query: &[("name", name)],
            // It may be a list of the owner's users.
            is_traced: false,
            ..Request::new("users", Method::GET, api_url, &["v1", "users"])
        };
        let listed = self.as_application(request).await.ok();
        let users = listed
            .as_ref()
            .and_then(|answer| answer.body.pointer("/_embedded/users")?.as_array());
        let of_name = users
            .into_iter()
            .flatten()
            .filter(|user| user.get("name").and_then(Value::as_str) == Some(name));
        of_name
            .filter_map(|user| user.get("id")?.as_str().map(str::to_owned))
            .collect()
    }
}

/// # Errors
/// In words, when Vonage does not say that it is gone.
async fn deleted<F: Future<Output = Result<Answer, String>>>(
    ask: impl Fn() -> F,
) -> Result<(), String> {
    let mut why = String::new();
    for _ in 0..DELETION_TRIES {
        match ask().await {
            Ok(answer) if answer.is_gone() => return Ok(()),
            Ok(answer) => why = answer.words(),
            Err(fault) => why = fault,
        }
    }
    Err(why)
}
