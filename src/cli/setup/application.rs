//! The key pair and the application.

use url::Url;

use super::{Setup, conflict, exists, report::Standing, with_region};
use crate::{
    cli::keygen,
    settings::{PrivateKeySource, Region, Sources},
    vonage::{
        account::{
            AccountClient,
            applications::{Application, Change, Wanted, region_of},
        },
        key::ApplicationKey,
    },
};

/// Length of a new key: the least that is taken, and the quickest to sign with.
const KEY_BITS: usize = 2_048;

impl Setup<'_, '_> {
    /// Makes the key pair unless there is one. Returns its public half; `None` where there will be one (`--dry-run`).
    pub(super) fn key_pair(&mut self) -> anyhow::Result<Option<String>> {
        let source = self.so_far.private_key.clone();
        let source = source.unwrap_or_else(|| PrivateKeySource::File("private.key".into()));
        if let PrivateKeySource::File(path) = &source
            && !exists(path)
        {
            let what = format!("the key pair, its private half in {}", path.display());
            if !self.begin(&format!("make {what}"))? {
                return Ok(None);
            }
            let public_key = keygen::make(path, KEY_BITS)?;
            self.tell(Standing::Done, what)?;
            return Ok(Some(public_key));
        }
        let (key, warnings) = ApplicationKey::load(&source)?;
        for warning in warnings {
            writeln!(self.prompt.handles.err, "warning: {warning}")?;
        }
        let what = match &source {
            PrivateKeySource::File(path) => {
                format!("the key pair, its private half in {}", path.display())
            }
            PrivateKeySource::Text(_) => {
                "the key pair, its private half in VONAGE_PRIVATE_KEY".to_owned()
            }
        };
        self.tell(Standing::AlreadyThere, what)?;
        Ok(Some(key.public_key_pem()))
    }

    /// Creates the application, or makes the one that is there what the service needs. Returns its id; `None` where
    /// there will be one (`--dry-run`).
    pub(super) async fn application(
        &mut self,
        client: &AccountClient,
        public_key: Option<String>,
        public_url: &Url,
        region: Option<Region>,
        sources: &Sources,
    ) -> anyhow::Result<Option<String>> {
        let found = self.find_application(client, public_key.as_deref()).await?;
        let its_place = found.as_ref().and_then(Application::voice_region);
        let its_region = its_place.and_then(region_of);
        let wanted = Wanted {
            name: None,
            public_key,
            public_url: Some(public_url.clone()),
            // Where nobody named a region, the application's stays.
            region: Some(region.or(its_region).unwrap_or(Region::Us)),
        };
        let application = if let Some(found) = found {
            let adopted = self.adopt(client, found, &wanted).await?;
            if let (None, Some(its_region)) = (region, its_region) {
                self.follow_region(its_region, sources)?;
            }
            adopted
        } else {
            let what = format!("the application {:?}", self.args.name);
            if !self.begin(&format!("create {what}"))? {
                return Ok(None);
            }
            let made = client.create_application(&self.args.name, &wanted).await?;
            self.tell(Standing::Done, format!("{what}, id {}", made.id()))?;
            made
        };
        let id = application.id().to_owned();
        if self.so_far.application_id.is_none() {
            self.write_variables(&[("VONAGE_APPLICATION_ID", &id)])?;
            self.so_far.application_id = Some(id.clone());
        }
        Ok(Some(id))
    }

    /// Takes over the region of an application; the default needs no word.
    fn follow_region(&mut self, region: Region, sources: &Sources) -> anyhow::Result<()> {
        if region == Region::Us {
            return Ok(());
        }
        self.write_variables(&[("VONAGE_REGION", region.as_str())])?;
        let followed = with_region(sources, region, &self.so_far);
        self.so_far.region = followed.region;
        self.so_far.api_url = followed.api_url;
        Ok(())
    }

    async fn find_application(
        &mut self,
        client: &AccountClient,
        public_key: Option<&str>,
    ) -> anyhow::Result<Option<Application>> {
        let given = self.args.application.map(|id| id.to_string());
        match (given, &self.so_far.application_id) {
            (Some(given), Some(set)) if given != *set => {
                return Err(conflict(
                    "--application",
                    &given,
                    "VONAGE_APPLICATION_ID",
                    set,
                ));
            }
            (Some(id), _) => return Ok(Some(client.application(&id).await?)),
            (None, Some(id)) => return Ok(Some(client.application(id).await?)),
            (None, None) => {}
        }
        let all = client.applications().await?;
        // Ours from a run that was stopped before its id was written down.
        let ours = all.iter().find(|application| {
            public_key.is_some_and(|public_key| application.has_public_key(public_key))
        });
        if let Some(ours) = ours {
            return Ok(Some(ours.clone()));
        }
        let Some(namesake) = all
            .iter()
            .find(|application| application.name() == self.args.name)
        else {
            return Ok(None);
        };
        let id = namesake.id();
        if self.args.yes {
            anyhow::bail!(
                "there is an application named {:?} already ({id}), with another key; say --application {id} to use it and \
                 give it the new key, or --name for another name",
                self.args.name
            );
        }
        let question = format!(
            "There is an application named {:?} already ({id}), with another key. Use it and give it this one? Tokens of \
             its old key end then",
            self.args.name
        );
        Ok(self.prompt.confirm(&question)?.then(|| namesake.clone()))
    }

    async fn adopt(
        &mut self,
        client: &AccountClient,
        mut application: Application,
        wanted: &Wanted,
    ) -> anyhow::Result<Application> {
        let what = format!(
            "the application {:?}, id {}",
            application.name(),
            application.id()
        );
        let changes = wanted.apply(&mut application);
        if changes.is_empty() {
            self.tell(Standing::AlreadyThere, what)?;
            return Ok(application);
        }
        for change in &changes {
            writeln!(self.prompt.handles.err, "  {change}")?;
        }
        // What is only added harms nobody; what is replaced may be in use.
        let replaces = changes.iter().any(|change: &Change| change.from.is_some());
        if replaces && !self.args.dry_run {
            let question = format!("Change {what} so? What else is in it stays");
            if !self.prompt.confirm(&question)? {
                anyhow::bail!(
                    "the application {} was left as it is; name another one with --application, or make a new one with \
                     --name",
                    application.id()
                );
            }
        }
        if !self.begin(&format!("update {what}"))? {
            return Ok(application);
        }
        let updated = client.replace_application(&application).await?;
        self.tell(Standing::Done, what)?;
        Ok(updated)
    }
}
