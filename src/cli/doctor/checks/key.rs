//! `key`: the private key can be read, is strong, and is kept from others.

use futures_util::FutureExt;

use crate::{
    cli::doctor::{
        check::{Check, Trouble, Verdict},
        context::Context,
        fix::Fix,
    },
    vonage::key::KeyFault,
};

pub(in crate::cli::doctor) const CHECK: Check = Check {
    name: "key",
    matters: "every token is signed with it: without it nobody can call, and whoever has a copy can call at your expense",
    look: |context| async move { look(context) }.boxed(),
};

fn look(context: &Context) -> Verdict {
    let file = context.key_file()?;
    let closed = |trouble: Trouble| match file.as_ref().and_then(|f| Some((f, f.safe_mode()?))) {
        Some((file, mode)) => trouble.mended_by(Fix::KeyMode {
            path: file.path().to_owned(),
            mode,
        }),
        None => trouble,
    };
    match (context.key_as_found()?, &file) {
        (Err(error), Some(file)) if matches!(error.fault, KeyFault::WritableByOthers(_)) => {
            let problem = format!(
                "private key file {} can be written by others (mode {:04o}), so that it is not used",
                file.path().display(),
                file.mode()
            );
            Err(closed(Trouble::failed(problem, file.remedy())))
        }
        (Err(error), _) => Err(Trouble::of_error(error)),
        (Ok(key), file) => match file.as_ref().and_then(|f| Some((f, f.problem()?))) {
            Some((file, problem)) => Err(closed(Trouble::warning(problem, file.remedy()))),
            None => Ok(format!("RSA, {} bits", key.bits())),
        },
    }
}
