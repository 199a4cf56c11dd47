//! What only a person can know: the account, the address of the service, the telephone that rings, the signature secret.

use secrecy::ExposeSecret as _;
use url::Url;

use super::{Setup, conflict, report::Standing};
use crate::{
    cli::account::{self, OUT_OF_REACH},
    domain::{
        clock::Clock,
        phone_number::{PhoneNumber, PhoneNumberError},
    },
    settings::{self, Region, UserMode},
    vonage::account::AccountClient,
};

/// The account's API key: it is put into messages, so nothing else may be in its place.
struct ApiKey(String);

impl std::str::FromStr for ApiKey {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_word = !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric());
        is_word
            .then(|| Self(text.to_owned()))
            .ok_or("is no API key: it has letters and digits only")
    }
}

impl Setup<'_, '_> {
    /// The account, and proof that Vonage knows it.
    pub(super) async fn account(&mut self) -> anyhow::Result<AccountClient> {
        let mut fresh = Vec::new();
        match (&self.args.api_key, &self.so_far.api_key) {
            (Some(given), Some(set)) if given != set => {
                return Err(conflict("--api-key", given, "VONAGE_API_KEY", set));
            }
            (_, Some(_)) => {}
            (Some(given), None) => {
                self.so_far.api_key = Some(given.clone());
                fresh.push("VONAGE_API_KEY");
            }
            (None, None) => {
                let question = "Vonage API key (https://dashboard.nexmo.com/settings)";
                let ApiKey(key) = self
                    .prompt
                    .ask(question, "set VONAGE_API_KEY, or give --api-key")?;
                self.so_far.api_key = Some(key);
                fresh.push("VONAGE_API_KEY");
            }
        }
        if self.so_far.api_secret.is_none() {
            let question = "Vonage API secret (on the same page)";
            let secret = self.prompt.need_secret(question, "set VONAGE_API_SECRET")?;
            self.so_far.api_secret = Some(secret);
            fresh.push("VONAGE_API_SECRET");
        }
        let access = self.so_far.account()?;
        let secret = access.api_secret.clone();
        let client = account::account_client(access)?;
        // The first request tells whether key and secret are right, before anything is written.
        let balance = client.balance().await?;
        let what = format!("account {} with EUR {:.2}", client.api_key(), balance.value);
        self.tell(Standing::AlreadyThere, what)?;
        let values: Vec<(&str, &str)> = fresh
            .into_iter()
            .map(|name| match name {
                "VONAGE_API_KEY" => (name, client.api_key()),
                _ => (name, secret.expose_secret()),
            })
            .collect();
        if !values.is_empty() {
            self.write_variables(&values)?;
        }
        Ok(client)
    }

    /// Where visitors and Vonage reach the service.
    pub(super) fn public_url(&mut self) -> anyhow::Result<Url> {
        let vonage = self.so_far.api_url.clone();
        let is_out_of_reach = |url: &Url| {
            let vonage = vonage.as_ref();
            vonage.is_some_and(|vonage| settings::is_out_of_reach(url, vonage))
        };
        let url = match (self.args.public_url.clone(), self.so_far.public_url.clone()) {
            (Some(given), Some(set)) if given != set => {
                return Err(conflict(
                    "--public-url",
                    given.as_str(),
                    "PUBLIC_URL",
                    set.as_str(),
                ));
            }
            (_, Some(set)) => {
                let origin = set.origin().ascii_serialization();
                anyhow::ensure!(
                    !is_out_of_reach(&set),
                    "PUBLIC_URL is {origin}, which {OUT_OF_REACH}; change it where it is set (`click-to-call config show` \
                     says where)"
                );
                self.tell(Standing::AlreadyThere, format!("the address {origin}"))?;
                set
            }
            (given, None) => {
                let url = if let Some(given) = given {
                    let origin = given.origin().ascii_serialization();
                    anyhow::ensure!(
                        !is_out_of_reach(&given),
                        "--public-url: {origin} {OUT_OF_REACH}"
                    );
                    given
                } else {
                    let question = "Address under which visitors and Vonage will reach the service, like \
                                    https://calls.example.com";
                    let read = |text: &str| match settings::parse_origin(text)? {
                        url if is_out_of_reach(&url) => Err(OUT_OF_REACH.to_owned()),
                        url => Ok(url),
                    };
                    self.prompt.ask_for(question, "give --public-url", read)?
                };
                let origin = url.origin().ascii_serialization();
                self.write_variables(&[("PUBLIC_URL", &origin)])?;
                url
            }
        };
        if url.scheme() != "https" {
            writeln!(
                self.prompt.handles.err,
                "warning: {url} is not https: browsers give the microphone to https pages only, and Vonage must be able to \
                 reach the address"
            )?;
        }
        Ok(url)
    }

    /// Where users and calls live; `None` when neither the flag nor the settings say so.
    pub(super) fn region(&mut self) -> anyhow::Result<Option<Region>> {
        let Some(given) = self.args.region.map(Region::from) else {
            return Ok(self.so_far.region.filter(|_| self.so_far.region_is_set));
        };
        if !self.so_far.region_is_set {
            self.write_variables(&[("VONAGE_REGION", given.as_str())])?;
        }
        Ok(Some(given))
    }

    /// The telephone that rings, and who may make it ring.
    pub(super) fn destination(&mut self) -> anyhow::Result<()> {
        let mut fresh = false;
        match (&self.args.destination, &self.so_far.destination) {
            (Some(given), Some(set)) if given != set => {
                return Err(conflict(
                    "--destination",
                    &given.to_international(),
                    "lines.support.destination",
                    &set.to_international(),
                ));
            }
            (_, Some(set)) => {
                let what = format!("the desk's telephone {}", set.to_international());
                self.tell(Standing::AlreadyThere, what)?;
            }
            (given, None) => {
                let destination: PhoneNumber = match given {
                    Some(given) => given.clone(),
                    None => self.prompt.ask_for(
                        "The telephone that is to ring, with its country code",
                        "give --destination",
                        |text| {
                            text.parse().map_err(|error: PhoneNumberError| {
                                format!("is not a telephone number to call: {error}")
                            })
                        },
                    )?,
                };
                self.write_key("lines.support", "destination", destination.as_str())?;
                self.so_far.destination = Some(destination);
                fresh = true;
            }
        }
        if self.so_far.phone_line {
            return Ok(());
        }
        // Asked once, together with the destination; without anybody to ask the answer is no.
        let question = "Connect people who telephone the Vonage number to the desk, too?";
        let ask = fresh && !self.args.yes;
        if self.args.phone_line || (ask && self.prompt.confirm(question)?) {
            self.write_key("calls", "phone_line", "support")?;
        }
        Ok(())
    }

    /// One user for each visitor, or one for all. It has a default, so that nobody is asked.
    pub(super) fn users_mode(&mut self) -> anyhow::Result<()> {
        let set = self.so_far.users.unwrap_or(UserMode::PerVisitor);
        let given = self.args.users.map_or(set, UserMode::from);
        match (given, set) {
            (UserMode::Shared, UserMode::PerVisitor) if self.so_far.users_is_set => Err(conflict(
                "--users",
                "shared",
                "visitors.users",
                "per-visitor",
            )),
            (UserMode::Shared, UserMode::PerVisitor) => {
                self.write_key("visitors", "users", "shared")?;
                self.so_far.users = Some(UserMode::Shared);
                Ok(())
            }
            (UserMode::PerVisitor, UserMode::Shared) => Err(conflict(
                "--users",
                "per-visitor",
                "visitors.users",
                "shared",
            )),
            _ => Ok(()),
        }
    }

    /// The one user of the shared mode.
    pub(super) async fn shared_user(&mut self, clock: &Clock) -> anyhow::Result<()> {
        if self.so_far.users != Some(UserMode::Shared) {
            return Ok(());
        }
        let name = self.so_far.shared_user.clone().unwrap_or_default();
        if self.args.dry_run && self.so_far.application_id.is_none() {
            return self.tell(Standing::WillDo, format!("the user {name}"));
        }
        let access = self.so_far.application()?;
        let client = account::users_client(access, clock, self.prompt.handles)?;
        if client.find(&name).await?.is_some() {
            return self.tell(Standing::AlreadyThere, format!("the user {name}"));
        }
        if self.begin(&format!("create the user {name}"))? {
            client.create(&name, None).await?;
            self.tell(Standing::Done, format!("the user {name}"))?;
        }
        Ok(())
    }

    /// The signature secret: Vonage has no interface for it, so a person has to copy it.
    pub(super) fn signature_secret(&mut self) -> anyhow::Result<()> {
        if self.so_far.signature_secret.is_some() {
            return self.tell(Standing::AlreadyThere, "the signature secret");
        }
        let place = "copy the signature secret from Vonage's dashboard (https://dashboard.nexmo.com/settings, API settings, \
                     Signed webhooks; method SHA-256 HMAC if you are asked)";
        if !self.args.yes && !self.args.dry_run {
            let question = format!("Now {place} and paste it here, or leave it empty for later");
            if let Some(secret) = self
                .prompt
                .ask_secret(&question, "set VONAGE_SIGNATURE_SECRET")?
            {
                return self
                    .write_variables(&[("VONAGE_SIGNATURE_SECRET", secret.expose_secret())]);
            }
        }
        self.tell(
            Standing::ByHand,
            format!(
                "{place} into {} as VONAGE_SIGNATURE_SECRET=...",
                self.files.env.display()
            ),
        )
    }
}
