//! One key of the settings: its names, the form of its value, its default and what it means.
//!
//! [`Spec`] is the part that is the same for all keys; the table of them ([`super::table`]) drives loading,
//! `config show`, the manual and the wording of faults. [`Key`] adds the type of the value.

use config::{Value, ValueKind};

/// What is known of a key without its type.
#[derive(Debug)]
pub struct Spec {
    /// `section.key`, as in a file.
    pub name: &'static str,
    /// Short names of the variables that set it, the first one wins. Each key can also be set by
    /// [`Spec::long_variable`].
    pub variables: &'static [&'static str],
    /// The default as it stands in `config/default.toml`, in TOML.
    pub default: Default,
    /// Never shown.
    pub secret: bool,
    /// Its value may also be read from a file, see [`Spec::file_variables`].
    pub from_file: bool,
    /// What it is for: whole sentences.
    pub meaning: &'static str,
    /// The form of its value, in words.
    pub expected: fn() -> String,
    /// An empty text in a file is a value, not "unset".
    pub keeps_empty: bool,
}

/// What holds when a key is not set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Default {
    /// This value, in TOML.
    Value(&'static str),
    /// Nothing: the start is refused. The example, in TOML, stands in the manual.
    Required(&'static str),
    /// Something that follows from other keys, or nothing; `meaning` says what. With an example in TOML.
    Unset(&'static str),
}

/// A key whose value is a `T`.
#[derive(Debug)]
pub(super) struct Key<T: 'static> {
    /// All but the type.
    pub spec: Spec,
    /// Reads a value, or says in words what is wrong with it (without repeating it).
    pub parse: fn(&Raw) -> Result<T, String>,
}

/// How values of a kind are written: the words for it and the reading of it.
#[derive(Debug)]
pub(super) struct Form<T> {
    pub expected: fn() -> String,
    pub parse: fn(&Raw) -> Result<T, String>,
}

impl<T> Key<T> {
    pub(super) const fn new(
        name: &'static str,
        form: &Form<T>,
        default: Default,
        meaning: &'static str,
    ) -> Self {
        Self {
            spec: Spec {
                name,
                variables: &[],
                default,
                secret: false,
                from_file: false,
                meaning,
                expected: form.expected,
                keeps_empty: false,
            },
            parse: form.parse,
        }
    }

    /// Short names of variables.
    pub(super) const fn variables(mut self, variables: &'static [&'static str]) -> Self {
        self.spec.variables = variables;
        self
    }

    /// A secret, which may also come from a file.
    pub(super) const fn secret(mut self) -> Self {
        self.spec.secret = true;
        self.spec.from_file = true;
        self
    }

    /// May also come from a file, because a part of it is secret.
    pub(super) const fn readable_from_file(mut self) -> Self {
        self.spec.from_file = true;
        self
    }

    /// For a secret that has a key of its own for its file.
    pub(super) const fn without_file(mut self) -> Self {
        self.spec.from_file = false;
        self
    }

    /// See [`Spec::keeps_empty`].
    pub(super) const fn keeps_empty(mut self) -> Self {
        self.spec.keeps_empty = true;
        self
    }
}

impl Spec {
    /// `http`, `lines.support.en`: all but the last part of the name.
    pub fn section(&self) -> &'static str {
        self.name
            .rsplit_once('.')
            .map_or("", |(section, _key)| section)
    }

    /// The last part of the name.
    pub fn key(&self) -> &'static str {
        self.name.rsplit_once('.').map_or(self.name, |(_, key)| key)
    }

    /// `CLICK_TO_CALL__SECTION__KEY`.
    pub fn long_variable(&self) -> String {
        format!(
            "{PREFIX}{}",
            self.name.replace('.', "__").to_ascii_uppercase()
        )
    }

    /// All variables that set it, the one that wins first.
    pub fn all_variables(&self) -> impl Iterator<Item = String> {
        std::iter::once(self.long_variable())
            .chain(self.variables.iter().map(|&name| name.to_owned()))
    }

    /// The variables that name a file with its value: its own with `_FILE` behind them.
    pub fn file_variables(&self) -> impl Iterator<Item = String> {
        self.all_variables()
            .filter(|_| self.from_file)
            .map(|name| format!("{name}_FILE"))
    }

    /// Where a person sets it: the shortest variable and the place in a file.
    pub fn where_to_set(&self) -> String {
        let variable = self
            .variables
            .first()
            .map_or_else(|| self.long_variable(), |&short| short.to_owned());
        format!(
            "{variable}, or {} under [{}] in a file of config/",
            self.key(),
            self.section()
        )
    }
}

/// Begins the long name of every variable.
pub(super) const PREFIX: &str = "CLICK_TO_CALL__";

/// A value as it was written, whatever the source: everything is text or a list of texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Raw {
    /// One value.
    One(String),
    /// A list of a TOML file.
    Many(Vec<String>),
}

impl Raw {
    /// Takes a value of the merged sources. `None`: a table, or a list of something else than values.
    pub(super) fn from_value(value: &Value) -> Option<Self> {
        if let ValueKind::Array(items) = &value.kind {
            return items
                .iter()
                .map(scalar)
                .collect::<Option<_>>()
                .map(Self::Many);
        }
        scalar(value).map(Self::One)
    }

    /// The text, when it is one. A list is refused in words.
    pub(super) fn one(&self) -> Result<&str, String> {
        match self {
            Self::One(text) => Ok(text),
            Self::Many(_) => Err("is a list, where one value belongs".to_owned()),
        }
    }

    /// The texts of a list; one text is a list with commas.
    pub(super) fn many(&self) -> Vec<&str> {
        match self {
            Self::One(text) => text
                .split([',', '\n'])
                .map(str::trim)
                .filter(|item| !item.is_empty())
                .collect(),
            Self::Many(items) => items.iter().map(String::as_str).collect(),
        }
    }
}

fn scalar(value: &Value) -> Option<String> {
    let is_one = !matches!(
        value.kind,
        ValueKind::Table(_) | ValueKind::Array(_) | ValueKind::Nil
    );
    is_one.then(|| value.kind.to_string())
}
