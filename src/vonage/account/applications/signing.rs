//! Which of an application's webhooks Vonage signs.

use super::{
    document::{Application, WebhookKind},
    wanted::{Change, flag, set},
};

/// Has Vonage sign the webhooks, those of voice and of RTC.
pub fn sign_callbacks(application: &mut Application) -> Vec<Change> {
    Signed::ALL
        .into_iter()
        .filter_map(|capability| capability.sign(application))
        .collect()
}

/// The capabilities that have webhooks which are not signed. One without webhooks has nothing to sign yet.
pub fn unsigned(application: &Application) -> Vec<Signed> {
    Signed::ALL
        .into_iter()
        .filter(|capability| {
            capability.has_webhooks(application) && capability.is_signed(application) != Some(true)
        })
        .collect()
}

/// Whether any webhook is set.
pub fn has_webhooks(application: &Application) -> bool {
    Signed::ALL
        .into_iter()
        .any(|capability| capability.has_webhooks(application))
}

/// A capability whose webhooks Vonage can sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signed {
    /// Calls.
    Voice,
    /// Events of the browser's legs.
    Rtc,
}

impl Signed {
    /// All of them.
    pub(super) const ALL: [Self; 2] = [Self::Voice, Self::Rtc];

    /// Whether any of its webhooks leads anywhere.
    pub(super) fn has_webhooks(self, application: &Application) -> bool {
        WebhookKind::ALL
            .into_iter()
            .filter(|kind| kind.place().0 == self.capability())
            .filter_map(|kind| application.webhook(kind))
            .any(|webhook| !webhook.address.is_empty())
    }

    fn is_signed(self, application: &Application) -> Option<bool> {
        match self {
            Self::Voice => application.signs_callbacks(),
            Self::Rtc => application.signs_rtc_callbacks(),
        }
    }

    fn capability(self) -> &'static str {
        match self {
            Self::Voice => "voice",
            Self::Rtc => "rtc",
        }
    }

    /// Has its webhooks signed, if they are not.
    pub(super) fn sign(self, application: &mut Application) -> Option<Change> {
        let what = match self {
            Self::Voice => "signed callbacks",
            Self::Rtc => "signed RTC callbacks",
        };
        let found = self.is_signed(application);
        if found == Some(true) {
            return None;
        }
        let path = ["capabilities", self.capability()];
        set(application, &path, "signed_callbacks", true);
        Some(flag(what, found, "on"))
    }
}
