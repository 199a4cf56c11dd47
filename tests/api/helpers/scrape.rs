//! Reads the metrics as a scraper does.

use super::TestApp;

/// One scrape.
pub(crate) struct Scrape(pub(crate) String);

impl TestApp {
    /// The metrics now; the settings must ask for them.
    pub(crate) async fn scrape(&self) -> Scrape {
        let url = self.metrics_url.as_ref().expect("metrics.port is not set");
        let response = self.http.get(url).send().await.unwrap();
        Scrape(response.error_for_status().unwrap().text().await.unwrap())
    }

    /// Scrapes until this sample has this value.
    pub(crate) async fn wait_for_sample(&self, sample: &str, value: i64) {
        let waiting = async {
            while self.scrape().await.get(sample) != value {
                tokio::task::yield_now().await;
            }
        };
        let patience = std::time::Duration::from_secs(10);
        let waited = tokio::time::timeout(patience, waiting).await;
        waited.unwrap_or_else(|_| panic!("{sample} never became {value}"));
    }
}

impl Scrape {
    /// The value of a sample that is a whole number, such as `events_total{result="kept"}`, whose prefix is left out.
    pub(crate) fn get(&self, sample: &str) -> i64 {
        let value = self
            .0
            .lines()
            .find_map(|line| line.strip_prefix("click_to_call_")?.strip_prefix(sample));
        let value = value.unwrap_or_else(|| panic!("no {sample} in\n{}", self.0));
        value.trim().parse().unwrap()
    }

    /// Kind and name of every metric, the name as it is asked for.
    pub(crate) fn metrics(&self) -> Vec<(String, String)> {
        let types = self
            .0
            .lines()
            .filter_map(|line| line.strip_prefix("# TYPE "));
        types
            .map(|line| {
                let (name, kind) = line.split_once(' ').unwrap();
                let suffix = match kind {
                    "counter" => "_total",
                    "info" => "_info",
                    _ => "",
                };
                (kind.to_owned(), format!("{name}{suffix}"))
            })
            .collect()
    }
}
