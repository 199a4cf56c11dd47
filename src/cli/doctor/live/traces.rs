//! What went to and fro, without anything private, in the form of the tests' fixtures.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use anyhow::Context as _;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use url::form_urlencoded;

use super::{listener::Received, redaction::Redactor};

/// A folder of traces. Files are numbered in the order of what happened.
pub(super) struct Traces {
    folder: PathBuf,
    redactor: Redactor,
    count: AtomicUsize,
    /// The first file that could not be written.
    fault: Mutex<Option<io::Error>>,
}

impl Traces {
    /// For a folder that must not be there yet: traces of two runs would be told apart by nobody. It is made
    /// when everything is agreed to.
    pub(super) fn open(folder: &Path, redactor: Redactor) -> anyhow::Result<Self> {
        if folder.symlink_metadata().is_ok() {
            anyhow::bail!(
                "{} is there already; name another folder with --traces",
                folder.display()
            );
        }
        Ok(Self {
            folder: folder.to_owned(),
            redactor,
            count: AtomicUsize::new(1),
            fault: Mutex::default(),
        })
    }

    /// Makes the folder, so that a place that can't be written to is told before anything is spent.
    pub(super) fn make(&self) -> anyhow::Result<()> {
        fs::create_dir_all(&self.folder).with_context(|| {
            format!(
                "cannot make the folder {} for the traces; name another one with --traces",
                self.folder.display()
            )
        })
    }

    /// Where they are.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// A request to Vonage and its answer.
    pub(super) fn request(&self, name: &str, request: &Value, status: u16, answer: &Value) {
        self.write(
            &format!("api-{name}-{status}"),
            &json!({ "request": request, "status": status, "body": answer }),
        );
    }

    /// A webhook: `query_string` and `params` of a GET, `body` of a POST, and the token without its signature.
    pub(super) fn webhook(&self, received: &Received) {
        let token = received.authorization.as_deref().map(opened);
        let payload = self.redactor.value(&received.payload);
        let content = if received.is_get {
            let pairs = payload.as_object().into_iter().flatten();
            let texts = pairs.filter_map(|(name, value)| Some((name, value.as_str()?)));
            let query = form_urlencoded::Serializer::new(String::new())
                .extend_pairs(texts)
                .finish();
            json!({ "method": "GET", "query_string": query, "params": payload, "token": token })
        } else {
            json!({ "method": "POST", "body": payload, "token": token })
        };
        self.write(&format!("webhook-{}", received.slot), &content);
    }

    /// Writes one file. A fault is told at the end: it must not stop what is under way.
    fn write(&self, name: &str, content: &Value) {
        let place = self.count.fetch_add(1, Ordering::Relaxed);
        let path = self.folder.join(format!("{place:03}-{name}.json"));
        let content = format!("{:#}\n", self.redactor.value(content));
        let written = fs::create_dir_all(&self.folder).and_then(|()| fs::write(path, content));
        if let Err(error) = written {
            let mut fault = self
                .fault
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            fault.get_or_insert(error);
        }
    }

    /// The first fault of writing, if there was one.
    pub(super) fn fault(&self) -> Option<io::Error> {
        let mut fault = self
            .fault
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        fault.take()
    }

    /// What was found, without anything private: an answer of Vonage's may hold anything.
    pub(super) fn redact(&self, text: &str) -> String {
        self.redactor.text(text)
    }
}

/// Header and claims of a token; the signature is nobody's business.
fn opened(authorization: &str) -> Value {
    let token = authorization.rsplit(' ').next().unwrap_or_default();
    let mut parts = token.split('.').map(|part| {
        let bytes = URL_SAFE_NO_PAD.decode(part).unwrap_or_default();
        serde_json::from_slice::<Value>(&bytes).unwrap_or_default()
    });
    json!({ "header": parts.next(), "claims": parts.next() })
}
