//! Numbers API: search, own, buy, cancel, link.
//!
//! Source: <https://developer.vonage.com/en/api/numbers>

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Form, Json, Router,
    extract::{Query, State},
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::auth::RestAccount;
use crate::simulator::{
    cloud::{Cloud, lock},
    refusal::Refusal,
    registry::Number,
};

pub(super) fn routes() -> Router<Arc<Cloud>> {
    Router::new()
        .route("/number/search", get(search))
        .route("/account/numbers", get(owned))
        .route("/number/buy", post(buy))
        .route("/number/cancel", post(cancel))
        .route("/number/update", post(update))
}

#[derive(Debug, Deserialize)]
struct Filter {
    country: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    features: Option<String>,
    pattern: Option<String>,
    /// 0: the number starts with the pattern, 1: contains it, 2: ends with it.
    #[serde(default)]
    search_pattern: u8,
    application_id: Option<String>,
    has_application: Option<bool>,
    #[serde(default = "default_size")]
    size: usize,
    #[serde(default = "first_page")]
    index: usize,
}

fn default_size() -> usize {
    10
}

fn first_page() -> usize {
    1
}

impl Filter {
    fn admits(&self, number: &Number) -> bool {
        let wanted: Vec<&str> = self
            .features
            .as_deref()
            .map(|list| list.split(',').collect())
            .unwrap_or_default();
        self.country
            .as_ref()
            .is_none_or(|country| *country == number.country)
            && self.kind.as_ref().is_none_or(|kind| *kind == number.kind)
            && wanted
                .iter()
                .all(|feature| number.features.iter().any(|has| has == feature))
            && self.pattern.as_ref().is_none_or(|pattern| {
                let pattern = pattern.trim_matches('*');
                match self.search_pattern {
                    1 => number.msisdn.contains(pattern),
                    2 => number.msisdn.ends_with(pattern),
                    _ => number.msisdn.starts_with(pattern),
                }
            })
            && self
                .application_id
                .as_ref()
                .is_none_or(|id| number.application_id.as_ref() == Some(id))
            && self
                .has_application
                .is_none_or(|has| has == number.application_id.is_some())
    }

    fn page<'a>(&self, numbers: impl Iterator<Item = &'a Number>) -> (usize, Vec<&'a Number>) {
        let found: Vec<&Number> = numbers.filter(|number| self.admits(number)).collect();
        let size = self.size.clamp(1, 100);
        let first = self.index.saturating_sub(1) * size;
        let count = found.len();
        (count, found.into_iter().skip(first).take(size).collect())
    }
}

async fn search(
    _: RestAccount,
    State(cloud): State<Arc<Cloud>>,
    Query(filter): Query<Filter>,
) -> Result<Json<Value>, Refusal> {
    if filter.country.is_none() {
        return Err(Refusal::rest(420, "missing required parameter: country"));
    }
    let registry = lock(&cloud.registry);
    let (count, page) = filter.page(registry.numbers.iter().filter(|number| !number.owned));
    if count == 0 {
        return Ok(Json(json!({})));
    }
    let numbers: Vec<Value> = page
        .into_iter()
        .map(|number| {
            let mut shown = described(number);
            shown["cost"] = json!(number.cost);
            if let Some(price) = &number.initial_price {
                shown["initialPrice"] = json!(price);
            }
            shown
        })
        .collect();
    Ok(Json(json!({ "count": count, "numbers": numbers })))
}

async fn owned(
    _: RestAccount,
    State(cloud): State<Arc<Cloud>>,
    Query(filter): Query<Filter>,
) -> Json<Value> {
    let registry = lock(&cloud.registry);
    let (count, page) = filter.page(registry.numbers.iter().filter(|number| number.owned));
    if count == 0 {
        return Json(json!({}));
    }
    let numbers: Vec<Value> = page
        .into_iter()
        .map(|number| {
            let mut shown = described(number);
            if let Some(id) = &number.application_id {
                shown["app_id"] = json!(id);
                shown["voiceCallbackType"] = json!("app");
                shown["voiceCallbackValue"] = json!(id);
            }
            for (name, value) in &number.voice_callback {
                shown[name] = json!(value);
            }
            shown
        })
        .collect();
    Json(json!({ "count": count, "numbers": numbers }))
}

fn described(number: &Number) -> Value {
    json!({
        "country": number.country,
        "msisdn": number.msisdn,
        "type": number.kind,
        "features": number.features,
    })
}

#[derive(Debug, Deserialize)]
struct Order {
    country: String,
    msisdn: String,
}

async fn buy(
    _: RestAccount,
    State(cloud): State<Arc<Cloud>>,
    Form(order): Form<Order>,
) -> Result<Json<Value>, Refusal> {
    let mut scenario = lock(&cloud.scenario);
    if scenario.papers.contains(&order.country) {
        return Err(method_failed());
    }
    change(&cloud, &order.country, &order.msisdn, |number| {
        let rest = scenario.balance - price(number);
        let bought = !number.owned && rest >= 0.0;
        if bought {
            number.owned = true;
            scenario.balance = rest;
        }
        bought
    })
}

/// What buying a number costs, in euros: the set-up and the first month.
fn price(number: &Number) -> f64 {
    [Some(&number.cost), number.initial_price.as_ref()]
        .into_iter()
        .flatten()
        .filter_map(|price| price.parse::<f64>().ok())
        .sum()
}

async fn cancel(
    _: RestAccount,
    State(cloud): State<Arc<Cloud>>,
    Form(order): Form<Order>,
) -> Result<Json<Value>, Refusal> {
    change(&cloud, &order.country, &order.msisdn, |number| {
        number.application_id = None;
        std::mem::take(&mut number.owned)
    })
}

#[derive(Debug, Deserialize)]
struct Link {
    country: String,
    msisdn: String,
    app_id: Option<String>,
    #[serde(rename = "voiceCallbackType")]
    voice_callback_type: Option<String>,
    #[serde(rename = "voiceCallbackValue")]
    voice_callback_value: Option<String>,
}

async fn update(
    _: RestAccount,
    State(cloud): State<Arc<Cloud>>,
    Form(link): Form<Link>,
) -> Result<Json<Value>, Refusal> {
    let known = link
        .app_id
        .as_deref()
        .is_none_or(|id| lock(&cloud.registry).application(id).is_some());
    if !known {
        return Err(method_failed());
    }
    change(&cloud, &link.country, &link.msisdn, |number| {
        if number.owned {
            number.application_id.clone_from(&link.app_id);
            number.voice_callback = [
                ("voiceCallbackType", &link.voice_callback_type),
                ("voiceCallbackValue", &link.voice_callback_value),
            ]
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value.clone()?)))
            .collect::<BTreeMap<_, _>>();
        }
        number.owned
    })
}

/// Applies `step` to one number; it says whether the number was in a state to take it.
fn change(
    cloud: &Cloud,
    country: &str,
    msisdn: &str,
    step: impl FnOnce(&mut Number) -> bool,
) -> Result<Json<Value>, Refusal> {
    let mut registry = lock(&cloud.registry);
    let done = registry
        .numbers
        .iter_mut()
        .find(|number| number.country == country && number.msisdn == msisdn)
        .is_some_and(step);
    if done {
        Ok(Json(
            json!({ "error-code": "200", "error-code-label": "success" }),
        ))
    } else {
        Err(method_failed())
    }
}

fn method_failed() -> Refusal {
    Refusal::rest(420, "method failed")
}
