//! What a run is going to do, and what that may cost: made without spending anything, and shown before anything is made.

use std::sync::Arc;

use anyhow::bail;
use serde_json::Value;

use super::{
    FREE, QUESTIONS,
    budget::{Budget, Euros},
    calls::{Calls, FIRST_MINUTES, SECOND_MINUTES},
    listener::Listener,
    needs::{CallNeeds, Needs},
    stage::Stage,
    traces::Traces,
};
use crate::{cli::Handles, vonage::account::AccountClient};

/// What a run is going to do.
pub(super) struct Plan {
    /// `None`: no calls are made.
    pub(super) telephone: Option<Telephone>,
}

/// The part of it that rings.
pub(super) struct Telephone {
    pub(super) needs: CallNeeds,
    pub(super) listener: Listener,
    budget: Euros,
    /// The most that a minute costs; `None`: Vonage does not say.
    rate: Option<Euros>,
}

impl Plan {
    /// Looks up prices, and listens where the public address leads.
    ///
    /// # Errors
    /// When the number is not the account's, or the address does not lead here.
    pub(super) async fn make(
        needs: &Needs,
        account: &AccountClient,
        traces: &Arc<Traces>,
        budget: Euros,
    ) -> anyhow::Result<Self> {
        let Some(calls) = &needs.calls else {
            return Ok(Self { telephone: None });
        };
        let Some(number) = account.owned_number(calls.number.as_str()).await? else {
            bail!(
                "VONAGE_NUMBER is not one of the account's numbers, so that the telephone would show another; `click-to-call \
                 numbers list` shows them"
            );
        };
        let prices = account.voice_prices(&number.country).await;
        let rate = prices
            .ok()
            .and_then(|prices| highest_rate(&prices, calls.destination.as_str()));
        let listener = Listener::start(calls.address, &needs.public_url, Arc::clone(traces))?;
        Ok(Self {
            telephone: Some(Telephone {
                needs: calls.clone(),
                listener,
                budget,
                rate,
            }),
        })
    }

    /// Below which address the application's webhooks are.
    pub(super) fn webhooks(&self, needs: &Needs) -> String {
        self.telephone.as_ref().map_or_else(
            // Nothing calls, so nothing comes.
            || format!("{}doctor-live/", needs.public_url),
            |telephone| telephone.listener.url(""),
        )
    }

    /// Says all that, and the questions.
    pub(super) fn show(&self, handles: &mut Handles<'_>) -> anyhow::Result<()> {
        writeln!(
            handles.err,
            "A temporary application with two users is made at Vonage, asked these questions, and deleted:"
        )?;
        let asked = match self.telephone {
            Some(_) => QUESTIONS.len(),
            None => FREE,
        };
        for question in QUESTIONS.iter().take(asked) {
            writeln!(handles.err, "  {:19} {}", question.name, question.asks)?;
        }
        let Some(telephone) = &self.telephone else {
            writeln!(handles.err, "Nothing rings and nothing is spent.")?;
            return Ok(());
        };
        let rate = telephone.reckoned();
        let known = match telephone.rate {
            Some(_) => "the dearest network of its country",
            None => "Vonage tells no price, so this is assumed",
        };
        writeln!(
            handles.err,
            "{number} rings twice, for a minute at most each time. Answer it, press 1 when you are asked, and stay on the \
             line the second time; a second call that shows up then needs no answer.\nA minute costs {rate} ({known}); all \
             together {sum} at most, and no call is made that could go over {budget}.",
            number = telephone.needs.destination.to_international(),
            sum = rate.times(FIRST_MINUTES + SECOND_MINUTES),
            budget = telephone.budget,
        )?;
        Ok(())
    }
}

impl Telephone {
    /// The calls, none of them made yet.
    pub(super) fn calls<'a>(&'a self, stage: &'a Stage) -> Calls<'a> {
        Calls {
            stage,
            listener: &self.listener,
            needs: &self.needs,
            budget: Budget::new(self.budget),
            rate: self.reckoned(),
        }
    }

    fn reckoned(&self) -> Euros {
        self.rate.unwrap_or(Euros::UNKNOWN_RATE)
    }
}

/// The most that a minute to this telephone costs, by the prices of a country. `None` when they say nothing of it: they are
/// another country's, or its prefix is shared with other countries.
fn highest_rate(prices: &Value, destination: &str) -> Option<Euros> {
    /// North America with the Caribbean, Russia with Kazakhstan.
    const SHARED: [&str; 2] = ["1", "7"];
    let text = |name: &str| prices.get(name).and_then(Value::as_str);
    let prefix = text("dialingPrefix")?;
    if text("currency") != Some("EUR")
        || SHARED.contains(&prefix)
        || prefix.is_empty()
        || !destination.starts_with(prefix)
    {
        return None;
    }
    let networks = prices.get("networks")?.as_array()?;
    let told = networks
        .iter()
        .filter_map(|network| network.get("price"))
        .chain(prices.get("defaultPrice"));
    let rates: Vec<Euros> = told.map(Euros::of).collect::<Option<_>>()?;
    rates.into_iter().max().filter(|rate| !rate.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_prices_that_are_certain_are_reckoned_with() {
        let prices = |prefix: &str, currency: &str, price: Value| {
            json!({
                "dialingPrefix": prefix, "currency": currency, "defaultPrice": "0.05",
                "networks": [{ "price": "0.02" }, { "price": price }],
            })
        };
        let rate = |prices: Value| highest_rate(&prices, "447700900000");
        assert_eq!(
            rate(prices("44", "EUR", json!("0.10"))),
            "0.10".parse().ok()
        );
        assert_eq!(rate(prices("44", "EUR", json!(0.01))), "0.05".parse().ok());
        for unknown in [
            prices("49", "EUR", json!("0.10")),
            prices("44", "USD", json!("0.10")),
            prices("44", "EUR", json!("dear")),
            json!({ "dialingPrefix": "44", "currency": "EUR", "networks": [] }),
            json!({}),
        ] {
            assert_eq!(rate(unknown.clone()), None, "{unknown}");
        }
        assert_eq!(
            highest_rate(&prices("1", "EUR", json!("0.01")), "18765551234"),
            None
        );
    }
}
