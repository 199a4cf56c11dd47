//! Reads keys one by one from the merged sources and remembers every fault, so that all come out together.

use config::{Map, Value, ValueKind};

use super::{
    Entry,
    fault::Fault,
    key::{Key, Raw, Spec},
    layers::Merged,
    shown::Shown,
};

/// There is no value, and the fault has been noted: read on to find the others.
#[derive(Debug, Clone, Copy)]
pub(super) struct Noted;

/// The merged sources, and what came of them so far.
#[derive(Debug)]
pub(super) struct Reader {
    merged: Map<String, Value>,
    pub faults: Vec<Fault>,
    pub warnings: Vec<String>,
    pub entries: Vec<Entry>,
}

impl Reader {
    pub(super) fn new(merged: Merged) -> Self {
        Self {
            merged: merged.values,
            faults: merged.faults,
            warnings: merged.warnings,
            entries: Vec::new(),
        }
    }

    /// The value of a key that has a default or is required.
    pub(super) fn value<T: Shown>(&mut self, key: &'static Key<T>) -> Result<T, Noted> {
        self.read(key)?.ok_or_else(|| {
            self.faults.push(Fault::missing(&key.spec));
            Noted
        })
    }

    /// The value of a key that may be unset, or what follows from other keys then.
    pub(super) fn value_or<T: Shown>(
        &mut self,
        key: &'static Key<T>,
        derived: impl FnOnce() -> Result<T, Noted>,
        origin: &str,
    ) -> Result<T, Noted> {
        if let Some(value) = self.read(key)? {
            return Ok(value);
        }
        let value = derived()?;
        self.note(&key.spec, Some(value.shown()), origin);
        Ok(value)
    }

    /// The value of a key that may be unset.
    pub(super) fn optional<T: Shown>(&mut self, key: &'static Key<T>) -> Result<Option<T>, Noted> {
        let value = self.read(key)?;
        if value.is_none() {
            self.note(&key.spec, None, "not set");
        }
        Ok(value)
    }

    /// Notes a fault that lies between keys.
    pub(super) fn fault(
        &mut self,
        spec: &Spec,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.faults.push(Fault::new(spec.name, problem, remedy));
    }

    /// Notes something that works but is probably not meant.
    pub(super) fn warn(&mut self, warning: impl Into<String>) {
        self.warnings.push(warning.into());
    }

    fn read<T: Shown>(&mut self, key: &'static Key<T>) -> Result<Option<T>, Noted> {
        let spec = &key.spec;
        let Some(value) = self.find(spec.name) else {
            return Ok(None);
        };
        let origin = value.origin().unwrap_or("default").to_owned();
        let Some(raw) = Raw::from_value(value) else {
            self.faults.push(Fault::new(
                spec.name,
                format!("({origin}) is a list of something else than values"),
                format!("expected {}", (spec.expected)()),
            ));
            return Err(Noted);
        };
        match (key.parse)(&raw) {
            Ok(parsed) => {
                self.note(spec, Some(parsed.shown()), &origin);
                Ok(Some(parsed))
            }
            Err(reason) => {
                let written = match &raw {
                    Raw::One(text) => text.clone(),
                    Raw::Many(items) => items.join(", "),
                };
                self.faults
                    .push(Fault::wrong(spec, &written, &origin, &reason));
                Err(Noted)
            }
        }
    }

    fn note(&mut self, spec: &'static Spec, value: Option<String>, origin: &str) {
        self.entries.push(Entry {
            spec,
            value,
            origin: origin.to_owned(),
        });
    }

    fn find(&self, name: &str) -> Option<&Value> {
        let mut parts = name.split('.');
        let mut value = self.merged.get(parts.next()?)?;
        for part in parts {
            let ValueKind::Table(table) = &value.kind else {
                return None;
            };
            value = table.get(part)?;
        }
        (!matches!(value.kind, ValueKind::Nil)).then_some(value)
    }
}
