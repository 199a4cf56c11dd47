//! `region`: settings, application and users name the same one.

use futures_util::FutureExt;

use crate::{
    cli::doctor::{
        check::{Check, Trouble, Verdict},
        context::Context,
    },
    vonage::{
        account::applications::Wanted,
        hosts::{self, Region},
    },
};

pub(in crate::cli::doctor) const CHECK: Check = Check {
    name: "region",
    matters: "a user lives in one region, and a page that asks another one can't log in; calls take the long way",
    look: |context| look(context).boxed(),
};

async fn look(context: &Context) -> Verdict {
    let region = context.region()?;
    let differs = |what: &str, found: &str, remedy: String| {
        Err(Trouble::failed(
            format!("VONAGE_REGION is {}, but {what} {found}", region.as_str()),
            remedy,
        ))
    };
    let correct = |found: Region| format!("set VONAGE_REGION={}", found.as_str());
    if let Some(found) = hosts::region_of(context.api_url()?.as_str())
        && found != region
    {
        return differs(
            "VONAGE_API_URL is a host of",
            found.as_str(),
            correct(found),
        );
    }
    let mut agreed = Vec::new();
    if let Ok(application) = context.application().await {
        let wanted = Wanted {
            region: Some(region),
            ..Wanted::default()
        };
        match application.voice_region() {
            Some(place) if !wanted.differences(application).is_empty() => {
                return differs(
                    "the application's calls are handled in",
                    place,
                    format!(
                        "set VONAGE_REGION to the application's region; or move its calls: `click-to-call app update \
                         --region {}`",
                        region.as_str()
                    ),
                );
            }
            Some(place) => agreed.push(format!("application {place}")),
            // Vonage chooses then.
            None => {}
        }
    }
    if let Ok(Ok(probe)) = context.probe().await
        && let Some(found) = probe.region
    {
        if found != region {
            return differs("users live in", found.as_str(), correct(found));
        }
        agreed.push(format!("users {}", found.as_str()));
    }
    let set = format!("set to {}", region.as_str());
    Ok(if agreed.is_empty() {
        set
    } else {
        format!("{set}; {}", agreed.join(", "))
    })
}
