//! What keeps a load within bounds: where it may go, and that it ends by itself.

use std::{net::IpAddr, vec};

use anyhow::ensure;
use url::{Host, Url};

use crate::simulator::scenario::Visitor;

/// How long a visitor talks whom no scenario describes, and how long they wait for an answer.
const TALK_MS: u64 = 2_000;
const WAIT_MS: u64 = 60_000;

/// Refuses a service on another machine unless it was named in words: a mistyped address must not
/// become somebody else's outage.
///
/// # Errors
/// When the address is none to visit, and what would make it one.
pub(super) fn check_target(target: &Url, elsewhere: bool) -> anyhow::Result<()> {
    ensure!(
        matches!(target.scheme(), "http" | "https") && target.host().is_some(),
        "{target} is no address of a service: expected http://… or https://…"
    );
    ensure!(
        elsewhere || is_loopback(target),
        "{target} is not on this machine. If it is your own service and meant to be visited like this, \
         say so with --against-another-machine"
    );
    Ok(())
}

fn is_loopback(target: &Url) -> bool {
    match target.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        None => false,
    }
}

/// The visitors, each with their time: those of the scenario once, or over and over at an even pace.
#[derive(Debug)]
pub(super) enum Load {
    Once(vec::IntoIter<Visitor>),
    Paced {
        visitors: Vec<Visitor>,
        per_second: u32,
        next: u32,
        end: u32,
    },
}

impl Load {
    /// `pace` is visitors a second, and seconds.
    pub(super) fn of(mut visitors: Vec<Visitor>, pace: Option<(u32, u32)>) -> Self {
        if visitors.is_empty() {
            visitors.push(Visitor {
                hang_up_after_ms: Some(TALK_MS),
                give_up_after_ms: Some(WAIT_MS),
                ..Visitor::default()
            });
        }
        match pace {
            None => {
                visitors.sort_by_key(|visitor| visitor.after_ms);
                Self::Once(visitors.into_iter())
            }
            Some((per_second, seconds)) => Self::Paced {
                visitors,
                per_second,
                next: 0,
                end: per_second * seconds,
            },
        }
    }
}

impl Iterator for Load {
    type Item = Visitor;

    fn next(&mut self) -> Option<Visitor> {
        match self {
            Self::Once(visitors) => visitors.next(),
            Self::Paced {
                visitors,
                per_second,
                next,
                end,
            } => {
                let number = *next;
                if number == *end {
                    return None;
                }
                *next += 1;
                let place = usize::try_from(number).unwrap_or_default() % visitors.len();
                let mut visitor = visitors.get(place)?.clone();
                visitor.after_ms = u64::from(number) * 1_000 / u64::from(*per_second);
                Some(visitor)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn only_this_machine_is_visited_unless_another_is_named_in_words() {
        for here in [
            "http://localhost:3000",
            "http://127.0.0.9:3000",
            "http://[::1]:3000",
        ] {
            assert!(check_target(&target(here), false).is_ok(), "{here}");
        }
        for elsewhere in [
            "http://localhost.example.com",
            "http://10.0.0.1:3000",
            "https://example.com",
        ] {
            let refused = check_target(&target(elsewhere), false).unwrap_err();
            assert!(refused.to_string().contains("--against-another-machine"));
            assert!(check_target(&target(elsewhere), true).is_ok());
        }
        assert!(check_target(&target("mailto:a@example.com"), true).is_err());
    }

    #[test]
    fn a_load_is_even_and_ends() {
        let visitor = |line: &str| Visitor {
            line: Some(line.to_owned()),
            ..Visitor::default()
        };
        let load = Load::of(vec![visitor("a"), visitor("b")], Some((4, 2)));
        let visits: Vec<_> = load
            .map(|visitor| (visitor.after_ms, visitor.line.unwrap_or_default()))
            .collect();
        assert_eq!(visits.len(), 8);
        assert_eq!(visits[0], (0, "a".to_owned()));
        assert_eq!(visits[3], (750, "b".to_owned()));
        assert_eq!(visits[7], (1_750, "b".to_owned()));
    }

    #[test]
    fn a_scenario_without_visitors_has_one_who_ends_by_themselves() {
        let visitors: Vec<_> = Load::of(Vec::new(), None).collect();
        assert_eq!(visitors.len(), 1);
        assert!(visitors[0].hang_up_after_ms.is_some() && visitors[0].give_up_after_ms.is_some());
    }
}
