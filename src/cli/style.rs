//! Colours of statuses. They are always written; the program's output takes them out where no terminal shows them, or
//! `NO_COLOR` is set.

use anstyle::{AnsiColor, Style};

/// In order, done.
pub(super) const GOOD: Style = AnsiColor::Green.on_default();
/// Wants attention.
pub(super) const WARNING: Style = AnsiColor::Yellow.on_default();
/// Does not work.
pub const BAD: Style = AnsiColor::Red.on_default().bold();
/// Nothing to look at.
pub(super) const FAINT: Style = Style::new().dimmed();
