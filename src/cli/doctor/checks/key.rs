//! `key`: the private key can be read, is strong, and is kept from others.

use futures_util::FutureExt;

use crate::{
    cli::doctor::{
        check::{Check, Trouble, Verdict},
        context::Context,
        fix::Fix,
    },
    settings::PrivateKeySource,
    vonage::key::KeyFault,
};

pub(in crate::cli::doctor) const CHECK: Check = Check {
    name: "key",
    matters: "every token is signed with it: without it nobody can call, and whoever has a copy can call at your expense",
    look: |context| async move { look(context) }.boxed(),
};

fn look(context: &Context) -> Verdict {
    let file = match context.key_source()? {
        PrivateKeySource::File(path) => Some(path),
        PrivateKeySource::Text(_) => None,
    };
    let chmod = |trouble: Trouble| match file {
        Some(path) => trouble.mended_by(Fix::KeyMode(path.clone())),
        None => trouble,
    };
    match context.key_as_found()? {
        Err(error) => {
            let trouble = Trouble::of_error(error);
            Err(if matches!(error.fault, KeyFault::WritableByOthers(_)) {
                chmod(trouble)
            } else {
                trouble
            })
        }
        Ok((_key, warnings)) if !warnings.is_empty() => {
            let remedy =
                file.map_or_else(String::new, |path| format!("chmod 600 {}", path.display()));
            Err(chmod(Trouble::warning(warnings.join("\n"), remedy)))
        }
        Ok((key, _warnings)) => Ok(format!("RSA, {} bits", key.bits())),
    }
}
