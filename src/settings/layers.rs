//! Lays the sources over each other: the compiled-in defaults, files, `.env`, the environment, flags; the later wins.

use std::{collections::BTreeMap, io, path::Path};

use config::{Config, FileFormat, Format, Map, Source, Value, ValueKind};

use super::{
    fault::Fault,
    files::{self, read_bounded, unreadable},
    key::{PREFIX, Spec},
    sections::vonage::{PRIVATE_KEY, PRIVATE_KEY_FILE},
    sources::{Flag, SourcePath, Sources},
    table,
};

/// The manual of all settings, which is the lowest layer too.
const DEFAULTS: &str = include_str!("../../config/default.toml");
/// The sources laid over each other, with what was wrong with them.
#[derive(Debug)]
pub(super) struct Merged {
    pub values: Map<String, Value>,
    pub faults: Vec<Fault>,
    pub warnings: Vec<String>,
}

/// Lays the sources over each other. Unknown keys and unreadable files are faults and left out.
pub(super) fn merge(sources: &Sources) -> Merged {
    let mut layers = Layers::default();
    layers.add_toml(DEFAULTS, "default");
    for source in &sources.config {
        layers.add_config(source);
    }
    if let Some(source) = &sources.env_file {
        layers.add_env_file(source);
    }
    layers.add_variables(&sources.environment, "");
    layers.add_flags(&sources.flags);
    layers.finish()
}

/// One source: dotted keys and their values.
#[derive(Debug, Clone, Default)]
struct Layer(Map<String, Value>);

impl Source for Layer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, config::ConfigError> {
        Ok(self.0.clone())
    }
}

impl Layer {
    fn set(&mut self, spec: &Spec, value: impl Into<ValueKind>, origin: &str) {
        let value = Value::new(Some(&origin.to_owned()), value);
        self.0.insert(spec.name.to_owned(), value);
    }

    fn has(&self, spec: &Spec) -> bool {
        self.0.contains_key(spec.name)
    }
}

#[derive(Debug, Default)]
struct Layers {
    stack: Vec<Layer>,
    faults: Vec<Fault>,
    warnings: Vec<String>,
}

impl Layers {
    fn finish(mut self) -> Merged {
        let mut builder = Config::builder();
        for layer in std::mem::take(&mut self.stack) {
            builder = builder.add_source(layer);
        }
        let values = builder
            .build()
            .and_then(|merged| merged.collect())
            .unwrap_or_else(|error| {
                self.faults.push(Fault::new(
                    "settings",
                    format!("can't be put together: {error}"),
                    "this is a fault of the program",
                ));
                Map::new()
            });
        Merged {
            values,
            faults: self.faults,
            warnings: self.warnings,
        }
    }

    /// Adds a layer. Within one, the key and the file of the key exclude each other; over
    /// a lower one, either takes the other's place.
    fn push(&mut self, mut layer: Layer, origin: &str) {
        let (text, file) = (&PRIVATE_KEY.spec, &PRIVATE_KEY_FILE.spec);
        match (layer.has(text), layer.has(file)) {
            (true, true) => self.faults.push(Fault::new(
                text.name,
                format!("and {} are both set ({origin})", file.name),
                "keep one of them",
            )),
            (true, false) => layer.set(file, ValueKind::Nil, origin),
            (false, true) => layer.set(text, ValueKind::Nil, origin),
            (false, false) => {}
        }
        self.stack.push(layer);
    }

    fn add_config(&mut self, source: &SourcePath) {
        let path = &source.path;
        if !path.is_dir() {
            return self.add_config_file(source);
        }
        let files = match files::toml_files(path) {
            Ok(files) => files,
            Err(error) => return self.faults.push(unreadable(path, &error)),
        };
        for path in files {
            let required = true;
            self.add_config_file(&SourcePath { path, required });
        }
    }

    fn add_config_file(&mut self, source: &SourcePath) {
        if let Some(text) = self.read_source(source) {
            self.add_toml(&text, &source.path.display().to_string());
        }
    }

    fn add_toml(&mut self, text: &str, origin: &str) {
        match FileFormat::Toml.parse(Some(&origin.to_owned()), text) {
            Ok(table) => {
                let mut layer = Layer::default();
                self.flatten(table, "", origin, &mut layer);
                self.push(layer, origin);
            }
            Err(error) => self.faults.push(Fault::new(
                origin,
                format!(
                    "is not TOML: {}",
                    files::without_excerpt(&error.to_string())
                ),
                "correct the line; texts stand in double quotes",
            )),
        }
    }

    fn flatten(
        &mut self,
        table: Map<String, Value>,
        prefix: &str,
        origin: &str,
        layer: &mut Layer,
    ) {
        let mut members: Vec<_> = table.into_iter().collect();
        members.sort_by(|(left, _), (right, _)| left.cmp(right));
        for (member, value) in members {
            let name = format!("{prefix}{member}");
            if let Some(spec) = table::find(&name) {
                self.set_toml(layer, spec, value, origin);
                continue;
            }
            if let Some(spec) = secret_of_file_key(&name) {
                self.set_from_file(
                    layer,
                    spec,
                    &value.kind.to_string(),
                    &format!("{name} in {origin}"),
                );
            } else if let ValueKind::Table(inner) = value.kind {
                // An unknown section is told by its keys, which may be known elsewhere.
                self.flatten(inner, &format!("{name}."), origin, layer);
            } else if is_section(&name) {
                self.faults.push(Fault::new(
                    name,
                    format!("is a section, not a key ({origin})"),
                    "write its keys under its name in square brackets",
                ));
            } else {
                self.faults.push(unknown_key(&name, origin));
            }
        }
    }

    fn set_toml(&mut self, layer: &mut Layer, spec: &Spec, value: Value, origin: &str) {
        let is_empty = matches!(&value.kind, ValueKind::String(text) if text.trim().is_empty());
        if matches!(value.kind, ValueKind::Table(_)) {
            self.faults.push(Fault::new(
                spec.name,
                format!("is a key, not a section ({origin})"),
                format!("expected {}", (spec.expected)()),
            ));
        } else if !is_empty || spec.keeps_empty {
            layer.0.insert(spec.name.to_owned(), value);
        }
    }

    fn add_env_file(&mut self, source: &SourcePath) {
        let Some(text) = self.read_source(source) else {
            return;
        };
        let origin = source.path.display().to_string();
        // Without a last line break the parser takes blanks at the end for an open quote.
        let text = format!("{}\n", text.trim_start_matches('\u{feff}'));
        self.warnings
            .extend(files::substitutions(&text).map(|line| {
                format!(
                    "{origin}, line {line}: a $ begins the name of a variable and is replaced by its value; \
                 if the value holds a $ of its own, write it in single quotes"
                )
            }));
        let mut variables = BTreeMap::new();
        for pair in dotenvy::from_read_iter(text.as_bytes()) {
            match pair {
                Ok((name, value)) => {
                    if variables.insert(name.clone(), value).is_some() {
                        self.warnings.push(format!(
                            "{name} stands twice in {origin}; the last one counts"
                        ));
                    }
                }
                Err(error) => {
                    let place = files::line_of(&text, &error)
                        .map_or_else(String::new, |line| format!(" (line {line})"));
                    self.faults.push(Fault::new(
                        &origin,
                        format!("can't be read{place}"),
                        "write NAME=value, with values that hold blanks, quotes, $ or # in single quotes",
                    ));
                    break;
                }
            }
        }
        self.add_variables(&variables, &format!(" in {origin}"));
    }

    fn add_variables(&mut self, variables: &BTreeMap<String, String>, place: &str) {
        let mut layer = Layer::default();
        let given = |name: &String| {
            let value = variables.get(name)?;
            (!value.trim().is_empty()).then(|| value.clone())
        };
        for spec in table::keys() {
            let values: Vec<(String, String)> = spec
                .all_variables()
                .filter_map(|name| given(&name).map(|value| (name, value)))
                .collect();
            if let Some((name, value)) = values.first() {
                for (other, _) in values.iter().skip(1).filter(|(_, v)| v != value) {
                    self.warnings.push(format!(
                        "{name} and {other}{place} both set {} and differ; {name} counts",
                        spec.name
                    ));
                }
                self.set_from_variable(&mut layer, spec, name, value, place);
            }
            for name in spec.file_variables() {
                if let Some(path) = given(&name) {
                    self.set_from_file(&mut layer, spec, &path, &format!("variable {name}{place}"));
                }
            }
        }
        for name in variables.keys() {
            self.check_name(name, place);
        }
        let origin = match place {
            "" => "environment",
            file => file.trim_start_matches(" in "),
        };
        self.push(layer, origin);
    }

    fn set_from_variable(
        &mut self,
        layer: &mut Layer,
        spec: &Spec,
        name: &str,
        value: &str,
        place: &str,
    ) {
        if value.contains(char::REPLACEMENT_CHARACTER) {
            self.faults.push(Fault::new(
                spec.name,
                format!("(variable {name}{place}) is not UTF-8 text"),
                "write it in UTF-8",
            ));
            return;
        }
        layer.set(spec, value, &format!("variable {name}{place}"));
    }

    /// Takes a secret from a file of its own, without the line break that editors leave at the end.
    fn set_from_file(&mut self, layer: &mut Layer, spec: &Spec, path: &str, named_by: &str) {
        if layer.has(spec) {
            self.faults.push(Fault::new(
                spec.name,
                format!("is set twice: by its value and by a file ({named_by})"),
                "keep one of them",
            ));
            return;
        }
        match read_bounded(Path::new(path)) {
            Ok(text) => {
                let text = text.trim_end_matches(['\n', '\r']);
                if !text.trim().is_empty() {
                    layer.set(spec, text, &format!("file {path}, named by {named_by}"));
                }
            }
            // Without the path: it may be the secret itself, put into the wrong variable.
            Err(error) => self.faults.push(Fault::new(
                spec.name,
                format!("can't be read from its file ({named_by}): {error}"),
                "name a file that this service may read",
            )),
        }
    }

    /// A variable of our own that nothing reads is a slip of the pen. One that only resembles ours may be another
    /// program's.
    fn check_name(&mut self, name: &str, place: &str) {
        let known =
            || table::keys().flat_map(|spec| spec.all_variables().chain(spec.file_variables()));
        let is_ours = name.starts_with(PREFIX);
        let resembles = name.starts_with("VONAGE_") || name.starts_with("CLICK_TO_CALL_");
        if !(is_ours || resembles) || known().any(|known| known == name) {
            return;
        }
        let meant = table::closest(name, known());
        if is_ours {
            let remedy = meant.map_or_else(
                || "take it out; `click-to-call config manual` lists all".to_owned(),
                |meant| format!("did you mean {meant}?"),
            );
            self.faults.push(Fault::new(
                name,
                format!("is no variable of this service{place}"),
                remedy,
            ));
        } else if let Some(meant) = meant {
            self.warnings.push(format!(
                "{name}{place} is not read by this service; did you mean {meant}?"
            ));
        }
    }

    fn add_flags(&mut self, flags: &[Flag]) {
        let mut layer = Layer::default();
        for flag in flags {
            match table::find(flag.key) {
                Some(spec) => layer.set(spec, flag.value.as_str(), &format!("flag {}", flag.flag)),
                None => self.faults.push(unknown_key(flag.key, flag.flag)),
            }
        }
        self.push(layer, "command line");
    }

    fn read_source(&mut self, source: &SourcePath) -> Option<String> {
        match read_bounded(&source.path) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound && !source.required => None,
            Err(error) => {
                self.faults.push(unreadable(&source.path, &error));
                None
            }
        }
    }
}

fn unknown_key(name: &str, origin: &str) -> Fault {
    let known = table::keys().map(|spec| spec.name.to_owned());
    let remedy = table::closest(name, known).map_or_else(
        || "take it out; `click-to-call config manual` lists all".to_owned(),
        |meant| format!("did you mean {meant}?"),
    );
    Fault::new(
        name,
        format!("is no key of the settings ({origin})"),
        remedy,
    )
}

fn is_section(name: &str) -> bool {
    table::keys().any(|spec| {
        spec.name
            .strip_prefix(name)
            .is_some_and(|rest| rest.starts_with('.'))
    })
}

/// `vonage.signature_secret_file` names the file of `vonage.signature_secret`.
fn secret_of_file_key(name: &str) -> Option<&'static Spec> {
    name.strip_suffix("_file")
        .and_then(table::find)
        .filter(|spec| spec.from_file)
}
