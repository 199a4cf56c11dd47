//! Users of an application: `/v1/users` for servers, `/v0.3/users` for the Client SDK.
//!
//! Source: <https://developer.vonage.com/en/api/application.v2> (users) and Conversation API 5.5.1.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, Query, State},
    http::StatusCode,
    routing::get,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::auth::ConversationToken;
use crate::simulator::{
    clock,
    cloud::{Cloud, lock},
    refusal::{Fault, Refusal},
    registry::User,
};

pub(super) fn routes() -> Router<Arc<Cloud>> {
    Router::new()
        .route("/v1/users", get(list).post(create))
        .route("/v1/users/{id}", get(show).patch(update).delete(delete))
}

#[derive(Debug, Deserialize)]
struct Filter {
    name: Option<String>,
    #[serde(default = "default_page_size")]
    page_size: usize,
    order: Option<String>,
    cursor: Option<String>,
}

fn default_page_size() -> usize {
    10
}

async fn list(
    ConversationToken(bearer): ConversationToken,
    State(cloud): State<Arc<Cloud>>,
    Query(filter): Query<Filter>,
) -> Result<Json<Value>, Refusal> {
    if !(1..=100).contains(&filter.page_size) {
        return Err(Refusal::invalid_input(&[Fault::new(
            "page_size",
            "\"page_size\" must be between 1 and 100",
        )]));
    }
    // The cursor is opaque to clients; here it is the number of users already shown.
    let shown: usize = filter
        .cursor
        .as_deref()
        .and_then(|cursor| cursor.parse().ok())
        .unwrap_or(0);
    let registry = cloud.registry_now();
    let mut found: Vec<&User> = registry
        .users
        .iter()
        .filter(|user| user.application_id == bearer.application_id)
        .filter(|user| filter.name.as_ref().is_none_or(|name| *name == user.name))
        .collect();
    if filter.order.as_deref() == Some("desc") {
        found.reverse();
    }
    let more = found.len() > shown + filter.page_size;
    let page: Vec<Value> = found
        .into_iter()
        .skip(shown)
        .take(filter.page_size)
        .map(|user| user_json(user, &cloud.base_url))
        .collect();
    let address = format!("{}/v1/users?page_size={}", cloud.base_url, filter.page_size);
    let mut links = json!({
        "first": { "href": &address },
        "self": { "href": format!("{address}&cursor={shown}") },
    });
    if more {
        let next = shown + filter.page_size;
        links["next"] = json!({ "href": format!("{address}&cursor={next}") });
    }
    Ok(Json(json!({
        "page_size": filter.page_size,
        "_embedded": { "users": page },
        "_links": links,
    })))
}

async fn create(
    ConversationToken(bearer): ConversationToken,
    State(cloud): State<Arc<Cloud>>,
    Json(body): Json<Value>,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let mut fields = checked_fields(body)?;
    let name = match fields.remove("name") {
        Some(Value::String(name)) => name,
        _ => format!("NAM-{}", Uuid::new_v4()),
    };
    let unique_names = lock(&cloud.scenario).habits.unique_names;
    let mut registry = cloud.registry_now();
    let is_taken = registry
        .user_by_name(&bearer.application_id, &name)
        .is_some();
    if unique_names && is_taken {
        return Err(duplicate_name());
    }
    let user = User::new(&bearer.application_id, name, fields);
    let shown = user_json(&user, &cloud.base_url);
    registry.users.push(user);
    Ok((StatusCode::CREATED, Json(shown)))
}

async fn show(
    ConversationToken(bearer): ConversationToken,
    State(cloud): State<Arc<Cloud>>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Refusal> {
    cloud
        .registry_now()
        .user(&bearer.application_id, &id)
        .map(|user| Json(user_json(user, &cloud.base_url)))
        .ok_or_else(unknown_user)
}

async fn update(
    ConversationToken(bearer): ConversationToken,
    State(cloud): State<Arc<Cloud>>,
    Path(id): Path<String>,
    Json(body): Json<Value>,
) -> Result<Json<Value>, Refusal> {
    let mut fields = checked_fields(body)?;
    let mut registry = cloud.registry_now();
    let name = match fields.remove("name") {
        Some(Value::String(name)) => Some(name),
        _ => None,
    };
    let taken = name.as_ref().is_some_and(|name| {
        registry
            .user_by_name(&bearer.application_id, name)
            .is_some_and(|user| user.id != id)
    });
    if taken {
        return Err(duplicate_name());
    }
    let user = registry
        .users
        .iter_mut()
        .find(|user| user.application_id == bearer.application_id && user.id == id)
        .ok_or_else(unknown_user)?;
    if let Some(name) = name {
        user.name = name;
    }
    user.fields.extend(fields);
    Ok(Json(user_json(user, &cloud.base_url)))
}

async fn delete(
    ConversationToken(bearer): ConversationToken,
    State(cloud): State<Arc<Cloud>>,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    let mut registry = cloud.registry_now();
    let before = registry.users.len();
    registry
        .users
        .retain(|user| user.application_id != bearer.application_id || user.id != id);
    if registry.users.len() == before {
        Err(unknown_user())
    } else {
        Ok(StatusCode::NO_CONTENT)
    }
}

/// A user as both addresses show it.
pub(in crate::simulator) fn user_json(user: &User, base_url: &str) -> Value {
    let mut shown = user.fields.clone();
    shown.insert("id".to_owned(), json!(user.id));
    shown.insert("name".to_owned(), json!(user.name));
    shown
        .entry("properties")
        .or_insert_with(|| json!({ "custom_data": {} }));
    shown.entry("channels").or_insert_with(|| json!({}));
    shown.insert(
        "timestamp".to_owned(),
        json!({ "created": clock::iso(user.created) }),
    );
    shown.insert(
        "_links".to_owned(),
        json!({ "self": { "href": format!("{base_url}/v1/users/{}", user.id) } }),
    );
    Value::Object(shown)
}

/// The refusal for a user nobody knows.
pub(in crate::simulator) fn unknown_user() -> Refusal {
    Refusal::conversation(
        StatusCode::NOT_FOUND,
        "user:error:not-found",
        "User does not exist, or you do not have access.",
    )
}

fn duplicate_name() -> Refusal {
    Refusal::conversation(
        StatusCode::CONFLICT,
        "user:error:duplicate-name",
        "The name is already taken.",
    )
}

fn checked_fields(body: Value) -> Result<Map<String, Value>, Refusal> {
    let Value::Object(fields) = body else {
        return Err(Refusal::invalid_input(&[Fault::new(
            "value",
            "\"value\" must be an object",
        )]));
    };
    let mut faults = Vec::new();
    for (name, value) in &fields {
        let expected = match name.as_str() {
            "name" | "display_name" | "image_url" if !value.is_string() => "must be a string",
            "properties" | "channels" if !value.is_object() => "must be an object",
            "name" | "display_name" | "image_url" | "properties" | "channels" => continue,
            _ => "is not allowed",
        };
        faults.push(Fault::new(name, format!("\"{name}\" {expected}")));
    }
    if fields
        .get("properties")
        .and_then(|properties| properties.get("ttl"))
        .is_some_and(|ttl| ttl.as_u64().is_none_or(|seconds| seconds == 0))
    {
        faults.push(Fault::new(
            "properties.ttl",
            "\"ttl\" must be a positive number",
        ));
    }
    if faults.is_empty() {
        Ok(fields)
    } else {
        Err(Refusal::invalid_input(&faults))
    }
}
