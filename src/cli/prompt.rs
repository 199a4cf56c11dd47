//! Questions to the person at the keyboard, or to whatever answers in their place.

use std::{
    fmt::Display,
    io::{self, IsTerminal as _},
    str::FromStr,
};

use anyhow::{Context as _, bail};
use secrecy::SecretString;

use super::Handles;

/// An answer that is longer is none.
const MAX_ANSWER_BYTES: usize = 4096;
/// Wrong answers that are taken before giving up: something other than a person may be answering.
const TRIES: usize = 3;

/// Asks. Questions go to standard error, so that results stay apart.
pub(super) struct Prompt<'a, 'h> {
    pub(super) handles: &'a mut Handles<'h>,
    /// `--yes`: what costs or changes something is agreed to, and nothing is asked.
    pub(super) assume_yes: bool,
}

impl Prompt<'_, '_> {
    /// Whether to do something. Anything but "y" or "yes" is no.
    ///
    /// # Errors
    /// When nobody answers.
    pub(super) fn confirm(&mut self, question: &str) -> anyhow::Result<bool> {
        if self.assume_yes {
            return Ok(true);
        }
        write!(self.handles.err, "{question} [y/N] ")?;
        let answer = self.line("say --yes to agree beforehand")?;
        Ok(matches!(answer.to_ascii_lowercase().as_str(), "y" | "yes"))
    }

    /// A value, asked for again while it can't be read. `instead` says how to give it beforehand.
    ///
    /// # Errors
    /// When nobody answers, or not with such a value.
    pub(super) fn ask<T>(&mut self, question: &str, instead: &str) -> anyhow::Result<T>
    where
        T: FromStr,
        T::Err: Display,
    {
        self.ask_for(question, instead, str::parse)
    }

    /// A value that `read` makes of the answer. What it says of a wrong one follows the answer.
    ///
    /// # Errors
    /// When nobody answers, or not with such a value.
    pub(super) fn ask_for<T, E: Display>(
        &mut self,
        question: &str,
        instead: &str,
        read: impl Fn(&str) -> Result<T, E>,
    ) -> anyhow::Result<T> {
        self.refuse_to_guess(question, instead)?;
        for _ in 0..TRIES {
            write!(self.handles.err, "{question}: ")?;
            let answer = self.line(instead)?;
            match read(&answer) {
                Ok(value) => return Ok(value),
                Err(error) => writeln!(self.handles.err, "  {answer:?} {error}")?,
            }
        }
        bail!("no usable answer; {instead}")
    }

    /// A secret, which is not shown while it is typed. `None`: left empty.
    ///
    /// # Errors
    /// When nobody answers.
    pub(super) fn ask_secret(
        &mut self,
        question: &str,
        instead: &str,
    ) -> anyhow::Result<Option<SecretString>> {
        self.refuse_to_guess(question, instead)?;
        write!(self.handles.err, "{question}: ")?;
        self.handles.err.flush()?;
        let answer = if io::stdin().is_terminal() {
            rpassword::read_password().context("the answer can't be read")?
        } else {
            self.line(instead)?
        };
        let answer = answer.trim();
        Ok((!answer.is_empty()).then(|| SecretString::from(answer)))
    }

    /// A secret without which nothing goes on.
    ///
    /// # Errors
    /// When nobody answers, or `TRIES` times with nothing.
    pub(super) fn need_secret(
        &mut self,
        question: &str,
        instead: &str,
    ) -> anyhow::Result<SecretString> {
        for _ in 0..TRIES {
            if let Some(secret) = self.ask_secret(question, instead)? {
                return Ok(secret);
            }
            writeln!(
                self.handles.err,
                "  nothing was given; without it nothing can be set up"
            )?;
        }
        bail!("no usable answer; {instead}")
    }

    fn refuse_to_guess(&self, question: &str, instead: &str) -> anyhow::Result<()> {
        if self.assume_yes {
            bail!("{question}: not known, and --yes asks nothing; {instead}");
        }
        Ok(())
    }

    /// A line of the input. It is read byte by byte, so that what follows it is left for the next question.
    fn line(&mut self, instead: &str) -> anyhow::Result<String> {
        self.handles.err.flush()?;
        let mut line = Vec::new();
        let mut byte = [0];
        loop {
            let read = self.handles.input.read(&mut byte)?;
            let [byte] = byte;
            match (read, byte) {
                (0, _) if line.is_empty() => {
                    writeln!(self.handles.err)?;
                    bail!("there is nobody to ask; {instead}");
                }
                (0, _) | (_, b'\n') => break,
                _ => line.push(byte),
            }
            if line.len() > MAX_ANSWER_BYTES {
                bail!("the answer has more than {MAX_ANSWER_BYTES} bytes");
            }
        }
        let line = String::from_utf8(line).context("the answer is not UTF-8 text")?;
        Ok(line.trim().to_owned())
    }
}
