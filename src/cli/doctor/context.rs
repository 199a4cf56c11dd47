//! What the checks share: the settings as far as they go, and everything that is asked for once.

use std::net::SocketAddr;

use chrono::TimeDelta;
use secrecy::SecretString;
use tokio::sync::OnceCell;
use url::Url;

use super::{
    check::Trouble,
    key_file::KeyFile,
    probe::{self, Probe, Visit},
    reach::{self, Astray},
};
use crate::{
    cli::account::tell_wait,
    domain::{
        clock::Clock,
        installation::{InstallationSeal, Presence},
        phone_number::PhoneNumber,
    },
    settings::{
        self, Faults, Http, Loaded, PrivateKeySource, Region, SignaturePolicy, Sources, Visitors,
        so_far::{self, SectionsSoFar, SettingsSoFar},
    },
    startup,
    store::{self, ConnectError, Looked},
    vonage::{
        account::{
            AccountClient, AccountError, applications::Application, balance::Balance,
            users::UsersClient,
        },
        key::{ApplicationKey, KeyError},
    },
};

/// What a check may look at. Every answer of Vonage's, of the store and of the service is asked for once.
pub(super) struct Context {
    /// What time this machine thinks it is.
    clock: Clock,
    /// The settings, or all that is wrong with them.
    pub(super) loaded: Result<Loaded, Faults>,
    so_far: SettingsSoFar,
    sections: SectionsSoFar,
    key: Option<Result<ApplicationKey, KeyError>>,
    vonage: OnceCell<Result<Option<TimeDelta>, String>>,
    account: Option<AccountClient>,
    users: Option<UsersClient>,
    balance: OnceCell<Result<Balance, AccountError>>,
    application: OnceCell<Result<Application, AccountError>>,
    probe: OnceCell<Result<Probe, AccountError>>,
    store: OnceCell<Result<Option<Looked>, ConnectError>>,
    seal: OnceCell<Result<InstallationSeal, Trouble>>,
    here: OnceCell<Result<Presence, Astray>>,
    public: OnceCell<Result<Presence, Astray>>,
}

impl Context {
    pub(super) fn new(sources: &Sources, clock: &Clock) -> Self {
        let so_far = so_far::load_so_far(sources);
        // How its file is kept is looked at by itself: see `key_file`.
        let key = so_far
            .private_key
            .as_ref()
            .map(|source| ApplicationKey::load(source).map(|(key, _warnings)| key));
        let account = account(&so_far);
        let users = users(&so_far, clock);
        Self {
            clock: clock.clone(),
            loaded: settings::load(sources),
            so_far,
            sections: so_far::load_sections_so_far(sources),
            key,
            vonage: OnceCell::new(),
            account,
            users,
            balance: OnceCell::new(),
            application: OnceCell::new(),
            probe: OnceCell::new(),
            store: OnceCell::new(),
            seal: OnceCell::new(),
            here: OnceCell::new(),
            public: OnceCell::new(),
        }
    }

    /// Where the service listens, and what stands before it.
    pub(super) fn http(&self) -> Result<&Http, Trouble> {
        known(self.sections.http.as_ref(), "http")
    }

    /// Who gets a token.
    pub(super) fn visitors(&self) -> Result<&Visitors, Trouble> {
        known(self.sections.visitors.as_ref(), "visitors")
    }

    /// Whether webhooks must be signed.
    pub(super) fn signatures(&self) -> Result<SignaturePolicy, Trouble> {
        let webhooks = known(self.sections.webhooks.as_ref(), "webhooks")?;
        Ok(webhooks.signatures)
    }

    /// What webhooks are signed with.
    pub(super) fn signature_secret(&self) -> Result<&SecretString, Trouble> {
        let secret = self.so_far.signature_secret.as_ref();
        known(secret, "vonage.signature_secret (VONAGE_SIGNATURE_SECRET)")
    }

    /// The account's API secret, if it is set.
    pub(super) fn api_secret(&self) -> Option<&SecretString> {
        self.so_far.api_secret.as_ref()
    }

    /// The file that the key is in, if it is in one.
    pub(super) fn key_file(&self) -> Result<Option<KeyFile>, Trouble> {
        let source = known(self.so_far.private_key.as_ref(), "vonage.private_key_file")?;
        Ok(match source {
            PrivateKeySource::File(path) => KeyFile::find(path, self.so_far.database.as_ref()),
            PrivateKeySource::Text(_) => None,
        })
    }

    /// The key, or why there is none.
    pub(super) fn key_as_found(&self) -> Result<&Result<ApplicationKey, KeyError>, Trouble> {
        known(self.key.as_ref(), "vonage.private_key_file")
    }

    /// The key, when it can be used.
    pub(super) fn key(&self) -> Result<&ApplicationKey, Trouble> {
        match self.key_as_found()? {
            Ok(key) => Ok(key),
            Err(_fault) => Err(Trouble::skipped("there is no usable key: see key")),
        }
    }

    /// The public address. What follows from the port does not count: nobody else reaches it.
    pub(super) fn public_url(&self) -> Result<&Url, Trouble> {
        known(
            self.so_far.public_url.as_ref(),
            "http.public_url (PUBLIC_URL)",
        )
    }

    /// The public address, when Vonage can reach it.
    pub(super) fn reachable_url(&self) -> Result<&Url, Trouble> {
        let public_url = self.public_url()?;
        if settings::is_out_of_reach(public_url, self.api_url()?) {
            return Err(Trouble::failed(
                format!("PUBLIC_URL is {public_url}, which Vonage can't reach"),
                "set PUBLIC_URL to the https address under which the world reaches this service; on your own machine, \
                 to that of a tunnel",
            ));
        }
        Ok(public_url)
    }

    /// The region that the settings name.
    pub(super) fn region(&self) -> Result<Region, Trouble> {
        known(self.so_far.region.as_ref(), "vonage.region").copied()
    }

    /// The number that callers are shown as.
    pub(super) fn number(&self) -> Result<&PhoneNumber, Trouble> {
        known(self.so_far.number.as_ref(), "vonage.number (VONAGE_NUMBER)")
    }

    /// The telephone that rings.
    pub(super) fn destination(&self) -> Result<&PhoneNumber, Trouble> {
        known(
            self.so_far.destination.as_ref(),
            "lines.support.destination (DESTINATION_PHONE_NUMBER)",
        )
    }

    /// The host that users and calls are asked of.
    pub(super) fn api_url(&self) -> Result<&Url, Trouble> {
        known(self.so_far.api_url.as_ref(), "vonage.api_url")
    }

    /// The application's id.
    pub(super) fn application_id(&self) -> Result<&str, Trouble> {
        let id = self.so_far.application_id.as_ref();
        known(id, "vonage.application_id (VONAGE_APPLICATION_ID)").map(String::as_str)
    }

    /// How far this machine's clock is ahead of Vonage's, if Vonage says what time it is; or why it can't be reached.
    pub(super) async fn vonage(&self) -> Result<&Result<Option<TimeDelta>, String>, Trouble> {
        let url = self.api_url()?;
        Ok(self
            .vonage
            .get_or_init(|| probe::greet(url, &self.clock))
            .await)
    }

    /// The account.
    pub(super) fn account(&self) -> Result<&AccountClient, Trouble> {
        self.account.as_ref().ok_or_else(|| {
            Trouble::skipped(
                "needs VONAGE_API_KEY and VONAGE_API_SECRET, which are not both set and usable",
            )
        })
    }

    /// What the account has left.
    pub(super) async fn balance(&self) -> Result<&Result<Balance, AccountError>, Trouble> {
        let account = self.account()?;
        Ok(self.balance.get_or_init(|| account.balance()).await)
    }

    /// The application as Vonage has it, or why not.
    pub(super) async fn application_as_found(
        &self,
    ) -> Result<&Result<Application, AccountError>, Trouble> {
        let account = self.account()?;
        let id = self.application_id()?;
        Ok(self
            .application
            .get_or_init(|| account.application(id))
            .await)
    }

    /// The application as Vonage has it.
    pub(super) async fn application(&self) -> Result<&Application, Trouble> {
        match self.application_as_found().await? {
            Ok(application) => Ok(application),
            Err(_error) => Err(Trouble::skipped(
                "the application could not be read: see account and application",
            )),
        }
    }

    /// A visitor's way to a token, tried; or why it ends.
    pub(super) async fn probe(&self) -> Result<&Result<Probe, AccountError>, Trouble> {
        let visit = Visit {
            key: self.key()?,
            application_id: self.application_id()?,
            users: self.users()?,
            visitors: self.visitors()?,
            token: known(self.sections.token.as_ref(), "token")?,
            client_api_url: known(
                self.sections.client_api_url.as_ref(),
                "vonage.client_api_url",
            )?,
            clock: &self.clock,
        };
        Ok(self.probe.get_or_init(|| visit.make()).await)
    }

    /// The application's users.
    pub(super) fn users(&self) -> Result<&UsersClient, Trouble> {
        self.users
            .as_ref()
            .ok_or_else(|| Trouble::skipped("the application can't be asked: see settings and key"))
    }

    /// The store as it is found; `None` when it was never opened yet; or why it can't be used.
    pub(super) async fn store(&self) -> Result<&Result<Option<Looked>, ConnectError>, Trouble> {
        let url = known(self.so_far.database.as_ref(), "database.url (DATABASE_URL)")?;
        Ok(self
            .store
            .get_or_init(|| async move {
                // Looking must not leave an empty database behind.
                if !store::exists(url) {
                    return Ok(None);
                }
                store::look(url, startup::SESSION_SECRET).await.map(Some)
            })
            .await)
    }

    /// Asks whether an address leads here.
    pub(super) async fn seal(&self) -> Result<&InstallationSeal, Trouble> {
        let seal = self.seal.get_or_init(|| self.make_seal()).await;
        seal.as_ref().map_err(Trouble::clone)
    }

    async fn make_seal(&self) -> Result<InstallationSeal, Trouble> {
        let visitors = self.visitors()?;
        if let Some(secret) = startup::set_session_secret(visitors) {
            return Ok(InstallationSeal::new(&secret));
        }
        match self.store().await? {
            Ok(Some(Looked {
                secret: Some(secret),
                ..
            })) => Ok(InstallationSeal::new(&**secret)),
            Ok(_) => Err(Trouble::skipped(
                "the service has not run on this database yet, so it has no secret to prove itself with: start it first",
            )),
            Err(_error) => Err(Trouble::skipped(
                "the store can't be opened, and with it the secret: see database",
            )),
        }
    }

    /// Where the service listens on this machine.
    pub(super) fn local_address(&self) -> Result<SocketAddr, Trouble> {
        Ok(self.http()?.local_address())
    }

    /// What answers where the service should be listening on this machine.
    pub(super) async fn here(&self) -> Result<&Result<Presence, Astray>, Trouble> {
        let address = self.local_address()?;
        let seal = self.seal().await?;
        let url = Url::parse(&format!("http://{address}"))
            .map_err(|error| Trouble::skipped(error.to_string()))?;
        Ok(self
            .here
            .get_or_init(|| async move { reach::ask(seal, &url).await })
            .await)
    }

    /// What answers under the public address.
    pub(super) async fn public(&self) -> Result<&Result<Presence, Astray>, Trouble> {
        let url = self.public_url()?;
        let seal = self.seal().await?;
        Ok(self.public.get_or_init(|| reach::ask(seal, url)).await)
    }
}

/// A fault of another key, or a misspelt name, is no reason not to look.
fn account(so_far: &SettingsSoFar) -> Option<AccountClient> {
    AccountClient::new(
        so_far.api_key.clone()?,
        so_far.api_secret.clone()?,
        so_far.api_url.as_ref()?,
        so_far.rest_url.clone()?,
    )
    .ok()
    .map(|client| client.telling(tell_wait))
}

fn users(so_far: &SettingsSoFar, clock: &Clock) -> Option<UsersClient> {
    let (key, _warnings) = ApplicationKey::load(so_far.private_key.as_ref()?).ok()?;
    UsersClient::new(
        so_far.api_url.clone()?,
        so_far.application_id.clone()?,
        key,
        clock.clone(),
    )
    .ok()
    .map(|client| client.telling(tell_wait))
}

fn known<'a, T>(value: Option<&'a T>, key: &str) -> Result<&'a T, Trouble> {
    value.ok_or_else(|| Trouble::skipped(format!("{key} is not set, or not usable: see settings")))
}
