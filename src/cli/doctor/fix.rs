//! Mends what can be mended without risk: nothing is bought, nothing of the owner's is lost.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use super::{
    check::{Finding, Trouble},
    context::Context,
};
use crate::vonage::account::applications::{self, Application, Change};

/// A way to mend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fix {
    /// Keep the key file from others, by this mode.
    KeyMode { path: PathBuf, mode: u32 },
    /// Lead the application's webhooks here, but for those that lead to another place.
    Webhooks,
    /// Have Vonage sign the webhooks.
    SignedCallbacks,
    /// Keep the calls' content from Vonage's AI.
    Privacy,
    /// Link the number, which leads nowhere yet.
    LinkNumber,
    /// Make the shared user.
    SharedUser,
}

/// What came of mending.
#[derive(Debug)]
pub(super) struct Mended {
    /// What was done, or why it was not.
    pub(super) outcome: Result<String, String>,
}

impl Mended {
    /// Whether something was changed.
    pub(super) fn is_done(&self) -> bool {
        self.outcome.is_ok()
    }
}

/// Mends what the findings offer, each once.
pub(super) async fn mend(context: &Context, findings: &[Finding]) -> Vec<Mended> {
    let mut fixes: Vec<&Fix> = Vec::new();
    for fix in findings
        .iter()
        .filter_map(|finding| finding.complaint()?.fix.as_ref())
    {
        if !fixes.contains(&fix) {
            fixes.push(fix);
        }
    }
    let mut mended = Vec::new();
    for fix in fixes {
        let outcome = match fix {
            Fix::KeyMode { path, mode } => restrict(path, *mode),
            Fix::Webhooks => webhooks(context).await,
            Fix::SignedCallbacks => edit(context, applications::sign_callbacks).await,
            Fix::Privacy => {
                edit(context, |application| {
                    applications::keep_content(application)
                        .into_iter()
                        .collect()
                })
                .await
            }
            Fix::LinkNumber => link_number(context).await,
            Fix::SharedUser => shared_user(context).await,
        };
        mended.push(Mended { outcome });
    }
    mended
}

fn restrict(path: &Path, mode: u32) -> Result<String, String> {
    fs::set_permissions(path, Permissions::from_mode(mode))
        .map_err(|error| format!("the mode of {} can't be changed: {error}", path.display()))?;
    Ok(format!("{} has the mode {mode:04o} now", path.display()))
}

async fn webhooks(context: &Context) -> Result<String, String> {
    let public_url = context.reachable_url().map_err(why)?;
    edit(context, |application| {
        applications::lead_own_webhooks(application, public_url)
    })
    .await
}

/// Read again, changed and written back whole: an application is replaced by what is sent.
async fn edit(
    context: &Context,
    change: impl FnOnce(&mut Application) -> Vec<Change>,
) -> Result<String, String> {
    let account = context.account().map_err(why)?;
    let id = context.application_id().map_err(why)?;
    let mut application = account
        .application(id)
        .await
        .map_err(|error| error.to_string())?;
    let changes = change(&mut application);
    if changes.is_empty() {
        return Err("the application has been changed meanwhile".to_owned());
    }
    account
        .replace_application(&application)
        .await
        .map_err(|error| error.to_string())?;
    let changes: Vec<String> = changes
        .iter()
        .map(|change| {
            let before = change
                .from
                .as_deref()
                .map_or_else(String::new, |from| format!(" instead of {from}"));
            format!("{}: {}{before}", change.what, change.to)
        })
        .collect();
    Ok(format!(
        "application {:?}: {}",
        application.name(),
        changes.join("; ")
    ))
}

async fn link_number(context: &Context) -> Result<String, String> {
    let account = context.account().map_err(why)?;
    let id = context.application_id().map_err(why)?;
    let digits = context.number().map_err(why)?.as_str();
    let number = account
        .owned_number(digits)
        .await
        .map_err(|error| error.to_string())?
        .filter(|number| number.app_id.is_none())
        .ok_or_else(|| format!("{digits} has been linked meanwhile"))?;
    account
        .link_number(&number, id)
        .await
        .map_err(|error| error.to_string())?;
    Ok(format!("{digits} is linked to the application {id}"))
}

async fn shared_user(context: &Context) -> Result<String, String> {
    let name = &context.visitors().map_err(why)?.shared_user;
    context
        .users()
        .map_err(why)?
        .create(name, None)
        .await
        .map_err(|error| error.to_string())?;
    Ok(format!("the user {name:?} was made"))
}

fn why(trouble: Trouble) -> String {
    match trouble {
        Trouble::Warning(complaint) | Trouble::Failed(complaint) => complaint.problem,
        Trouble::Skipped(why) => why,
    }
}
