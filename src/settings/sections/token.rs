//! `token.*`

use std::time::Duration;

use crate::settings::{
    Token, acl, forms,
    key::{Default::Value, Key, Spec},
    reader::{Noted, Reader},
};

static TTL: Key<Duration> = Key::new(
    "token.ttl_seconds",
    &forms::seconds::<30, 86_400>(),
    Value("86400"),
    "Life of a visitor's token; Vonage takes 30 seconds to one day. The page fetches a new one by itself before the \
     end.",
);

static ACL: Key<Vec<String>> = Key::new(
    "token.acl",
    &forms::acl_paths(),
    Value("\"client-sdk\""),
    "What a token may do at Vonage: \"client-sdk\" (the documented paths of the Client SDK), \"call-only\" (those that \
     a call needs) or a list of paths. Paths that spend money or administrate (calls, emergency, messages, files) are \
     refused.",
);

pub(in crate::settings) static KEYS: &[&Spec] = &[&TTL.spec, &ACL.spec];

pub(in crate::settings) fn read(reader: &mut Reader) -> Result<Token, Noted> {
    let ttl = reader.value(&TTL);
    let acl_paths = reader.value(&ACL);
    for path in acl_paths
        .iter()
        .flat_map(|paths| acl::missing_for_calls(paths))
    {
        reader.warn(format!(
            "token.acl lacks {path}, which the page's SDK needs for a call; add it unless you have tried without"
        ));
    }
    Ok(Token {
        ttl: ttl?,
        acl_paths: acl_paths?,
    })
}
