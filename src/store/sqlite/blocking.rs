//! Work that waits for the disk, away from the threads that answer requests.

use std::panic;

use tokio::task;

/// Runs it on a thread of its own kind and waits for its result.
pub(super) async fn off_runtime<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match task::spawn_blocking(work).await {
        Ok(result) => result,
        // Nobody aborts it, so it has panicked.
        Err(panicked) => panic::resume_unwind(panicked.into_panic()),
    }
}
