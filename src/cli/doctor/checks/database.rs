//! `database`: it can be opened, keeps what it is given over a power cut, and is of this version.

use futures_util::FutureExt;

use crate::cli::doctor::{
    check::{Check, Trouble, Verdict},
    context::Context,
};

pub(in crate::cli::doctor) const CHECK: Check = Check {
    name: "database",
    matters: "no call is let through that can't be written down",
    look: |context| look(context).boxed(),
};

async fn look(context: &Context) -> Verdict {
    match context.store().await? {
        Ok(None) => Ok("not there yet; the first start makes it".to_owned()),
        Ok(Some(store)) => match store.ping().await {
            Ok(()) => Ok("takes a write, and keeps it over a power cut".to_owned()),
            Err(error) => Err(Trouble::failed(
                error.to_string(),
                "see that the disk is not full (df -h) and that nothing else holds the database locked",
            )),
        },
        Err(error) => Err(Trouble::of_error(error)),
    }
}
