//! The manual of all settings, made from the table: `config/default.toml`.

use std::fmt::Write;

use super::{
    key::{Default, Spec},
    table::{Section, sections},
};

/// Longest line of a comment, `# ` included.
const WIDTH: usize = 100;

const HEAD: &str = "\
All settings of click-to-call, with what they mean and their defaults. This file is compiled into the program, so changing \
it changes nothing: put what is different for you into a file of its own beside it (config/production.toml.example \
shows how) or into variables.

Later wins: these defaults, the *.toml files of config/ by name (or what --config names), .env (or what --env-file \
names), the environment, flags.

Every key can be set by a variable CLICK_TO_CALL__SECTION__KEY, as in CLICK_TO_CALL__HTTP__PORT; short names are given \
with the keys that have one. An empty variable counts as not set. In a variable, the items of a list are separated by \
commas. A secret can also be read from a file: put _FILE behind its variable's name and the file's path into it.

`click-to-call config check` reports everything that is wrong at once, `click-to-call config show` prints what holds and \
where it comes from. This file is printed by `click-to-call config manual`.";

/// The whole of `config/default.toml`.
pub fn render() -> String {
    let mut text = String::new();
    comment(&mut text, HEAD);
    for section in sections() {
        render_section(&mut text, &section);
    }
    text
}

fn render_section(text: &mut String, section: &Section) {
    let name = section.keys.first().map_or("", |spec| spec.section());
    let _ = write!(text, "\n\n# {}\n[{name}]\n", section.title);
    for spec in section.keys {
        text.push('\n');
        comment(text, spec.meaning);
        comment(text, &form(spec));
        let _ = match spec.default {
            Default::Value(value) => writeln!(text, "{} = {value}", spec.key()),
            Default::Required(example) | Default::Unset(example) => {
                writeln!(text, "#{} = {example}", spec.key())
            }
        };
    }
}

/// The form of the value, whether it must be set, and by what.
fn form(spec: &Spec) -> String {
    let kind = match spec.default {
        Default::Required(_) => "Required: ",
        Default::Value(_) | Default::Unset(_) => "Form: ",
    };
    let mut text = format!("{kind}{}.", (spec.expected)());
    let mut variables: Vec<String> = spec.variables.iter().map(|&v| v.to_owned()).collect();
    if !variables.is_empty() {
        variables.extend(spec.file_variables().last());
    }
    let _ = match variables.as_slice() {
        [] => Ok(()),
        [one] => write!(text, " Variable: {one}."),
        many => write!(text, " Variables: {}.", many.join(", ")),
    };
    text
}

/// Writes text as comment lines of at most [`WIDTH`] characters.
fn comment(text: &mut String, words: &str) {
    for paragraph in words.split('\n') {
        let mut line = String::from("#");
        for word in paragraph.split(' ').filter(|word| !word.is_empty()) {
            if line.chars().count() + 1 + word.chars().count() > WIDTH {
                text.push_str(&line);
                text.push('\n');
                line = String::from("#");
            }
            line.push(' ');
            line.push_str(word);
        }
        text.push_str(&line);
        text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_what_the_table_says() {
        let file = include_str!("../../config/default.toml");
        assert!(
            file == render(),
            "config/default.toml is not up to date; run: cargo run -- config manual > config/default.toml"
        );
    }
}
