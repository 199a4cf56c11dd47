//! `settings`: everything that is wrong with them at once, and what is probably not meant.

use futures_util::FutureExt;

use crate::cli::doctor::{
    check::{Check, Trouble, Verdict},
    context::Context,
};

pub(in crate::cli::doctor) const CHECK: Check = Check {
    name: "settings",
    matters: "the service does not start with a fault in its settings, and checks that need the faulty ones are left out",
    look: |context| async move { look(context) }.boxed(),
};

fn look(context: &Context) -> Verdict {
    match &context.loaded {
        Err(faults) => {
            let list: Vec<String> = faults.0.iter().map(ToString::to_string).collect();
            Err(Trouble::failed(
                list.join("\n"),
                "mend each in the place it names; `click-to-call config manual` says what every key means",
            ))
        }
        Ok(loaded) if !loaded.warnings.is_empty() => Err(Trouble::warning(
            loaded.warnings.join("\n"),
            "change them if they are not meant; `click-to-call config show` says where each value comes from",
        )),
        Ok(_) => Ok("no faults".to_owned()),
    }
}
