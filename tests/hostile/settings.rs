//! Settings that make no sense are told in words, without a secret in them.

use std::collections::BTreeMap;

use click_to_call::settings::{self, Sources};
use proptest::{collection::btree_map, prelude::*};

const SECRETS: [&str; 5] = [
    "VONAGE_PRIVATE_KEY",
    "VONAGE_SIGNATURE_SECRET",
    "VONAGE_API_SECRET",
    "SESSION_SECRET",
    "CLICK_TO_CALL__VISITORS__SERVICE_KEYS",
];

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        proptest::sample::select(
            &[
                "PORT",
                "PUBLIC_URL",
                "DATABASE_URL",
                "VONAGE_NUMBER",
                "VONAGE_REGION",
                "VONAGE_API_URL",
                "DESTINATION_PHONE_NUMBER",
                "CLICK_TO_CALL__TOKEN__ACL",
                "CLICK_TO_CALL__TOKEN__TTL_SECONDS",
                "CLICK_TO_CALL__HTTP__TRUSTED_PROXIES",
                "CLICK_TO_CALL__VISITORS__ALLOWED_ORIGINS",
            ][..]
        )
        .prop_map(str::to_owned),
        "CLICK_TO_CALL__[A-Z_]{1,20}",
    ]
}

proptest! {
    #[test]
    fn every_fault_is_told_and_no_secret(
        mut environment in btree_map(name(), any::<String>(), 0..6),
        secret in "canary[ -~]{0,60}",
        which in proptest::sample::subsequence(&SECRETS[..], 0..=SECRETS.len()),
    ) {
        environment.extend(which.iter().map(|name| ((*name).to_owned(), secret.clone())));
        let names: BTreeMap<_, _> = environment.clone();
        let sources = Sources { environment, ..Sources::default() };
        // The required keys are never all there, so there is always something to tell.
        let faults = settings::load(&sources).unwrap_err();
        let told = faults.to_string();
        prop_assert!(!told.contains("canary"), "{names:?}: {told}");
        prop_assert!(told.chars().all(|c| c == '\n' || !c.is_control()), "{told:?}");
    }
}
