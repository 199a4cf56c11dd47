//! The settings as far as they go, for what has to work before they are complete: making them so, and finding out what
//! is missing.
//!
//! A key without a value is no fault here, and a fault of one key stands in the way of that key alone.

use secrecy::SecretString;
use url::Url;

use super::{
    DatabaseUrl, Fault, Faults, Http, PrivateKeySource, Region, Token, UserMode, Visitors,
    Webhooks,
    key::{Key, Spec},
    layers,
    reader::Reader,
    sections::{calls, database, http, line, token, visitors, vonage, webhooks},
    shown::Shown,
    sources::Sources,
    table,
};
use crate::domain::phone_number::PhoneNumber;

/// What is set and right. `None`: not set, or faulty and then among the [`faults`](Self::faults).
#[derive(Debug)]
pub struct SettingsSoFar {
    /// `vonage.api_key`
    pub api_key: Option<String>,
    /// `vonage.api_secret`
    pub api_secret: Option<SecretString>,
    /// `vonage.application_id`
    pub application_id: Option<String>,
    /// `vonage.private_key` or its file, which need not be there.
    pub private_key: Option<PrivateKeySource>,
    /// `vonage.number`
    pub number: Option<PhoneNumber>,
    /// `vonage.signature_secret`
    pub signature_secret: Option<SecretString>,
    /// `vonage.region`
    pub region: Option<Region>,
    /// Whether that is more than the default.
    pub region_is_set: bool,
    /// `vonage.api_url`, or what follows from the region.
    pub api_url: Option<Url>,
    /// `vonage.rest_url`
    pub rest_url: Option<Url>,
    /// `vonage.users_per_second`
    pub users_per_second: Option<u32>,
    /// `http.public_url`, if it is set.
    pub public_url: Option<Url>,
    /// `lines.support.destination`
    pub destination: Option<PhoneNumber>,
    /// Whether `calls.phone_line` is set.
    pub phone_line: bool,
    /// `visitors.users`
    pub users: Option<UserMode>,
    /// Whether that is more than the default.
    pub users_is_set: bool,
    /// `visitors.shared_user`
    pub shared_user: Option<String>,
    /// `database.url`
    pub database: Option<DatabaseUrl>,
    /// Values that can't be taken, unknown keys, files that can't be read.
    pub faults: Vec<Fault>,
}

/// What a request to the account needs.
#[derive(Debug, Clone)]
pub struct AccountAccess {
    /// The account's API key.
    pub api_key: String,
    /// The account's API secret.
    pub api_secret: SecretString,
    /// Host of the Users and Voice API.
    pub api_url: Url,
    /// Host of the older account API.
    pub rest_url: Url,
}

/// What a request in the name of the application needs.
#[derive(Debug, Clone)]
pub struct ApplicationAccess {
    /// The application's id.
    pub application_id: String,
    /// Its private key.
    pub private_key: PrivateKeySource,
    /// Host of the Users and Voice API.
    pub api_url: Url,
}

/// Loads the settings as far as they go.
pub fn load_so_far(sources: &Sources) -> SettingsSoFar {
    let mut reader = Reader::new(layers::merge(sources));
    let region = reader.value(&vonage::REGION);
    let users = known(&mut reader, &visitors::USERS);
    let is_set = |spec: &Spec| {
        let mut entries = reader.entries.iter();
        entries.any(|entry| entry.spec.name == spec.name && entry.origin != "default")
    };
    let region_is_set = is_set(&vonage::REGION.spec);
    let users_is_set = is_set(&visitors::USERS.spec);
    let mut so_far = SettingsSoFar {
        private_key: vonage::read_private_key(&mut reader).ok(),
        api_url: vonage::read_api_url(&mut reader, region).ok(),
        region: region.ok(),
        region_is_set,
        api_key: known(&mut reader, &vonage::API_KEY),
        api_secret: known(&mut reader, &vonage::API_SECRET),
        application_id: known(&mut reader, &vonage::APPLICATION_ID),
        number: known(&mut reader, &vonage::NUMBER),
        signature_secret: known(&mut reader, &vonage::SIGNATURE_SECRET),
        rest_url: known(&mut reader, &vonage::REST_URL),
        users_per_second: known(&mut reader, &vonage::USERS_PER_SECOND),
        public_url: known(&mut reader, &http::PUBLIC_URL),
        destination: known(&mut reader, &line::DESTINATION),
        phone_line: known(&mut reader, &calls::PHONE_LINE).is_some(),
        users,
        users_is_set,
        shared_user: known(&mut reader, &visitors::SHARED_USER),
        database: known(&mut reader, &database::URL),
        faults: Vec::new(),
    };
    so_far.faults = reader.faults;
    so_far
}

/// Whole sections, for who needs more of them than single keys. `None`: something in it is faulty.
#[derive(Debug)]
pub struct SectionsSoFar {
    /// `http.*`
    pub http: Option<Http>,
    /// `token.*`
    pub token: Option<Token>,
    /// `visitors.*`
    pub visitors: Option<Visitors>,
    /// `webhooks.*`
    pub webhooks: Option<Webhooks>,
    /// `vonage.client_api_url`, or what follows from the region.
    pub client_api_url: Option<Url>,
    /// What is wrong with those that are `None`.
    pub faults: Vec<Fault>,
}

/// Loads those sections that have no fault.
pub fn load_sections_so_far(sources: &Sources) -> SectionsSoFar {
    let mut reader = Reader::new(layers::merge(sources));
    let region = reader.value(&vonage::REGION);
    let mut so_far = SectionsSoFar {
        http: http::read(&mut reader).ok(),
        token: token::read(&mut reader).ok(),
        visitors: visitors::read(&mut reader).ok(),
        webhooks: webhooks::read(&mut reader).ok(),
        client_api_url: vonage::read_client_api_url(&mut reader, region).ok(),
        faults: Vec::new(),
    };
    so_far.faults = reader.faults;
    so_far
}

fn known<T: Shown>(reader: &mut Reader, key: &'static Key<T>) -> Option<T> {
    // The reader has noted the fault.
    reader.optional(key).unwrap_or_default()
}

impl SettingsSoFar {
    /// What a request to the account needs.
    ///
    /// # Errors
    /// What of it is missing or wrong, all together; faults of other keys don't matter.
    pub fn account(&self) -> Result<AccountAccess, Faults> {
        let faults = self.faults_about(
            &[
                &vonage::REGION.spec,
                &vonage::API_URL.spec,
                &vonage::REST_URL.spec,
            ],
            &[
                (&vonage::API_KEY.spec, self.api_key.is_some()),
                (&vonage::API_SECRET.spec, self.api_secret.is_some()),
            ],
        );
        match self {
            Self {
                api_key: Some(api_key),
                api_secret: Some(api_secret),
                api_url: Some(api_url),
                rest_url: Some(rest_url),
                ..
            } if faults.is_empty() => Ok(AccountAccess {
                api_key: api_key.clone(),
                api_secret: api_secret.clone(),
                api_url: api_url.clone(),
                rest_url: rest_url.clone(),
            }),
            _ => Err(Faults(faults)),
        }
    }

    /// What a request in the name of the application needs.
    ///
    /// # Errors
    /// As [`account`](Self::account).
    pub fn application(&self) -> Result<ApplicationAccess, Faults> {
        let faults = self.faults_about(
            &[
                &vonage::REGION.spec,
                &vonage::API_URL.spec,
                &vonage::PRIVATE_KEY.spec,
                &vonage::PRIVATE_KEY_FILE.spec,
            ],
            &[(&vonage::APPLICATION_ID.spec, self.application_id.is_some())],
        );
        match self {
            Self {
                application_id: Some(application_id),
                private_key: Some(private_key),
                api_url: Some(api_url),
                ..
            } if faults.is_empty() => Ok(ApplicationAccess {
                application_id: application_id.clone(),
                private_key: private_key.clone(),
                api_url: api_url.clone(),
            }),
            _ => Err(Faults(faults)),
        }
    }

    /// The faults of these keys, and those that are no key's: a misspelt name may be one of these. Of the second list, a
    /// key that is not set is a fault too.
    fn faults_about(
        &self,
        used: &[&'static Spec],
        required: &[(&'static Spec, bool)],
    ) -> Vec<Fault> {
        let required_specs = required.iter().map(|(spec, _is_set)| *spec);
        let about: Vec<&Spec> = used.iter().copied().chain(required_specs).collect();
        let mut faults: Vec<Fault> = self
            .faults
            .iter()
            .filter(|fault| {
                about.iter().any(|spec| spec.name == fault.subject)
                    || table::find(&fault.subject).is_none()
            })
            .cloned()
            .collect();
        for (spec, is_set) in required {
            if !is_set && !faults.iter().any(|fault| fault.subject == spec.name) {
                faults.push(Fault::missing(spec));
            }
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn so_far(variables: &[(&str, &str)]) -> SettingsSoFar {
        let text = |text: &str| text.to_owned();
        let pair = |(name, value): &(&str, &str)| (text(name), text(value));
        load_so_far(&Sources {
            environment: variables.iter().map(pair).collect(),
            ..Sources::default()
        })
    }

    fn subjects<T: std::fmt::Debug>(outcome: Result<T, Faults>) -> Vec<String> {
        let faults = outcome.unwrap_err().0;
        faults.into_iter().map(|fault| fault.subject).collect()
    }

    #[test]
    fn nothing_set_is_no_fault_until_it_is_needed() {
        let so_far = so_far(&[]);
        assert_eq!(so_far.faults, []);
        assert_eq!(
            so_far.api_url.as_ref().unwrap().as_str(),
            "https://api-us-3.vonage.com/"
        );
        assert_eq!(
            subjects(so_far.account()),
            ["vonage.api_key", "vonage.api_secret"]
        );
        assert_eq!(subjects(so_far.application()), ["vonage.application_id"]);
    }

    #[test]
    fn only_faults_of_what_is_needed_stand_in_the_way() {
        let account = [
            ("VONAGE_API_KEY", "abcd1234"),
            ("VONAGE_API_SECRET", "canary"),
        ];
        let with = |name, value| so_far(&[&account[..], &[(name, value)]].concat());
        with("VONAGE_NUMBER", "telephone").account().unwrap();
        assert_eq!(with("VONAGE_NUMBER", "telephone").faults.len(), 1);
        assert_eq!(
            subjects(with("VONAGE_REST_URL", "nowhere").account()),
            ["vonage.rest_url"]
        );
        assert_eq!(
            subjects(with("CLICK_TO_CALL__VONAGE__API_KYE", "x").account()),
            ["CLICK_TO_CALL__VONAGE__API_KYE"]
        );
    }
}
