//! The files that `setup` writes: values are added, and a value that is there is never touched.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use anyhow::Context as _;

/// Adds variables to a `.env` file, which only its owner can read afterwards. A line without a value (`NAME=`) is filled in;
/// for a name that is not there a line is added.
///
/// # Errors
/// When the file can't be read or written, or a value has a line break. Then it is as it was.
pub(super) fn add_variables(path: &Path, variables: &[(&str, &str)]) -> anyhow::Result<()> {
    let mut lines = read_lines(path)?;
    for (name, value) in variables {
        let line = format!("{name}={}", quoted(value)?);
        match lines
            .iter_mut()
            .find(|line| is_empty_assignment(line, name))
        {
            Some(empty) => *empty = line,
            None => lines.push(line),
        }
    }
    replace(path, &lines, 0o600)
}

/// Adds a key to a TOML file, below the heading of its section if there is one.
///
/// # Errors
/// When the file can't be read or written. Then it is as it was.
pub(super) fn add_key(path: &Path, section: &str, key: &str, value: &str) -> anyhow::Result<()> {
    let mut lines = read_lines(path)?;
    let heading = format!("[{section}]");
    let line = format!("{key} = {value:?}");
    if let Some(at) = lines.iter().position(|line| line.trim() == heading) {
        let within = lines.iter_mut().skip(at + 1);
        let mut within = within.take_while(|line| !line.trim_start().starts_with('['));
        // An empty text counts as not set, but a key must not stand there twice.
        match within.find(|line| is_assignment(line, key)) {
            Some(empty) => *empty = line,
            None => lines.insert(at + 1, line),
        }
    } else {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        lines.extend([heading, line]);
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)
            .with_context(|| format!("the folder {} can't be made", folder.display()))?;
    }
    replace(path, &lines, 0o644)
}

fn read_lines(path: &Path) -> anyhow::Result<Vec<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(text.lines().map(str::to_owned).collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error).with_context(|| format!("{} can't be read", path.display())),
    }
}

fn is_assignment(line: &str, name: &str) -> bool {
    line.split_once('=')
        .is_some_and(|(left, _)| left.trim() == name)
}

fn is_empty_assignment(line: &str, name: &str) -> bool {
    is_assignment(line, name) && line.trim_end().ends_with('=')
}

/// A value as `.env` files write it.
fn quoted(value: &str) -> anyhow::Result<String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./:+@,%".contains(c);
    if value.contains(['\n', '\r']) {
        anyhow::bail!("a value with a line break can't be written into a .env file");
    }
    if !value.is_empty() && value.chars().all(is_plain) {
        return Ok(value.to_owned());
    }
    if !value.contains('\'') {
        return Ok(format!("'{value}'"));
    }
    let mut escaped = String::new();
    for c in value.chars() {
        if matches!(c, '"' | '\\' | '$') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    Ok(format!("\"{escaped}\""))
}

/// Replaces a file in one step, so that whoever stops us leaves the old text or the new one. A new file gets this mode; of an
/// old one, nobody gets more rights than the mode gives.
fn replace(path: &Path, lines: &[String], mode: u32) -> anyhow::Result<()> {
    // The file behind a link, not the link.
    let path = path
        .canonicalize()
        .unwrap_or_else(|_absent| path.to_owned());
    let mode = fs::metadata(&path).map_or(mode, |found| found.permissions().mode() & mode);
    let fresh = sibling(&path);
    let written = (|| {
        // What an earlier run left behind when it was stopped.
        if let Err(error) = fs::remove_file(&fresh)
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(error);
        }
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&fresh)?;
        for line in lines {
            writeln!(file, "{line}")?;
        }
        file.sync_all()?;
        fs::rename(&fresh, &path)?;
        File::open(
            path.parent()
                .filter(|p| !p.as_os_str().is_empty())
                .unwrap_or(Path::new(".")),
        )?
        .sync_all()
    })();
    written.with_context(|| format!("{} can't be written", path.display()))
}

fn sibling(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(before: Option<&str>, change: impl Fn(&Path) -> anyhow::Result<()>) -> (String, u32) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        if let Some(before) = before {
            fs::write(&path, before).unwrap();
        }
        change(&path).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        (fs::read_to_string(path).unwrap(), mode)
    }

    #[test]
    fn variables_are_added_and_never_changed() {
        let add = |path: &Path| add_variables(path, &[("A", "new"), ("B", "2")]);
        assert_eq!(after(None, add), ("A=new\nB=2\n".to_owned(), 0o600));
        let before = "# first\nA=\nC=3\nAA=\n";
        assert_eq!(
            after(Some(before), add).0,
            "# first\nA=new\nC=3\nAA=\nB=2\n"
        );
        assert_eq!(
            after(Some("C=3"), add),
            ("C=3\nA=new\nB=2\n".to_owned(), 0o600)
        );
    }

    #[test]
    fn any_value_is_read_back_as_it_was() {
        for value in [
            "plain",
            "with blank",
            "a#b",
            "$HOME",
            "it's \"so\" \\ $x",
            "é",
            "a=b",
        ] {
            let (text, _) = after(None, |path| add_variables(path, &[("A", value)]));
            let read = dotenvy::from_read_iter(text.as_bytes())
                .next()
                .unwrap()
                .unwrap();
            assert_eq!(read, ("A".to_owned(), value.to_owned()), "{text}");
        }
        assert!(add_variables(Path::new("nowhere"), &[("A", "two\nlines")]).is_err());
    }

    #[test]
    fn keys_go_below_the_heading_of_their_section() {
        let add = |path: &Path| add_key(path, "lines.support", "destination", "447700900001");
        let line = "destination = \"447700900001\"\n";
        assert_eq!(after(None, add).0, format!("[lines.support]\n{line}"));
        assert_eq!(
            after(Some("[lines.support]\nx = 1\n[calls]\n"), add).0,
            format!("[lines.support]\n{line}x = 1\n[calls]\n")
        );
        assert_eq!(
            after(Some("[lines.support]\ndestination = \"\"\n"), add).0,
            format!("[lines.support]\n{line}")
        );
        assert_eq!(
            after(Some("[calls]\nring_seconds = 9\n"), add).0,
            format!("[calls]\nring_seconds = 9\n\n[lines.support]\n{line}")
        );
    }
}
