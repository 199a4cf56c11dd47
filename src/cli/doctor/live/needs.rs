//! What a live run needs: all that is missing is told at once.

use anyhow::bail;
use url::Url;

use crate::settings::{
    Region, Sources,
    so_far::{self, AccountAccess},
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
}

impl Needs {
    /// Reads them.
    ///
    /// # Errors
    /// Everything that is missing or wrong, together.
    pub(super) fn read(sources: &Sources) -> anyhow::Result<Self> {
        let so_far = so_far::load_so_far(sources);
        let sections = so_far::load_sections_so_far(sources);
        let account = so_far.account();
        if let (Ok(account), Some(public_url), Some(region), Some(client_api_url), Some(token)) = (
            &account,
            &so_far.public_url,
            so_far.region,
            &sections.client_api_url,
            &sections.token,
        ) {
            return Ok(Self {
                account: account.clone(),
                public_url: public_url.clone(),
                region,
                client_api_url: client_api_url.clone(),
                acl: token.acl_paths.clone(),
            });
        }
        let mut missing: Vec<String> = so_far.faults.iter().map(ToString::to_string).collect();
        if let Err(faults) = account {
            let more = faults
                .0
                .iter()
                .filter(|fault| !so_far.faults.contains(fault));
            missing.extend(more.map(ToString::to_string));
        }
        let is_faulty = |key: &str| so_far.faults.iter().any(|fault| fault.subject == key);
        if so_far.public_url.is_none() && !is_faulty("http.public_url") {
            missing.push(
                "http.public_url: is not set; set PUBLIC_URL to the address under which Vonage reaches this machine"
                    .to_owned(),
            );
        }
        bail!(
            "doctor --live needs more than there is:\n  {}",
            missing.join("\n  ")
        )
    }
}
