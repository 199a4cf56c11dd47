//! What a live run needs: all that is missing is told at once.

use std::net::SocketAddr;

use anyhow::bail;
use secrecy::SecretString;
use url::Url;

use crate::{
    cli::{account::ensure_in_reach, doctor::checks::destination::no_country},
    domain::phone_number::PhoneNumber,
    settings::{
        Http, Region, Sources,
        so_far::{self, AccountAccess, SettingsSoFar},
    },
};

/// The settings that a live run uses.
pub(super) struct Needs {
    pub(super) account: AccountAccess,
    pub(super) public_url: Url,
    pub(super) region: Region,
    /// Host that the Client SDK talks to.
    pub(super) client_api_url: Url,
    /// `token.acl`
    pub(super) acl: Vec<String>,
    /// `None`: no calls are made.
    pub(super) calls: Option<CallNeeds>,
}

/// What calls need beside.
#[derive(Clone)]
pub(super) struct CallNeeds {
    pub(super) signature_secret: SecretString,
    /// The account's number, which the telephone is to show.
    pub(super) number: PhoneNumber,
    /// The telephone that rings.
    pub(super) destination: PhoneNumber,
    /// Where `PUBLIC_URL` leads to on this machine.
    pub(super) address: SocketAddr,
}

impl Needs {
    /// Reads them; those of calls if there are to be any. `port` takes the place of `http.port`.
    ///
    /// # Errors
    /// Everything that is missing or wrong, together.
    pub(super) fn read(
        sources: &Sources,
        with_calls: bool,
        port: Option<u16>,
    ) -> anyhow::Result<Self> {
        let so_far = so_far::load_so_far(sources);
        let sections = so_far::load_sections_so_far(sources);
        let account = so_far.account();
        let calls = call_needs(&so_far, sections.http.as_ref(), port);
        let refused = if with_calls {
            refusals(&so_far)
        } else {
            Vec::new()
        };
        if let (Ok(account), Some(public_url), Some(region), Some(client_api_url), Some(token)) = (
            &account,
            &so_far.public_url,
            so_far.region,
            &sections.client_api_url,
            &sections.token,
        ) && (calls.is_some() || !with_calls)
            && refused.is_empty()
        {
            return Ok(Self {
                account: account.clone(),
                public_url: public_url.clone(),
                region,
                client_api_url: client_api_url.clone(),
                acl: token.acl_paths.clone(),
                calls: calls.filter(|_| with_calls),
            });
        }
        let mut missing: Vec<String> = so_far.faults.iter().map(ToString::to_string).collect();
        let more = sections.faults.iter();
        let more = more.filter(|fault| !so_far.faults.contains(fault));
        missing.extend(more.map(ToString::to_string));
        if let Err(faults) = account {
            let more = faults
                .0
                .iter()
                .filter(|fault| !so_far.faults.contains(fault));
            missing.extend(more.map(ToString::to_string));
        }
        missing.extend(refused);
        let secret = so_far.signature_secret.is_some();
        for (key, variable, is_there) in [
            ("http.public_url", "PUBLIC_URL", so_far.public_url.is_some()),
            (
                "vonage.signature_secret",
                "VONAGE_SIGNATURE_SECRET",
                secret || !with_calls,
            ),
            (
                "vonage.number",
                "VONAGE_NUMBER",
                so_far.number.is_some() || !with_calls,
            ),
            (
                "lines.support.destination",
                "DESTINATION_PHONE_NUMBER",
                so_far.destination.is_some() || !with_calls,
            ),
        ] {
            let is_faulty = so_far.faults.iter().any(|fault| fault.subject == key);
            if !is_there && !is_faulty {
                missing.push(format!("{key}: is not set; set {variable}"));
            }
        }
        if so_far.number.is_some() && so_far.number == so_far.destination && with_calls {
            missing.push(
                "VONAGE_NUMBER and DESTINATION_PHONE_NUMBER are the same: the call would ring at itself".to_owned(),
            );
        }
        let without_calls = if with_calls {
            "\nWithout calls (--budget 0) it needs less."
        } else {
            ""
        };
        bail!(
            "doctor --live needs more than there is:\n  {}{without_calls}",
            missing.join("\n  ")
        )
    }
}

/// What is there and would make the calls useless or dear.
fn refusals(so_far: &SettingsSoFar) -> Vec<String> {
    let mut refusals = Vec::new();
    if let (Some(public_url), Some(api_url)) = (&so_far.public_url, &so_far.api_url)
        && let Err(error) = ensure_in_reach(public_url, api_url)
    {
        refusals.push(format!("http.public_url: {error}"));
    }
    if let Some(why) = so_far.destination.as_ref().and_then(no_country) {
        refusals.push(format!("lines.support.destination: {why}"));
    }
    refusals
}

fn call_needs(so_far: &SettingsSoFar, http: Option<&Http>, port: Option<u16>) -> Option<CallNeeds> {
    let mut address = http.map(|http| SocketAddr::new(http.bind, http.port))?;
    if let Some(port) = port {
        address.set_port(port);
    }
    let (number, destination) = (so_far.number.clone()?, so_far.destination.clone()?);
    (number != destination).then_some(CallNeeds {
        signature_secret: so_far.signature_secret.clone()?,
        number,
        destination,
        address,
    })
}
