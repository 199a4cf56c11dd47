//! The telephone number: one that the account has, or a new one; and its link to the application.

use anyhow::bail;

use super::{Setup, conflict, report::Standing};
use crate::{
    cli::numbers::{self, PAPERS},
    domain::phone_number::PhoneNumber,
    vonage::account::{
        AccountClient,
        numbers::{Number, NumberQuery},
    },
};

/// Numbers that are shown to choose from.
const OFFERED: u32 = 10;
/// Numbers of which the cheapest is taken: the most that Vonage lists at once.
const COMPARED: u32 = 100;

/// Where the number comes from.
enum Choice {
    /// The account has it.
    Owned(Number),
    /// It is for sale.
    ForSale(Number),
}

impl Setup<'_, '_> {
    /// Makes sure that a number leads to the application. Returns the number; `None` where it will be chosen (`--dry-run`).
    pub(super) async fn number(
        &mut self,
        client: &AccountClient,
        application_id: Option<&str>,
    ) -> anyhow::Result<Option<String>> {
        let number = match self.choose(client, application_id).await? {
            Some(Choice::Owned(number)) => {
                self.tell(Standing::AlreadyThere, format!("the number {number}"))?;
                number
            }
            Some(Choice::ForSale(number)) => {
                let what = format!("the number {number} for {}", number.price());
                if !self.begin(&format!("buy {what}"))? {
                    return Ok(Some(number.msisdn));
                }
                client.buy_number(&number.country, &number.msisdn).await?;
                self.tell(Standing::Done, what)?;
                number
            }
            None => return Ok(None),
        };
        self.link(client, &number, application_id).await?;
        if self.so_far.number.is_none() {
            self.write_variables(&[("VONAGE_NUMBER", &number.msisdn)])?;
        }
        Ok(Some(number.msisdn))
    }

    async fn choose(
        &mut self,
        client: &AccountClient,
        application_id: Option<&str>,
    ) -> anyhow::Result<Option<Choice>> {
        let owned = client.owned_numbers().await?;
        if let Some(named) = self.named_number()? {
            return self.named(client, owned, &named).await.map(Some);
        }
        // Bought or linked by a run that was stopped before it wrote the number down.
        let linked = owned.iter().find(|number| {
            number.has_voice()
                && application_id.is_some()
                && number.app_id.as_deref() == application_id
        });
        if let Some(linked) = linked {
            return Ok(Some(Choice::Owned(linked.clone())));
        }
        let country = self.args.country.as_deref();
        let free: Vec<Number> = owned
            .into_iter()
            .filter(|number| {
                number.has_voice() && number.app_id.is_none() && number.diversion().is_none()
            })
            .filter(|number| country.is_none_or(|country| number.country == country))
            .collect();
        if self.args.yes {
            return self.choose_alone(client, free).await.map(Some);
        }
        self.choose_together(client, free).await
    }

    /// The number of the flag or the settings.
    fn named_number(&self) -> anyhow::Result<Option<PhoneNumber>> {
        match (&self.args.number, &self.so_far.number) {
            (Some(given), Some(set)) if given != set => Err(conflict(
                "--number",
                given.as_str(),
                "VONAGE_NUMBER",
                set.as_str(),
            )),
            (given, set) => Ok(given.as_ref().or(set.as_ref()).cloned()),
        }
    }

    async fn named(
        &mut self,
        client: &AccountClient,
        owned: Vec<Number>,
        named: &PhoneNumber,
    ) -> anyhow::Result<Choice> {
        if let Some(number) = owned
            .into_iter()
            .find(|number| number.msisdn == named.as_str())
        {
            if !number.has_voice() {
                bail!(
                    "the number {number} has no voice feature, so it can't be used for calls; choose another one"
                );
            }
            return Ok(Choice::Owned(number));
        }
        let Some(country) = self.args.country.clone() else {
            bail!(
                "{named} is not one of the account's numbers (`click-to-call numbers list` shows them); to buy it, say \
                 --country as well",
                named = named.as_str()
            );
        };
        let for_sale = client.number_for_sale(&country, named.as_str()).await?;
        let Some(number) = for_sale else {
            bail!(
                "{} is not for sale in {country}; see which are with `click-to-call numbers search {country}`",
                named.as_str()
            );
        };
        self.agree(number).map(Choice::ForSale)
    }

    /// Without anybody to ask, nothing is guessed: a free number if there is just one to take, a purchase if a country
    /// was named.
    async fn choose_alone(
        &mut self,
        client: &AccountClient,
        free: Vec<Number>,
    ) -> anyhow::Result<Choice> {
        if free.len() > 1 {
            let list: Vec<&str> = free.iter().map(|number| number.msisdn.as_str()).collect();
            bail!(
                "the account has several free numbers; choose one with --number: {}",
                list.join(", ")
            );
        }
        if let Some(number) = free.into_iter().next() {
            return Ok(Choice::Owned(number));
        }
        let Some(country) = self.args.country.clone() else {
            bail!(
                "the account has no free number with voice; say --country to buy its cheapest of the first {COMPARED}, or --number"
            );
        };
        let mut offered = self.search(client, &country, COMPARED).await?;
        offered.sort_by(|left, right| {
            let monthly = left.monthly().total_cmp(&right.monthly());
            monthly.then_with(|| left.once().total_cmp(&right.once()))
        });
        let Some(cheapest) = offered.into_iter().next() else {
            bail!("no number with voice is for sale in {country}; try another --country");
        };
        self.agree(cheapest).map(Choice::ForSale)
    }

    async fn choose_together(
        &mut self,
        client: &AccountClient,
        free: Vec<Number>,
    ) -> anyhow::Result<Option<Choice>> {
        for number in free {
            let question = format!("Use the number {number}, which the account has already?");
            if self.prompt.confirm(&question)? {
                return Ok(Some(Choice::Owned(number)));
            }
        }
        let country = if let Some(country) = self.args.country.clone() {
            country
        } else {
            let question = "Country to buy a number in, two letters (GB, US, JP, ...)";
            let numbers::Country(country) = self.prompt.ask(question, "give --country")?;
            country
        };
        let offered = self.search(client, &country, OFFERED).await?;
        if offered.is_empty() {
            bail!(
                "no number with voice is for sale in {country}; run setup again with another --country"
            );
        }
        for (place, number) in offered.iter().enumerate() {
            writeln!(
                self.prompt.handles.err,
                "  {:>2}  {number}: {}",
                place + 1,
                number.price()
            )?;
        }
        let count = offered.len();
        let read = |text: &str| {
            let place: Option<usize> = text.parse().ok();
            let index = place.and_then(|place| place.checked_sub(1));
            index
                .and_then(|index| offered.get(index).cloned())
                .ok_or_else(|| format!("is no place in the list: write a number from 1 to {count}"))
        };
        let chosen =
            self.prompt
                .ask_for("Which one? Its place in the list", "give --number", read)?;
        self.agree(chosen)
            .map(|number| Some(Choice::ForSale(number)))
    }

    async fn search(
        &mut self,
        client: &AccountClient,
        country: &str,
        size: u32,
    ) -> anyhow::Result<Vec<Number>> {
        writeln!(
            self.prompt.handles.err,
            "search for numbers in {country} ..."
        )?;
        let query = NumberQuery {
            country: country.to_owned(),
            size,
            ..NumberQuery::default()
        };
        Ok(client.search_numbers(&query).await?)
    }

    /// The price is said, and agreed to, before anything is bought.
    fn agree(&mut self, number: Number) -> anyhow::Result<Number> {
        writeln!(self.prompt.handles.err, "{PAPERS}")?;
        numbers::check_price(&number, self.args.yes)?;
        if self.args.dry_run {
            return Ok(number);
        }
        let question = format!("Buy {number} for {}?", number.price());
        if self.prompt.confirm(&question)? {
            Ok(number)
        } else {
            bail!("nothing was bought; run setup again to choose another number")
        }
    }

    async fn link(
        &mut self,
        client: &AccountClient,
        number: &Number,
        application_id: Option<&str>,
    ) -> anyhow::Result<()> {
        let what = format!("{} linked to the application", number.msisdn);
        let Some(id) = application_id else {
            return self.tell(Standing::WillDo, what);
        };
        if number.app_id.as_deref() == Some(id) && number.diversion().is_none() {
            return self.tell(Standing::AlreadyThere, what);
        }
        if !self.args.dry_run
            && let Some(elsewhere) = numbers::leads_elsewhere(number, id)
        {
            let question = format!("{} {elsewhere}. Lead its calls here?", number.msisdn);
            if !self.prompt.confirm(&question)? {
                bail!(
                    "{} was left as it is; choose another number with --number",
                    number.msisdn
                );
            }
        }
        if self.begin(&format!("link {} to the application", number.msisdn))? {
            client.link_number(number, id).await?;
            self.tell(Standing::Done, what)?;
        }
        Ok(())
    }
}
