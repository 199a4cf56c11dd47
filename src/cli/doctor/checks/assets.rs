//! `assets`: the browser SDK is in the program, and arrives under the public address as it left.

use aws_lc_rs::digest;
use base64::{Engine, engine::general_purpose::STANDARD};
use futures_util::FutureExt;

use crate::{
    assets,
    cli::doctor::{
        check::{Check, Trouble, Verdict},
        context::Context,
        reach,
    },
};

/// Where the SDK is among the files.
const SDK: &str = "vendor/vonage-client-sdk.js";

pub(in crate::cli::doctor) const CHECK: Check = Check {
    name: "assets",
    matters: "the page can't call without Vonage's browser SDK, and browsers run it only if it is byte for byte the one \
              that was packed",
    look: |context| look(context).boxed(),
};

async fn look(context: &Context) -> Verdict {
    let Some(integrity) = assets::SDK_INTEGRITY else {
        return Err(Trouble::failed(
            "this program was built without the browser SDK",
            "`npm ci`, and build again; the container image's build does both",
        ));
    };
    let packed = "the browser SDK is in the program";
    let Ok(Ok(presence)) = context.public().await else {
        return Ok(packed.to_owned());
    };
    if presence.version != env!("CARGO_PKG_VERSION") {
        return Ok(packed.to_owned());
    }
    let mut url = context.public_url()?.clone();
    url.set_path(&assets::address(SDK));
    match reach::fetch(url).await {
        Ok((status, body)) if status.is_success() && integrity_of(&body) == integrity => {
            Ok(format!("{packed} and arrives as it left"))
        }
        Ok((status, _body)) if status.is_success() => Err(Trouble::failed(
            "the browser SDK arrives changed under the public address",
            "switch off what rewrites scripts on the way: minifying, script loaders, injected analytics",
        )),
        Ok((status, _body)) => Err(Trouble::failed(
            format!("the browser SDK does not arrive under the public address: {status}"),
            "let the proxy pass /static/ on to the service",
        )),
        Err(reason) => Err(Trouble::failed(
            format!("the browser SDK does not arrive under the public address: {reason}"),
            "let the proxy pass /static/ on to the service, whole: it has more than a megabyte",
        )),
    }
}

/// As `integrity` attributes have it.
fn integrity_of(body: &[u8]) -> String {
    let sum = digest::digest(&digest::SHA384, body);
    format!("sha384-{}", STANDARD.encode(sum))
}
