//! Reads files, and says what is wrong with them without showing what is in them.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use super::fault::Fault;

/// No settings, `.env` or secret is longer; a wrong path must not fill the memory.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// The TOML files of a folder by name. `default.toml` is compiled in already.
pub(super) fn toml_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let is_toml = path.extension().is_some_and(|end| end == "toml");
        if is_toml && path.file_name().is_some_and(|name| name != "default.toml") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// The fault of a file that can't be read.
pub(super) fn unreadable(path: &Path, error: &io::Error) -> Fault {
    Fault::new(
        path.display().to_string(),
        format!("can't be read: {error}"),
        "name a file that is there and that this service may read",
    )
}

/// Reads a text of bounded length.
pub(super) fn read_bounded(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let read = File::open(path)?
        .take(MAX_FILE_BYTES + 1)
        .read_to_string(&mut text)?;
    if u64::try_from(read).is_ok_and(|read| read > MAX_FILE_BYTES) {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("has more than {MAX_FILE_BYTES} bytes"),
        ));
    }
    Ok(text)
}

/// The parser shows the line it stumbled over, which may hold a secret: only its place and the reason are kept.
pub(super) fn without_excerpt(error: &str) -> String {
    let lines: Vec<&str> = error.lines().filter(|line| !line.contains('|')).collect();
    lines.join(": ")
}

/// The number of the line that can't be read; the line itself may hold a secret.
pub(super) fn line_of(text: &str, error: &dotenvy::Error) -> Option<usize> {
    let dotenvy::Error::LineParse(line, _) = error else {
        return None;
    };
    let (before, _) = text.split_once(line.as_str())?;
    Some(before.matches('\n').count() + 1)
}

/// The lines in which a `$` outside single quotes is about to be taken for a variable: `SECRET=pa$word` would become `pa`.
pub(super) fn substitutions(env_file: &str) -> impl Iterator<Item = usize> {
    let lines = env_file.lines().enumerate();
    lines
        .filter(|(_, line)| !line.trim_start().starts_with('#') && substitutes(line))
        .map(|(index, _)| index + 1)
}

fn substitutes(line: &str) -> bool {
    let (mut literal, mut quoted) = (false, false);
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\'' if !quoted => literal = !literal,
            '"' if !literal => quoted = !quoted,
            '\\' if !literal => {
                characters.next();
            }
            '$' if !literal => {
                let begins_a_name = |c: &char| c.is_ascii_alphanumeric() || "_{".contains(*c);
                if characters.peek().is_some_and(begins_a_name) {
                    return true;
                }
            }
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dollar_is_told_where_it_is_not_kept() {
        let text =
            "# A=$B\nA='pa$word'\nB=pa$word\nC=pa\\$word\nD=\"${HOME}/x\"\nE=5$\nF=\"it's $F\"\n";
        assert_eq!(substitutions(text).collect::<Vec<_>>(), [3, 5, 7]);
    }

    #[test]
    fn a_broken_line_is_named_by_its_place_alone() {
        let text = "A=1\n\nSECRET=canary word\n";
        let error = dotenvy::from_read_iter(text.as_bytes())
            .find_map(Result::err)
            .unwrap();
        assert_eq!(line_of(text, &error), Some(3));

        let error = "TOML parse error at line 1, column 8\n  |\n1 | key = \"canary\n  |       ^\ninvalid text\n";
        assert_eq!(
            without_excerpt(error),
            "TOML parse error at line 1, column 8: invalid text"
        );
    }
}
