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
use serde_json::{Value, json};

use super::redaction::Redactor;

/// A folder of traces. Files are numbered in the order of what happened.
pub(super) struct Traces {
    folder: PathBuf,
    redactor: Redactor,
    count: AtomicUsize,
    /// The first file that could not be written.
    fault: Mutex<Option<io::Error>>,
}

impl Traces {
    /// Makes the folder, which must not be there yet: traces of two runs would be told apart by nobody.
    pub(super) fn open(folder: &Path, redactor: Redactor) -> anyhow::Result<Self> {
        if folder.symlink_metadata().is_ok() {
            anyhow::bail!(
                "{} is there already; name another folder with --traces",
                folder.display()
            );
        }
        fs::create_dir_all(folder)
            .with_context(|| format!("{} can't be made", folder.display()))?;
        Ok(Self {
            folder: folder.to_owned(),
            redactor,
            count: AtomicUsize::new(1),
            fault: Mutex::default(),
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

    /// Writes one file. A fault is told at the end: it must not stop what is under way.
    fn write(&self, name: &str, content: &Value) {
        let place = self.count.fetch_add(1, Ordering::Relaxed);
        let path = self.folder.join(format!("{place:03}-{name}.json"));
        let content = format!("{:#}\n", self.redactor.value(content));
        if let Err(error) = fs::write(path, content) {
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
