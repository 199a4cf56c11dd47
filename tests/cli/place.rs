//! A working directory of its own, and the binary run in it with an environment of its own.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs::{self, Permissions},
    io::Write,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
};

use tempfile::TempDir;

/// What the binary did.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Run {
    #[track_caller]
    pub(crate) fn done(self) -> Self {
        assert_eq!(self.code, 0, "{self:#?}");
        self
    }

    #[track_caller]
    pub(crate) fn failed(self) -> Self {
        assert_eq!(self.code, 1, "{self:#?}");
        self
    }

    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        let said = format!("{}{}", self.out, self.err);
        assert!(said.contains(text), "{text:?} is not in:\n{said}");
        self
    }
}

/// A working directory and the variables of the commands that run in it.
pub(crate) struct Place {
    folder: TempDir,
    pub(crate) variables: BTreeMap<String, String>,
}

impl Place {
    /// Nothing is set.
    pub(crate) fn empty() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
            variables: BTreeMap::new(),
        }
    }

    /// Everything that is required is set, and the key is there.
    pub(crate) fn ready() -> Self {
        let mut place = Self::empty();
        place.write_key(private_key());
        for (name, value) in [
            (
                "VONAGE_APPLICATION_ID",
                "78d335fa-323d-0114-9c3d-d6f0d48968cf",
            ),
            ("VONAGE_NUMBER", "447700900000"),
            ("DESTINATION_PHONE_NUMBER", "447700900001"),
            (
                "VONAGE_SIGNATURE_SECRET",
                "a-signature-secret-of-32-letters",
            ),
            ("PUBLIC_URL", "https://calls.example.com"),
        ] {
            place.set(name, value);
        }
        place
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) -> &mut Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// Writes `private.key` with the mode it should have.
    pub(crate) fn write_key(&self, text: &str) -> PathBuf {
        let path = self.write("private.key", text);
        set_mode(&path, 0o600);
        path
    }

    pub(crate) fn run(&self, args: &[&str]) -> Run {
        self.run_with_input(args, "")
    }

    /// The binary, about to be run here.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        self.command_of(env!("CARGO_BIN_EXE_click-to-call"), args)
    }

    /// Another program in its place.
    pub(crate) fn command_of(&self, program: impl AsRef<OsStr>, args: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .args(args)
            .current_dir(self.folder.path())
            .env_clear()
            .envs(&self.variables)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub(crate) fn run_with_input(&self, args: &[&str], input: &str) -> Run {
        let mut child = self.command(args).spawn().unwrap();
        // A command that doesn't read its input may be gone by now.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        Run {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs the openssl command here and returns what it prints.
    pub(crate) fn openssl(&self, args: &str) -> String {
        let output = Command::new("openssl")
            .args(args.split(' '))
            .current_dir(self.folder.path())
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "openssl {args}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

pub(crate) fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// An RSA key of 2048 bits in PKCS#8, made once.
pub(crate) fn private_key() -> &'static str {
    static KEY: OnceLock<String> = OnceLock::new();
    KEY.get_or_init(|| {
        Place::empty().openssl("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048")
    })
}
