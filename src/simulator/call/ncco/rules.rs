//! The ranges and exclusions of the NCCO reference, action by action.

use super::{Action, Connect, Endpoint, Input, Record, Talk};

impl Action {
    /// The first rule of the reference that this action breaks.
    pub(super) fn broken_rule(&self) -> Option<String> {
        let mut rules = Rules(None);
        match self {
            Self::Talk(talk) => talk.check(&mut rules),
            Self::Connect(connect) => connect.check(&mut rules),
            Self::Record(record) => record.check(&mut rules),
            Self::Stream(stream) => {
                rules.hold(stream.source.len() == 1, "streamUrl holds one URL");
                rules.level(stream.level);
            }
            Self::Input(input) => input.check(&mut rules),
            Self::Conversation(conversation) => {
                rules.hold(!conversation.name.is_empty(), "name is required");
                rules.hold(
                    !(conversation.mute && conversation.can_speak.is_some()),
                    "mute and canSpeak exclude each other",
                );
                rules.urls(&conversation.event_url, false);
            }
            Self::Notify(notify) => rules.urls(&notify.event_url, true),
            Self::Wait(wait) => rules.hold(
                wait.timeout.is_none_or(f64::is_finite),
                "timeout is a number of seconds",
            ),
            Self::Transfer(transfer) => rules.hold(
                !transfer.conversation_id.is_empty(),
                "conversationId is required",
            ),
        }
        rules.0
    }
}

/// The first rule that is broken.
struct Rules(Option<String>);

impl Rules {
    fn hold(&mut self, holds: bool, rule: &str) {
        if !holds && self.0.is_none() {
            self.0 = Some(rule.to_owned());
        }
    }

    fn range(&mut self, name: &str, value: Option<u64>, shortest: u64, longest: u64) {
        let holds = value.is_none_or(|value| (shortest..=longest).contains(&value));
        self.hold(
            holds,
            &format!("{name} is between {shortest} and {longest}"),
        );
    }

    fn level(&mut self, level: Option<f64>) {
        let holds = level.is_none_or(|level| (-1.0..=1.0).contains(&level));
        self.hold(holds, "level is between -1 and 1");
    }

    fn urls(&mut self, urls: &[String], required: bool) {
        self.hold(
            urls.len() <= 1 && (!required || urls.len() == 1),
            "eventUrl is an array with one URL",
        );
        let web = urls.iter().all(|url| is_web_url(url));
        self.hold(web, "eventUrl is an http or https URL");
    }
}

fn is_web_url(url: &str) -> bool {
    url::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}

/// E.164 without `+`: 7 to 15 digits, as the reference asks for.
pub(in crate::simulator) fn is_number(text: &str) -> bool {
    (7..=15).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

impl Talk {
    fn check(&self, rules: &mut Rules) {
        let ssml = self.text.trim_start().starts_with("<speak>");
        let spoken = if ssml {
            plain(&self.text).chars().count()
        } else {
            self.text.chars().count()
        };
        rules.hold(spoken > 0, "text is required");
        rules.hold(spoken <= 1_500, "text has at most 1500 characters");
        rules.hold(
            self.language.as_ref().is_none_or(|tag| tag.len() >= 2),
            "language is a BCP-47 tag",
        );
        rules.range("style", self.style, 0, 50);
        rules.level(self.level);
    }

    /// The words without SSML tags.
    pub(in crate::simulator) fn words(&self) -> String {
        plain(&self.text)
    }
}

fn plain(text: &str) -> String {
    if !text.trim_start().starts_with("<speak>") {
        return text.to_owned();
    }
    let mut inside_tag = false;
    text.chars()
        .filter(|letter| {
            match letter {
                '<' => inside_tag = true,
                '>' => {
                    inside_tag = false;
                    return false;
                }
                _ => {}
            }
            !inside_tag
        })
        .collect()
}

impl Connect {
    fn check(&self, rules: &mut Rules) {
        rules.hold(self.endpoint.len() == 1, "endpoint holds exactly one");
        rules.range("timeout", self.timeout, 3, 7_200);
        rules.range("limit", self.limit, 1, 7_200);
        rules.urls(&self.event_url, self.event_type.is_some());
        rules.hold(
            self.from.as_deref().is_none_or(is_number),
            "from is E.164 without +",
        );
        rules.hold(
            !(self.random_from_number && self.from.is_some()),
            "from and randomFromNumber exclude each other",
        );
        rules.hold(
            self.machine_detection.is_none() || self.advanced_machine_detection.is_none(),
            "machineDetection and advancedMachineDetection exclude each other",
        );
        if let Some(advanced) = &self.advanced_machine_detection {
            rules.range("beep_timeout", advanced.beep_timeout, 30, 120);
        }
        for endpoint in &self.endpoint {
            endpoint.check(rules);
        }
    }
}

impl Endpoint {
    fn check(&self, rules: &mut Rules) {
        match self {
            Self::Phone {
                number,
                dtmf_answer,
                on_answer,
                shaken: _,
            } => {
                rules.hold(
                    is_number(number),
                    "number is E.164 without +, 7 to 15 digits",
                );
                rules.hold(
                    dtmf_answer
                        .as_deref()
                        .is_none_or(|keys| keys.chars().all(|key| "0123456789*#p".contains(key))),
                    "dtmfAnswer holds 0-9 * # p",
                );
                rules.hold(
                    on_answer
                        .as_ref()
                        .is_none_or(|answer| is_web_url(&answer.url)),
                    "onAnswer.url is an http or https URL",
                );
            }
            Self::App { user } => rules.hold(!user.is_empty(), "user is required"),
            Self::Sip {
                uri,
                user,
                domain,
                headers: _,
                standard_headers: _,
            } => rules.hold(
                uri.as_ref().is_some_and(|uri| uri.starts_with("sip:"))
                    || (user.is_some() && domain.is_some()),
                "a sip endpoint has a uri or a user and a domain",
            ),
            Self::Websocket {
                uri,
                content_type,
                headers: _,
                authorization: _,
            } => {
                rules.hold(uri.starts_with("ws"), "uri is a ws or wss URL");
                rules.hold(
                    content_type.starts_with("audio/l16;rate="),
                    "content-type is audio/l16 with a rate",
                );
            }
            Self::Vbc { extension } => rules.hold(!extension.is_empty(), "extension is required"),
        }
    }
}

impl Record {
    fn check(&self, rules: &mut Rules) {
        rules.hold(
            self.format
                .as_deref()
                .is_none_or(|format| matches!(format, "mp3" | "wav" | "ogg")),
            "format is mp3, wav or ogg",
        );
        rules.hold(
            self.split
                .as_deref()
                .is_none_or(|split| split == "conversation"),
            "split is conversation",
        );
        rules.range("channels", self.channels, 1, 32);
        rules.hold(
            self.channels.is_none_or(|count| count == 1) || self.split.is_some(),
            "channels needs split",
        );
        rules.range("endOnSilence", self.end_on_silence, 3, 10);
        rules.range("timeOut", self.time_out, 3, 7_200);
        rules.hold(
            self.end_on_key
                .as_deref()
                .is_none_or(|key| key.len() == 1 && "0123456789*#".contains(key)),
            "endOnKey is one of 0-9 * #",
        );
        rules.urls(&self.event_url, false);
    }

    /// Whether the recording ends by itself, and the call waits for that.
    pub(in crate::simulator) fn has_stop(&self) -> bool {
        self.end_on_silence.is_some() || self.end_on_key.is_some() || self.time_out.is_some()
    }
}

impl Input {
    fn check(&self, rules: &mut Rules) {
        rules.hold(!self.kinds.is_empty(), "type holds dtmf, speech or both");
        rules.hold(
            self.mode
                .as_deref()
                .is_none_or(|mode| matches!(mode, "synchronous" | "asynchronous")),
            "mode is synchronous or asynchronous",
        );
        if let Some(dtmf) = &self.dtmf {
            rules.range("dtmf.timeOut", dtmf.time_out, 0, 10);
            rules.range("dtmf.maxDigits", dtmf.max_digits, 1, 20);
        }
        if let Some(speech) = &self.speech {
            rules.range("speech.startTimeout", speech.start_timeout, 1, 60);
        }
        rules.urls(&self.event_url, false);
    }
}
