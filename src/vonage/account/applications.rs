//! Applications: read whole, changed in the places that are ours, written back whole.
//!
//! Source: <https://developer.vonage.com/en/api/application.v2>

mod document;
mod signing;
mod wanted;

use reqwest::Method;
use serde_json::Value;

pub use self::{
    document::{Application, HttpMethod, Webhook, WebhookKind},
    signing::{Signed, has_webhooks, sign_callbacks, unsigned},
    wanted::{
        Change, Wanted, has_webhooks_elsewhere, keep_content, lead_own_webhooks, region_of,
        voice_region,
    },
};
use super::{AccountClient, AccountError, Body, Cause};

/// Applications on a page: the most that Vonage gives.
const PAGE_SIZE: usize = 100;
/// An account with more pages than this has another problem.
const MAX_PAGES: usize = 100;

impl AccountClient {
    /// An application of the account.
    ///
    /// # Errors
    /// [`Cause::NotFound`] when the account has none of this id.
    pub async fn application(&self, id: &str) -> Result<Application, AccountError> {
        let doing = format!("read the application {id}");
        let answer = self
            .ask_api(
                &doing,
                Method::GET,
                &["v2", "applications", id],
                &[],
                Body::None,
            )
            .await?;
        self.read_application(doing, answer)
    }

    /// All applications of the account.
    ///
    /// # Errors
    /// When Vonage does not list them.
    pub async fn applications(&self) -> Result<Vec<Application>, AccountError> {
        let doing = "list the applications";
        let mut all = Vec::new();
        for page in 1..=MAX_PAGES {
            let query = [
                ("page_size", PAGE_SIZE.to_string()),
                ("page", page.to_string()),
            ];
            let mut answer = self
                .ask_api(
                    doing,
                    Method::GET,
                    &["v2", "applications"],
                    &query,
                    Body::None,
                )
                .await?;
            let listed = match answer
                .pointer_mut("/_embedded/applications")
                .map(Value::take)
            {
                Some(Value::Array(listed)) => listed,
                _ => Vec::new(),
            };
            let count = listed.len();
            for application in listed {
                all.push(self.read_application(doing.to_owned(), application)?);
            }
            let pages = answer.get("total_pages").and_then(Value::as_u64);
            let is_last =
                pages.is_none_or(|pages| u64::try_from(page).is_ok_and(|page| page >= pages));
            if count == 0 || is_last {
                break;
            }
        }
        Ok(all)
    }

    /// Creates an application as it is wanted. Only the public half of its key goes out.
    ///
    /// # Errors
    /// When Vonage does not create it. After [`Cause::InDoubt`] it may be there: look for its name or public key.
    pub async fn create_application(
        &self,
        name: &str,
        wanted: &Wanted,
    ) -> Result<Application, AccountError> {
        let doing = format!("create the application {name:?}");
        let mut draft = Application::named(name);
        wanted.apply(&mut draft);
        let body = draft.to_body();
        let answer = self
            .ask_api(
                &doing,
                Method::POST,
                &["v2", "applications"],
                &[],
                Body::Json(&body),
            )
            .await?;
        self.read_application(doing, answer)
    }

    /// Writes an application back. It is replaced whole, so this must be one that was read, and changed since.
    ///
    /// # Errors
    /// When Vonage does not take it; then it is as it was.
    pub async fn replace_application(
        &self,
        application: &Application,
    ) -> Result<Application, AccountError> {
        let id = application.id();
        let doing = format!("update the application {id}");
        let body = application.to_body();
        let answer = self
            .ask_api(
                &doing,
                Method::PUT,
                &["v2", "applications", id],
                &[],
                Body::Json(&body),
            )
            .await?;
        self.read_application(doing, answer)
    }

    fn read_application(&self, doing: String, answer: Value) -> Result<Application, AccountError> {
        Application::from_answer(answer).ok_or_else(|| AccountError {
            doing,
            cause: Cause::Unexpected {
                host: self.applications_url.origin().ascii_serialization(),
                what: "an application without id or name".to_owned(),
            },
        })
    }
}
