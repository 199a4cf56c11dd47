//! `database`: it can be opened, takes a write, and is of this version.

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
        Ok(Some(store)) if store.is_current => {
            Ok("takes a write, and its tables are of this version".to_owned())
        }
        Ok(Some(_older)) => Err(Trouble::warning(
            "its tables are older than this version, or not made yet; looking leaves them as they are",
            "stop the service, make a back-up and start this version, which brings them up to date; or run the doctor \
             of the version that is running",
        )),
        Err(error) => Err(Trouble::of_error(error)),
    }
}
