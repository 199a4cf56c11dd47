//! Tells the streams of one call that something about it has changed.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::watch;

use super::ids::CallId;

/// A call has one visitor, with a tab or two and the connections of them that are not known to be dead yet.
const WATCHERS_PER_CALL: usize = 8;

/// Who watches which call in this process.
///
/// Carries no state, only the news that there is some: a watcher reads the store, so that nothing
/// it shows can differ from what is kept, and a missed notice costs nothing but time.
#[derive(Debug, Default, Clone)]
pub struct LiveCalls(Arc<Mutex<HashMap<CallId, watch::Sender<()>>>>);

/// The news of one call. Ends with its value.
#[derive(Debug)]
pub struct Watcher {
    call: CallId,
    receiver: watch::Receiver<()>,
    live: LiveCalls,
}

impl LiveCalls {
    /// Starts watching. Whatever changes from now on is reported. `None`: [`WATCHERS_PER_CALL`] do so already.
    pub fn watch(&self, call: CallId) -> Option<Watcher> {
        let mut calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let sender = calls.entry(call).or_insert_with(|| watch::Sender::new(()));
        (sender.receiver_count() < WATCHERS_PER_CALL).then(|| Watcher {
            call,
            receiver: sender.subscribe(),
            live: self.clone(),
        })
    }

    /// Something about this call has changed.
    pub fn changed(&self, call: CallId) {
        let calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = calls.get(&call) {
            sender.send_replace(());
        }
    }

    /// Something about any call may have changed.
    pub fn all_changed(&self) {
        let calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for sender in calls.values() {
            sender.send_replace(());
        }
    }
}

impl Watcher {
    /// Waits for the next change. Several at once are one.
    pub async fn changed(&mut self) {
        // The sender lives in the map for as long as this watcher does.
        let _ = self.receiver.changed().await;
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let mut calls = self.live.0.lock().unwrap_or_else(PoisonError::into_inner);
        if calls
            .get(&self.call)
            .is_some_and(|sender| sender.receiver_count() == 1)
        {
            calls.remove(&self.call);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn news_reaches_every_watcher_of_the_call_and_nobody_is_kept() {
        let live = LiveCalls::default();
        let call = CallId::random();
        let (mut one, mut two) = (live.watch(call).unwrap(), live.watch(call).unwrap());
        live.changed(CallId::random());
        live.changed(call);
        one.changed().await;
        two.changed().await;
        live.all_changed();
        one.changed().await;
        let crowd: Vec<_> = (2..WATCHERS_PER_CALL)
            .map(|_| live.watch(call).unwrap())
            .collect();
        assert!(live.watch(call).is_none());
        drop((one, two, crowd));
        assert!(live.0.lock().unwrap().is_empty());
    }
}
