//! What a visitor's token opens, and which of its paths are needed. Nothing is asked for that could ring or cost.

use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use super::{
    finding::{Finding, Question},
    stage::{Stage, User},
    wire::{Answer, Request},
};
use crate::settings::acl;

pub(super) static REACH: Question = Question {
    name: "token-reach",
    asks: "What beside calling this service does a visitor's token open?",
};
pub(super) static SMALLEST: Question = Question {
    name: "smallest-acl",
    asks: "Which paths of its ACL does a visitor's token need?",
};

/// Shows Vonage a visitor's token where a visitor has no business.
pub(super) async fn reach(stage: &Stage, user: &User, other: &User) -> Finding {
    let (api, client) = (&stage.needs.account.api_url, &stage.needs.client_api_url);
    let applications = stage.applications_host();
    let users = ["v1", "users"];
    let calls = ["v1", "calls"];
    let all_applications = ["v2", "applications"];
    let other_user = ["v0.3", "users", other.id.as_str()];
    let conversations = ["v0.3", "conversations"];
    let mut open = Vec::new();
    let mut costs = false;
    for (what, is_costly, host, segments) in [
        ("the account's calls", true, api, &calls[..]),
        ("its applications", true, &applications, &all_applications),
        ("the list of users", false, api, &users),
        ("another user", false, client, &other_user),
        ("the list of conversations", false, client, &conversations),
    ] {
        let request = Request {
            is_traced: false,
            ..Request::new("token-reach", Method::GET, host, segments)
        };
        match stage
            .by_visitor(&user.name, &stage.needs.acl, request)
            .await
        {
            Err(fault) => return REACH.untried(fault),
            Ok(answer) if answer.status.is_success() => {
                open.push(what);
                costs |= is_costly;
            }
            Ok(_) => {}
        }
    }
    let found = if open.is_empty() {
        "nothing that was tried".to_owned()
    } else {
        open.join(", ")
    };
    if costs {
        REACH.contradicts(
            found,
            "a visitor can start calls or change the application past this service's limits: set token.acl to \"call-only\", \
             run this again, and if it stays so, watch the balance and ask Vonage's support",
        )
    } else if open.is_empty() {
        REACH.agrees(found, "")
    } else {
        REACH.agrees(
            found,
            "users have random names and nothing of a visitor's in them, so that a visitor learns nothing of others by it",
        )
    }
}

/// One of the SDK's requests, for the path of the ACL that opens it. Ids that nobody has: allowed is "not found".
struct Door {
    name: &'static str,
    method: Method,
    segments: Vec<String>,
}

impl Door {
    fn all(user: &User) -> Vec<Self> {
        let nobody = Uuid::new_v4();
        let door = |name, method, segments: &[&str]| Self {
            name,
            method,
            segments: segments.iter().map(|&segment| segment.to_owned()).collect(),
        };
        vec![
            door("users", Method::GET, &["v0.3", "users", &user.id]),
            door(
                "sessions",
                Method::PUT,
                &["v0.2", "sessions", &nobody.to_string()],
            ),
            door(
                "conversations",
                Method::GET,
                &["v0.3", "conversations", &format!("CON-{nobody}")],
            ),
            door("legs", Method::GET, &["v0.3", "legs", &nobody.to_string()]),
            // Without a session and a leg there is nothing to knock with.
            door("knocking", Method::POST, &["v0.3", "knocking"]),
        ]
    }

    async fn knock(&self, stage: &Stage, user: &User, paths: &[String]) -> Result<Answer, String> {
        let segments: Vec<&str> = self.segments.iter().map(String::as_str).collect();
        let request = Request {
            body: (self.method == Method::POST).then(|| json!({})),
            ..Request::new(
                "smallest-acl",
                self.method.clone(),
                &stage.needs.client_api_url,
                &segments,
            )
        };
        stage.by_visitor(&user.name, paths, request).await
    }

    fn path(&self) -> String {
        format!("/*/{}/**", self.name)
    }
}

/// Leaves one path out at a time. The login over the socket is not tried: `rtc` and `media` are opened by it.
pub(super) async fn smallest(stage: &Stage, user: &User) -> Finding {
    let configured = &stage.needs.acl;
    let whole = acl::preset("client-sdk").unwrap_or_default();
    let (mut needed, mut idle, mut shut, mut unknown) = (vec![], vec![], vec![], vec![]);
    for door in Door::all(user) {
        let without: Vec<String> = whole
            .iter()
            .filter(|path| **path != door.path())
            .cloned()
            .collect();
        let as_set = door.knock(stage, user, configured).await;
        let with_all = door.knock(stage, user, &whole).await;
        let without = door.knock(stage, user, &without).await;
        let (as_set, with_all, without) = match (as_set, with_all, without) {
            (Ok(as_set), Ok(with_all), Ok(without)) => (as_set, with_all, without),
            (Err(fault), ..) | (_, Err(fault), _) | (.., Err(fault)) => {
                return SMALLEST.untried(fault);
            }
        };
        match (
            as_set.is_refusal(),
            with_all.is_refusal(),
            without.is_refusal(),
        ) {
            (true, false, _) => shut.push(door.name),
            (_, true, _) => unknown.push(door.name),
            (false, false, true) => needed.push(door.name),
            (false, false, false) => idle.push(door.name),
        }
    }
    let lists = [
        ("needed", &needed),
        ("not asked for", &idle),
        ("refused with token.acl", &shut),
        ("refused even with the whole list", &unknown),
    ];
    let found: Vec<String> = lists
        .iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(what, names)| format!("{what}: {}", names.join(", ")))
        .collect();
    let found = found.join("; ");
    if !shut.is_empty() {
        SMALLEST.contradicts(
            found,
            "calls fail with the token.acl that is set: set it to \"client-sdk\"",
        )
    } else if unknown.is_empty() {
        SMALLEST.agrees(
            found,
            "what is not asked for can be left out of token.acl; the login over the socket was not tried",
        )
    } else {
        SMALLEST.contradicts(
            found,
            "Vonage wants more of a token than the documented paths, or another host: compare VONAGE_CLIENT_API_URL with the \
             region's host, and look at the traces for Vonage's words",
        )
    }
}
