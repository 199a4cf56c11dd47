//! What is asked of Vonage, and what it did.

use serde::Serialize;

/// Something that Vonage's documentation leaves open.
#[derive(Debug)]
pub(super) struct Question {
    /// Its name, the same in every release: scripts read it.
    pub(super) name: &'static str,
    /// The question.
    pub(super) asks: &'static str,
}

/// How what Vonage did stands to what the service assumes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Standing {
    /// The service does the right thing.
    Agrees,
    /// The service, or its settings, assume something else.
    Contradicts,
    /// It could not be found out.
    Untried,
}

impl Standing {
    /// As it is written.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Agrees => "agrees",
            Self::Contradicts => "contradicts",
            Self::Untried => "untried",
        }
    }
}

/// A question and what came of it.
#[derive(Debug, Serialize)]
pub(super) struct Finding {
    pub(super) name: &'static str,
    pub(super) question: &'static str,
    pub(super) standing: Standing,
    /// What Vonage did, or why it was not asked.
    pub(super) found: String,
    /// What that means for this service; empty when it means nothing.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(super) means: &'static str,
}

impl Question {
    /// Vonage does what the service assumes.
    pub(super) fn agrees(&'static self, found: impl Into<String>, means: &'static str) -> Finding {
        self.finding(Standing::Agrees, found, means)
    }

    /// Vonage does something else.
    pub(super) fn contradicts(
        &'static self,
        found: impl Into<String>,
        means: &'static str,
    ) -> Finding {
        self.finding(Standing::Contradicts, found, means)
    }

    /// Vonage could not be asked, or its answer says nothing.
    pub(super) fn untried(&'static self, why: impl Into<String>) -> Finding {
        self.finding(Standing::Untried, why, "")
    }

    fn finding(
        &'static self,
        standing: Standing,
        found: impl Into<String>,
        means: &'static str,
    ) -> Finding {
        Finding {
            name: self.name,
            question: self.asks,
            standing,
            found: found.into(),
            means,
        }
    }
}
