//! Telephone numbers: those for sale, those that the account has, and the application that each leads to.
//!
//! Source: <https://developer.vonage.com/en/api/numbers>

use std::fmt;

use reqwest::Method;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::{AccountClient, AccountError, Body, Cause};

/// Numbers on a page: the most that Vonage gives.
const PAGE_SIZE: usize = 100;
/// Ten thousand numbers.
const MAX_PAGES: usize = 100;

/// Why Vonage refuses to sell: it answers "method failed" to all of it.
const BUYING: &str = "Usually somebody else has bought the number meanwhile (search again), the credit is too little \
                      (`click-to-call balance`), or the country wants an address or papers first: the dashboard's Buy \
                      numbers page names the limitations of each number and takes the papers";
const LINKING: &str = "Usually the number is not the account's (`click-to-call numbers list`) or the application is not \
                       (`click-to-call app show`)";
const CANCELLING: &str =
    "Usually the number is not the account's any more (`click-to-call numbers list`)";
const SEARCHING: &str =
    "Check the country's two letters, and try again without --type and --pattern";

/// What kind of number is looked for.
#[derive(Debug, Clone, Default)]
pub struct NumberQuery {
    /// Two letters (ISO 3166-1), such as `GB`.
    pub country: String,
    /// `landline`, `mobile-lvn` or `landline-toll-free`; `None`: any.
    pub kind: Option<String>,
    /// Digits that it contains.
    pub pattern: Option<String>,
    /// How many at most: 1 to 100.
    pub size: u32,
}

/// A telephone number, for sale or owned. What Vonage says of it beyond these fields is kept in `other`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Number {
    /// Two letters (ISO 3166-1).
    pub country: String,
    /// E.164 digits without `+`.
    pub msisdn: String,
    /// `landline`, `mobile-lvn` or `landline-toll-free`.
    #[serde(rename = "type", default)]
    pub kind: String,
    /// `VOICE`, `SMS`, `MMS`.
    #[serde(default)]
    pub features: Vec<String>,
    /// Euros a month, as Vonage writes them; `None` for an owned number, of which it does not say.
    #[serde(
        default,
        deserialize_with = "price",
        skip_serializing_if = "Option::is_none"
    )]
    pub cost: Option<String>,
    /// Euros once, when it is bought.
    #[serde(
        default,
        rename = "initialPrice",
        deserialize_with = "price",
        skip_serializing_if = "Option::is_none"
    )]
    pub initial_price: Option<String>,
    /// The application that it is linked to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_id: Option<String>,
    /// Everything else.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl Number {
    /// Whether it can be telephoned.
    pub fn has_voice(&self) -> bool {
        self.features
            .iter()
            .any(|feature| feature.eq_ignore_ascii_case("VOICE"))
    }

    /// Where its calls go in spite of its application: a type (`sip`, `tel`) and an address.
    pub fn diversion(&self) -> Option<(&str, &str)> {
        let text = |key: &str| self.other.get(key).and_then(Value::as_str);
        let kind = text("voiceCallbackType").filter(|kind| !kind.is_empty() && *kind != "app")?;
        Some((kind, text("voiceCallbackValue").unwrap_or_default()))
    }

    /// Euros a month, for comparing; what is not said is more than anything.
    pub fn monthly(&self) -> f64 {
        let cost = self.cost.as_deref().and_then(|cost| cost.parse().ok());
        cost.unwrap_or(f64::INFINITY)
    }

    /// Euros once, for comparing; what is not said is more than anything.
    pub fn once(&self) -> f64 {
        let once = self.initial_price.as_deref();
        once.and_then(|once| once.parse().ok())
            .unwrap_or(f64::INFINITY)
    }

    /// What it costs, in words; empty when Vonage does not say.
    pub fn price(&self) -> String {
        let Some(cost) = &self.cost else {
            return String::new();
        };
        match self.initial_price.as_deref().unwrap_or("0") {
            once if once.parse::<f64>().is_ok_and(|once| once > 0.0) => {
                format!("EUR {cost} a month and EUR {once} once")
            }
            _ => format!("EUR {cost} a month"),
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}", self.msisdn, self.country)?;
        if !self.kind.is_empty() {
            write!(f, ", {}", self.kind)?;
        }
        f.write_str(")")
    }
}

/// A price comes as text, number or null.
fn price<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) => Some(text).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    })
}

impl AccountClient {
    /// Numbers for sale that can be telephoned.
    ///
    /// # Errors
    /// When Vonage does not list them.
    pub async fn search_numbers(&self, query: &NumberQuery) -> Result<Vec<Number>, AccountError> {
        let doing = format!("search for numbers in {}", query.country);
        let mut pairs = vec![
            ("country", query.country.clone()),
            ("features", "VOICE".to_owned()),
            ("size", query.size.to_string()),
        ];
        pairs.extend(query.kind.clone().map(|kind| ("type", kind)));
        if let Some(pattern) = &query.pattern {
            pairs.push(("pattern", pattern.clone()));
            // 1: anywhere in the number.
            pairs.push(("search_pattern", "1".to_owned()));
        }
        let segments = ["number", "search"];
        let answer = self
            .ask_rest(&doing, Method::GET, &segments, &pairs, Body::None)
            .await
            .map_err(|error| advised(error, SEARCHING))?;
        self.read_numbers(&doing, answer)
    }

    /// One number for sale, as it is now.
    ///
    /// # Errors
    /// When Vonage does not say.
    pub async fn number_for_sale(
        &self,
        country: &str,
        msisdn: &str,
    ) -> Result<Option<Number>, AccountError> {
        let query = NumberQuery {
            country: country.to_owned(),
            kind: None,
            pattern: Some(msisdn.to_owned()),
            size: 100,
        };
        let found = self.search_numbers(&query).await?;
        Ok(found.into_iter().find(|number| number.msisdn == msisdn))
    }

    /// All numbers of the account.
    ///
    /// # Errors
    /// When Vonage does not list them.
    pub async fn owned_numbers(&self) -> Result<Vec<Number>, AccountError> {
        let doing = "list the account's numbers";
        let mut all = Vec::new();
        for page in 1..=MAX_PAGES {
            let query = [("size", PAGE_SIZE.to_string()), ("index", page.to_string())];
            let segments = ["account", "numbers"];
            let answer = self
                .ask_rest(doing, Method::GET, &segments, &query, Body::None)
                .await?;
            let numbers = self.read_numbers(doing, answer)?;
            let is_last = numbers.len() < PAGE_SIZE;
            all.extend(numbers);
            if is_last {
                break;
            }
        }
        Ok(all)
    }

    /// A number of the account.
    ///
    /// # Errors
    /// When Vonage does not list them.
    pub async fn owned_number(&self, msisdn: &str) -> Result<Option<Number>, AccountError> {
        let owned = self.owned_numbers().await?;
        Ok(owned.into_iter().find(|number| number.msisdn == msisdn))
    }

    /// Buys a number. It costs money from now on.
    ///
    /// # Errors
    /// When Vonage does not sell it. After [`Cause::InDoubt`] it may be the account's: look before another try.
    pub async fn buy_number(&self, country: &str, msisdn: &str) -> Result<(), AccountError> {
        let doing = format!("buy the number {msisdn}");
        self.order(&doing, "buy", &[("country", country), ("msisdn", msisdn)])
            .await
            .map_err(|error| advised(error, BUYING))
    }

    /// Gives a number back. Somebody else can have it then.
    ///
    /// # Errors
    /// When Vonage does not take it.
    pub async fn cancel_number(&self, country: &str, msisdn: &str) -> Result<(), AccountError> {
        let doing = format!("cancel the number {msisdn}");
        self.order(
            &doing,
            "cancel",
            &[("country", country), ("msisdn", msisdn)],
        )
        .await
        .map_err(|error| advised(error, CANCELLING))
    }

    /// Links a number of the account to an application; a diversion of its calls ends. Where its messages go stays.
    ///
    /// # Errors
    /// When Vonage does not link it.
    pub async fn link_number(
        &self,
        number: &Number,
        application_id: &str,
    ) -> Result<(), AccountError> {
        let doing = format!(
            "link the number {} to the application {application_id}",
            number.msisdn
        );
        let mut fields = vec![
            ("country", number.country.as_str()),
            ("msisdn", number.msisdn.as_str()),
            ("app_id", application_id),
        ];
        // What is not said again may be gone.
        for kept in ["moHttpUrl", "messagesCallbackType", "messagesCallbackValue"] {
            if let Some(value) = number.other.get(kept).and_then(Value::as_str) {
                fields.push((kept, value));
            }
        }
        self.order(&doing, "update", &fields)
            .await
            .map_err(|error| advised(error, LINKING))
    }

    async fn order(
        &self,
        doing: &str,
        what: &str,
        fields: &[(&str, &str)],
    ) -> Result<(), AccountError> {
        let answer = self
            .ask_rest(
                doing,
                Method::POST,
                &["number", what],
                &[],
                Body::Form(fields),
            )
            .await?;
        match answer.get("error-code").and_then(Value::as_str) {
            None | Some("200") => Ok(()),
            // Said with HTTP status 200.
            Some(code) => {
                let label = answer.get("error-code-label").and_then(Value::as_str);
                Err(AccountError {
                    doing: doing.to_owned(),
                    cause: Cause::Refused {
                        detail: format!("{code} {}", label.unwrap_or_default()),
                        advice: "",
                    },
                })
            }
        }
    }

    fn read_numbers(&self, doing: &str, mut answer: Value) -> Result<Vec<Number>, AccountError> {
        let Some(listed) = answer.get_mut("numbers").map(Value::take) else {
            // Nothing found: `{}`.
            return Ok(Vec::new());
        };
        serde_json::from_value(listed).map_err(|_other_form| AccountError {
            doing: doing.to_owned(),
            cause: Cause::Unexpected {
                host: self.rest_url.origin().ascii_serialization(),
                what: "a number without country or digits".to_owned(),
            },
        })
    }
}

/// "Method failed" with the reasons that are usual for what was asked.
fn advised(mut error: AccountError, usual: &'static str) -> AccountError {
    if let Cause::Refused { advice, .. } = &mut error.cause {
        *advice = usual;
    }
    error
}
