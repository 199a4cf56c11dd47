//! Call-control objects (NCCO): what Vonage does with a call, as JSON actions in order.
//!
//! Only the actions that we use. Source: <https://developer.vonage.com/en/voice/voice-api/ncco-reference>

use serde::Serialize;

use crate::domain::line::{Line, LineWords};

/// A list of actions.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Ncco(Vec<Action>);

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "action", rename_all = "lowercase")]
enum Action {
    Talk(Talk),
    Connect(Connect),
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Talk {
    text: String,
    language: String,
    #[serde(skip_serializing_if = "is_zero")]
    style: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Connect {
    /// Set although the caller is an app user, for whom the reference says to leave it out: every sample of
    /// Vonage's own sets it, and without it the desk may see "unknown".
    from: String,
    /// Seconds of ringing.
    timeout: u64,
    /// Longest call in seconds, 7 200 at most.
    limit: u64,
    endpoint: [Endpoint; 1],
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Endpoint {
    Phone { number: String },
}

impl Ncco {
    /// The line's greeting, if it has one, then its telephone.
    pub fn connect(line: &Line, language: &str) -> Self {
        let words = line.words_in(language);
        let mut actions = Vec::new();
        if !words.greeting.is_empty() {
            actions.push(talk(words, &words.greeting));
        }
        actions.push(Action::Connect(Connect {
            from: line.caller_id.as_str().to_owned(),
            timeout: line.ring.as_secs(),
            limit: line.limit.as_secs(),
            endpoint: [Endpoint::Phone {
                number: line.destination.as_str().to_owned(),
            }],
        }));
        Self(actions)
    }

    /// A sentence for a caller who may not be put through. The call ends after it.
    pub fn refusal(words: &LineWords) -> Self {
        Self(vec![talk(words, &words.refusal)])
    }

    /// A sentence for a caller who can't be put through because something is broken here.
    pub fn apology(words: &LineWords) -> Self {
        Self(vec![talk(words, &words.apology)])
    }
}

fn talk(words: &LineWords, text: &str) -> Action {
    Action::Talk(Talk {
        text: text.to_owned(),
        language: words.voice_language.clone(),
        style: words.voice_style,
    })
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the shape that serde asks for"
)]
fn is_zero(style: &u32) -> bool {
    *style == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::time::Duration;

    fn line(greeting: &str) -> Line {
        Line {
            id: "support".into(),
            destination: "447700900000".parse().unwrap(),
            caller_id: "442079460000".parse().unwrap(),
            ring: Duration::from_secs(30),
            limit: Duration::from_mins(15),
            words: LineWords {
                language: "en".into(),
                name: "Support".into(),
                greeting: greeting.into(),
                apology: "Sorry.".into(),
                refusal: "Please call from our website.".into(),
                voice_language: "en-US".into(),
                voice_style: 0,
            },
            other_words: Vec::new(),
        }
    }

    #[test]
    fn a_connect_is_the_tutorials_with_both_limits() {
        assert_eq!(
            serde_json::to_value(Ncco::connect(&line("Hello."), "en")).unwrap(),
            json!([
                {"action": "talk", "text": "Hello.", "language": "en-US"},
                {"action": "connect", "from": "442079460000", "timeout": 30, "limit": 900,
                 "endpoint": [{"type": "phone", "number": "447700900000"}]}
            ])
        );
    }

    #[test]
    fn no_greeting_no_talk() {
        let ncco = serde_json::to_value(Ncco::connect(&line(""), "en")).unwrap();
        assert_eq!(ncco.as_array().unwrap().len(), 1);
    }

    #[test]
    fn an_unknown_language_hears_the_first() {
        let line = line("Hello.");
        assert_eq!(Ncco::connect(&line, "fr"), Ncco::connect(&line, "en"));
    }

    #[test]
    fn refusals_carry_no_number() {
        let line = line("Hello.");
        for ncco in [Ncco::refusal(&line.words), Ncco::apology(&line.words)] {
            let text = serde_json::to_string(&ncco).unwrap();
            assert!(
                !text.contains(line.destination.as_str()) && !text.contains("connect"),
                "{text}"
            );
        }
    }
}
