//! Reads a call's stream of states.

use std::time::Duration;

use reqwest::Response;
use serde_json::Value;

/// No state takes this long.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) struct CallStream {
    response: Response,
    buffer: String,
}

impl CallStream {
    pub(crate) fn new(response: Response) -> Self {
        Self {
            response,
            buffer: String::new(),
        }
    }

    /// The next state, and its reason if it has one. `None`: the stream has ended.
    pub(crate) async fn next(&mut self) -> Option<(String, Option<String>)> {
        loop {
            while let Some((event, rest)) = self.buffer.split_once("\n\n") {
                let data = event
                    .lines()
                    .find_map(|line| line.strip_prefix("data: "))
                    .map(str::to_owned);
                let rest = rest.to_owned();
                self.buffer = rest;
                if let Some(data) = data {
                    let state: Value = serde_json::from_str(&data).unwrap();
                    let text = |key: &str| state[key].as_str().map(str::to_owned);
                    return Some((text("state").unwrap(), text("reason")));
                }
            }
            let chunk = tokio::time::timeout(PATIENCE, self.response.chunk())
                .await
                .expect("no news")
                .unwrap()?;
            self.buffer.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// Reads until this state, and returns its reason.
    pub(crate) async fn until(&mut self, state: &str) -> Option<String> {
        loop {
            let (found, reason) = self.next().await.expect("the stream ended early");
            if found == state {
                return reason;
            }
        }
    }
}
