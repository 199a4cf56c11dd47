//! Balance, and what a minute costs.
//!
//! The figures are the simulator's own; only their form is Vonage's.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Query, State},
    routing::get,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::auth::RestAccount;
use crate::simulator::{
    cloud::{Cloud, lock},
    refusal::Refusal,
};

pub(super) fn routes() -> Router<Arc<Cloud>> {
    Router::new()
        .route("/account/get-balance", get(balance))
        .route("/account/get-pricing/outbound/voice", get(pricing))
}

/// What a minute to a country costs.
#[derive(Debug, Clone, Copy)]
pub(in crate::simulator) struct Tariff {
    country: &'static str,
    name: &'static str,
    prefix: &'static str,
    /// Country code of mobile networks (ITU-T E.212), start of `network` in events.
    mobile_country_code: &'static str,
    /// Euros a minute in units of 10⁻⁸, as prices are written with eight places.
    pub(in crate::simulator) rate: u64,
}

const fn tariff(
    country: &'static str,
    name: &'static str,
    prefix: &'static str,
    mobile_country_code: &'static str,
    rate: u64,
) -> Tariff {
    Tariff {
        country,
        name,
        prefix,
        mobile_country_code,
        rate,
    }
}

/// Longer prefixes first, so that the first match is the right one.
const TARIFFS: &[Tariff] = &[
    tariff("ZM", "Zambia", "260", "645", 28_725_000),
    tariff("GB", "United Kingdom", "44", "234", 10_000_000),
    tariff("JP", "Japan", "81", "440", 12_500_000),
    tariff("DE", "Germany", "49", "262", 9_000_000),
    tariff("FR", "France", "33", "208", 8_000_000),
    tariff("US", "United States of America", "1", "310", 1_500_000),
];

/// For every other country.
const ELSEWHERE: Tariff = tariff("", "Elsewhere", "", "000", 50_000_000);

impl Tariff {
    /// The tariff of an E.164 number.
    pub(in crate::simulator) fn of(number: &str) -> Self {
        TARIFFS
            .iter()
            .find(|tariff| number.starts_with(tariff.prefix))
            .copied()
            .unwrap_or(ELSEWHERE)
    }

    /// The network that events name: mobile country code and a network code.
    pub(in crate::simulator) fn network(&self) -> String {
        format!("{}01", self.mobile_country_code)
    }
}

/// Euros with eight places, from units of 10⁻⁸.
pub(in crate::simulator) fn euros(units: u64) -> String {
    format!("{}.{:08}", units / 100_000_000, units % 100_000_000)
}

async fn balance(_: RestAccount, State(cloud): State<Arc<Cloud>>) -> Json<Value> {
    let balance = lock(&cloud.scenario).balance;
    Json(json!({ "value": balance, "autoReload": false }))
}

#[derive(Debug, Deserialize)]
struct Country {
    country: String,
}

async fn pricing(_: RestAccount, Query(asked): Query<Country>) -> Result<Json<Value>, Refusal> {
    let tariff = TARIFFS
        .iter()
        .find(|tariff| tariff.country == asked.country)
        .ok_or_else(|| Refusal::rest(404, "no prices for this country"))?;
    let price = euros(tariff.rate);
    let ranges: Vec<u64> = tariff.prefix.parse().into_iter().collect();
    Ok(Json(json!({
        "dialingPrefix": tariff.prefix,
        "defaultPrice": price,
        "currency": "EUR",
        "countryDisplayName": tariff.name,
        "countryCode": tariff.country,
        "countryName": tariff.name,
        "networks": [
            {
                "type": "mobile",
                "price": price,
                "currency": "EUR",
                "ranges": ranges,
                "mcc": tariff.mobile_country_code,
                "mnc": "01",
                "networkCode": tariff.network(),
                "networkName": format!("{} Mobile", tariff.name),
            },
            {
                "type": "landline",
                "price": price,
                "currency": "EUR",
                "ranges": ranges,
                "networkCode": format!("{}-FIXED", tariff.country),
                "networkName": format!("{} Landline", tariff.name),
            },
        ],
    })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn euros_have_eight_places() {
        assert_eq!(euros(10_000_000), "0.10000000");
        assert_eq!(euros(833_333), "0.00833333");
        assert_eq!(euros(250_000_000), "2.50000000");
    }

    #[test]
    fn a_number_has_its_countrys_tariff() {
        assert_eq!(Tariff::of("447700900000").country, "GB");
        assert_eq!(Tariff::of("260211234567").country, "ZM");
        assert_eq!(Tariff::of("998712345678").rate, ELSEWHERE.rate);
    }
}
