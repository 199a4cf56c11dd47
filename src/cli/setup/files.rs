//! The files that `setup` writes: values are added, and a value that is there is never touched.

use std::{
    fs::{self, File, OpenOptions, Permissions},
    io::{self, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown},
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use toml_edit::{DocumentMut, InlineTable, Item, Table, TableLike};

/// Adds variables to a `.env` file, which nobody but its owner and its group can read afterwards; a new one
/// its owner alone. A line without a value (`NAME=`) is filled in;
/// for a name that is not there a line is added.
///
/// # Errors
/// When the file can't be read or written, or a value has a line break. Then it is as it was.
pub(super) fn add_variables(path: &Path, variables: &[(&str, &str)]) -> anyhow::Result<()> {
    let text = read(path)?;
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
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
    replace(path, &(lines.join("\n") + "\n"), 0o600, 0o770)
}

/// Adds a key to a TOML file, in its section if there is one; everything else, comments too, stays as it is.
///
/// # Errors
/// When the file can't be read or written, is no TOML, or has something else in the key's place. Then it is as it was.
pub(super) fn add_key(path: &Path, section: &str, key: &str, value: &str) -> anyhow::Result<()> {
    let by_hand = || {
        let path = path.display();
        format!("add {key} = {value:?} to the section [{section}] of {path} by hand")
    };
    let text = read(path)?;
    let mut document: DocumentMut = text
        .parse()
        .with_context(|| format!("the file is no TOML; mend it, or {}", by_hand()))?;
    let place = section_of(document.as_item_mut(), section);
    let Some(place) = place.filter(|place| is_free(*place, key)) else {
        anyhow::bail!("something else is in the place already; {}", by_hand());
    };
    place.insert(key, toml_edit::value(value));
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)
            .with_context(|| format!("the folder {} can't be made", folder.display()))?;
    }
    replace(path, &document.to_string(), 0o644, 0o777)
}

/// The section of a dotted name, in whichever form it is written; what is missing of it is made.
fn section_of<'a>(root: &'a mut Item, name: &str) -> Option<&'a mut dyn TableLike> {
    let mut item = root;
    for name in name.split('.') {
        let fresh = if item.is_inline_table() {
            toml_edit::value(InlineTable::new())
        } else {
            // No heading of its own as long as nothing but other sections is in it.
            let mut table = Table::new();
            table.set_implicit(true);
            Item::Table(table)
        };
        item = item.as_table_like_mut()?.entry(name).or_insert(fresh);
    }
    item.as_table_like_mut()
}

/// Whether a key is not set; an empty text counts as that.
fn is_free(section: &dyn TableLike, key: &str) -> bool {
    section
        .get(key)
        .is_none_or(|item| item.as_str() == Some(""))
}

fn read(path: &Path) -> anyhow::Result<String> {
    match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        text => text.with_context(|| format!("{} can't be read", path.display())),
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

/// Replaces a file in one step, so that whoever stops us leaves the old text or the new one. A new file gets `mode`; an old
/// one keeps its owner, its group and those rights that are in `kept`, so that a service that could read it still can.
fn replace(path: &Path, text: &str, mode: u32, kept: u32) -> anyhow::Result<()> {
    // The file behind a link, not the link.
    let path = path
        .canonicalize()
        .unwrap_or_else(|_absent| path.to_owned());
    let old = fs::metadata(&path).ok();
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
            .mode(if old.is_some() { 0o600 } else { mode })
            .open(&fresh)?;
        if let Some(old) = &old {
            let own = file.metadata()?;
            if (own.uid(), own.gid()) != (old.uid(), old.gid()) {
                fchown(&file, Some(old.uid()), Some(old.gid()))?;
            }
            file.set_permissions(Permissions::from_mode(old.mode() & kept))?;
        }
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&fresh, &path)?;
        File::open(
            path.parent()
                .filter(|p| !p.as_os_str().is_empty())
                .unwrap_or(Path::new(".")),
        )?
        .sync_all()
    })();
    if written.is_err() {
        // It may hold secrets.
        let _ = fs::remove_file(&fresh);
    }
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
            ("C=3\nA=new\nB=2\n".to_owned(), 0o640)
        );
    }

    #[test]
    fn whoever_could_read_a_file_still_can() {
        use std::os::unix::fs::chown;
        let folder = tempfile::tempdir().unwrap();
        for (name, mode) in [(".env", 0o640), ("local.toml", 0o664)] {
            let path = folder.path().join(name);
            fs::write(&path, "").unwrap();
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            // Only root can give a file away; to anybody else the mode alone is looked at.
            let given = chown(&path, Some(4_711), Some(4_712)).is_ok();
            if name == ".env" {
                add_variables(&path, &[("A", "1")]).unwrap();
            } else {
                add_key(&path, "calls", "phone_line", "support").unwrap();
            }
            let after = fs::metadata(&path).unwrap();
            assert_eq!(after.mode() & 0o777, mode);
            assert!(!given || (after.uid(), after.gid()) == (4_711, 4_712));
        }
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
            format!("[lines.support]\nx = 1\n{line}[calls]\n")
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

    #[test]
    fn a_section_is_found_in_every_form() {
        let line = "destination = \"447700900001\"";
        let add = |path: &Path| add_key(path, "lines.support", "destination", "447700900001");
        for (before, expected) in [
            (
                "[lines.support] # our desk\n",
                format!("[lines.support] # our desk\n{line}\n"),
            ),
            (
                "[ lines.support ]\n# mine\nx = 1\n",
                format!("[ lines.support ]\n# mine\nx = 1\n{line}\n"),
            ),
            (
                "[lines]\nsupport = { x = 1 }\n",
                format!("[lines]\nsupport = {{ x = 1 , {line} }}\n"),
            ),
            (
                "lines = {}\n",
                format!("lines = {{ support = {{ {line} }} }}\n"),
            ),
        ] {
            let (text, _) = after(Some(before), add);
            assert_eq!(text, expected);
            text.parse::<DocumentMut>().unwrap();
        }
    }

    #[test]
    fn what_can_not_be_added_is_said_and_the_file_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("local.toml");
        for before in [
            "[lines\n",
            "lines = 1\n",
            "[lines.support]\ndestination = \"1\"\n",
        ] {
            fs::write(&path, before).unwrap();
            let error = add_key(&path, "lines.support", "destination", "2").unwrap_err();
            let said = format!("{error:#}");
            assert!(
                said.contains("add destination = \"2\" to the section [lines.support]"),
                "{said}"
            );
            assert_eq!(fs::read_to_string(&path).unwrap(), before);
        }
    }
}
