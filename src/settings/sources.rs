//! Where settings come from: files, `.env`, the environment, flags.

use std::{
    collections::BTreeMap,
    io::{self, IsTerminal},
    path::PathBuf,
};

/// Everything that settings are read from. [`load`](super::load()) looks at nothing else, so a test can choose it all.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// Files and folders of TOML, the later wins. In a folder: its `*.toml` by name, without `default.toml`.
    pub config: Vec<SourcePath>,
    /// The `.env` file.
    pub env_file: Option<SourcePath>,
    /// The variables of the process.
    pub environment: BTreeMap<String, String>,
    /// Keys that the command line sets.
    pub flags: Vec<Flag>,
    /// For `log.format = "auto"`.
    pub stdout_is_terminal: bool,
}

/// A file or folder to read.
#[derive(Debug, Clone)]
pub struct SourcePath {
    /// Where it is.
    pub path: PathBuf,
    /// Whether it is a fault when it isn't there: somebody has named it.
    pub required: bool,
}

/// A key that the command line sets.
#[derive(Debug, Clone)]
pub struct Flag {
    /// The flag, for messages: `--port`.
    pub flag: &'static str,
    /// The key: `http.port`.
    pub key: &'static str,
    /// Its value.
    pub value: String,
}

impl Sources {
    /// The process's environment with these files, or with `config/` and `.env` of the working
    /// directory where none are named.
    pub fn from_process(config: Vec<PathBuf>, env_file: Option<PathBuf>) -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place that reads the process's environment"
        )]
        // A text that is not UTF-8 is kept with its marks, so that it is refused with its name.
        let environment = std::env::vars_os()
            .map(|(name, value)| {
                let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
                (text(name), text(value))
            })
            .collect();
        let named = |path| SourcePath {
            path,
            required: true,
        };
        let usual = |path: &str| SourcePath {
            path: path.into(),
            required: false,
        };
        let config: Vec<SourcePath> = config.into_iter().map(named).collect();
        Self {
            config: if config.is_empty() {
                vec![usual("config")]
            } else {
                config
            },
            env_file: Some(env_file.map_or_else(|| usual(".env"), named)),
            environment,
            flags: Vec::new(),
            stdout_is_terminal: io::stdout().is_terminal(),
        }
    }
}
