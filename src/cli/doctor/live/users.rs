//! How Vonage keeps users, and what it says of one who is not there.

use reqwest::{Method, StatusCode};

use super::{
    finding::{Finding, Question},
    stage::{Stage, User},
    wire::Request,
};
use crate::vonage::hosts;

pub(super) static REGION: Question = Question {
    name: "user-region",
    asks: "Does the address of a new user name the region that it lives in?",
};
pub(super) static BY_NAME: Question = Question {
    name: "user-by-name",
    asks: "Is a user found by name?",
};
pub(super) static DUPLICATE: Question = Question {
    name: "duplicate-user",
    asks: "What does Vonage say to a second user of the same name?",
};
pub(super) static UNKNOWN: Question = Question {
    name: "unknown-user",
    asks: "What does Vonage say to a token for a user who does not exist?",
};

/// Looks at the address of a user that was just made.
pub(super) fn region(stage: &Stage, user: &User) -> Finding {
    let set = stage.needs.region;
    let region = user.address.as_deref().and_then(hosts::region_of);
    match region {
        Some(region) if region == set => REGION.agrees(format!("it names {}, as set", region.as_str()), ""),
        Some(region) => REGION.contradicts(
            format!("it names {}, but VONAGE_REGION is {}", region.as_str(), set.as_str()),
            "pages are sent to the region that the address names; set VONAGE_REGION to it, or calls are controlled in another \
             region than they are in",
        ),
        None => REGION.agrees(
            "it names no region",
            "pages are sent to the region of VONAGE_REGION, where users are made",
        ),
    }
}

/// Looks for a user by its name, in both ways.
pub(super) async fn by_name(stage: &Stage, user: &User) -> Finding {
    let listed = {
        let segments = ["v1", "users"];
        let request = Request {
            query: &[("name", &user.name)],
            // It may be a list of the owner's users.
            is_traced: false,
            ..Request::new(
                "user-by-name",
                Method::GET,
                &stage.needs.account.api_url,
                &segments,
            )
        };
        stage.as_application(request).await
    };
    let segments = ["v1", "users", user.name.as_str()];
    let read = stage
        .by_application("user-by-name", Method::GET, &segments, None)
        .await;
    let (listed, read) = match (listed, read) {
        (Ok(listed), Ok(read)) => (listed, read),
        (Err(fault), _) | (_, Err(fault)) => return BY_NAME.untried(fault),
    };
    let in_path = if read.text("/id") == Some(&user.id) {
        "its name stands for its id in an address, too".to_owned()
    } else {
        format!("in an address its name is refused ({})", read.words())
    };
    if listed.text("/_embedded/users/0/id") == Some(&user.id) {
        BY_NAME.agrees(format!("?name= finds it; {in_path}"), "")
    } else {
        BY_NAME.contradicts(
            format!("?name= does not find it ({}); {in_path}", listed.words()),
            "a user that is there already can't be taken over: set visitors.users to \"per-visitor\", whose names are never \
             used twice",
        )
    }
}

/// Makes the same user again.
pub(super) async fn duplicate(stage: &Stage, user: &User) -> Finding {
    match stage.create_user(&user.name).await {
        Err(fault) => DUPLICATE.untried(fault),
        Ok(answer)
            if matches!(
                answer.status,
                StatusCode::CONFLICT | StatusCode::BAD_REQUEST
            ) =>
        {
            DUPLICATE.agrees(
                answer.words(),
                "the service takes it for \"already there\"",
            )
        }
        Ok(answer) if answer.status.is_success() => DUPLICATE.contradicts(
            format!("{}: names are not unique", answer.words()),
            "a token for a name may speak for either user: set visitors.users to \"per-visitor\", whose names are never used \
             twice",
        ),
        Ok(answer) if answer.status.is_server_error() => DUPLICATE.untried(answer.words()),
        Ok(answer) => DUPLICATE.contradicts(
            answer.words(),
            "the service takes 400 and 409 for \"already there\", and this for a fault: a visitor whose first request was \
             interrupted gets no session",
        ),
    }
}

/// Shows a token for nobody.
pub(super) async fn unknown(stage: &Stage) -> Finding {
    let segments = ["v0.3", "users", "me"];
    let request = Request::new(
        "unknown-user",
        Method::GET,
        &stage.needs.client_api_url,
        &segments,
    );
    let nobody = format!("nobody-{}", uuid::Uuid::new_v4().simple());
    match stage.by_visitor(&nobody, &stage.needs.acl, request).await {
        Err(fault) => UNKNOWN.untried(fault),
        Ok(answer) if answer.status.is_success() => UNKNOWN.contradicts(
            "it takes the token",
            "a user who was deleted may go on calling until the token ends: set token.ttl_seconds to no more than you can \
             bear",
        ),
        Ok(answer) if answer.is_refusal() || answer.status == StatusCode::NOT_FOUND => {
            UNKNOWN.agrees(answer.words(), "a token is worth nothing once its user is gone")
        }
        Ok(answer) => UNKNOWN.untried(answer.words()),
    }
}
