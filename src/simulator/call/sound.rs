//! The sound of a leg: its browser, if it has one, and what went through it.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use serde::Serialize;

use crate::simulator::{
    cloud::lock,
    media::{
        Frame,
        peer::{Peer, PeerFault},
    },
};

/// The sound of a leg.
#[derive(Debug)]
pub(in crate::simulator) struct Sound {
    pub(in crate::simulator) muted: AtomicBool,
    pub(in crate::simulator) deaf: AtomicBool,
    peer: Mutex<Option<Peer>>,
    last_heard: Mutex<Instant>,
    packets_in: AtomicU64,
    packets_out: AtomicU64,
    bytes_in: AtomicU64,
    bytes_out: AtomicU64,
}

impl Default for Sound {
    fn default() -> Self {
        Self {
            muted: AtomicBool::default(),
            deaf: AtomicBool::default(),
            peer: Mutex::default(),
            last_heard: Mutex::new(Instant::now()),
            packets_in: AtomicU64::default(),
            packets_out: AtomicU64::default(),
            bytes_in: AtomicU64::default(),
            bytes_out: AtomicU64::default(),
        }
    }
}

/// Packets and bytes of a leg, from its person and to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(in crate::simulator) struct Counts {
    pub(in crate::simulator) packets_in: u64,
    pub(in crate::simulator) packets_out: u64,
    pub(in crate::simulator) bytes_in: u64,
    pub(in crate::simulator) bytes_out: u64,
}

impl Sound {
    /// Attaches a browser; the one before, if any, is let go.
    pub(in crate::simulator) fn attach(&self, peer: Peer) {
        *lock(&self.peer) = Some(peer);
        *lock(&self.last_heard) = Instant::now();
    }

    pub(in crate::simulator) fn detach(&self) {
        *lock(&self.peer) = None;
    }

    pub(in crate::simulator) fn has_peer(&self) -> bool {
        lock(&self.peer).is_some()
    }

    /// The browser's answer to an offer of ours; without a browser there was none.
    ///
    /// # Errors
    ///
    /// See [`Peer::answer`].
    pub(in crate::simulator) fn answer(&self, answer: &str) -> Result<(), PeerFault> {
        match &*lock(&self.peer) {
            Some(peer) => peer.answer(answer),
            None => Ok(()),
        }
    }

    /// Cuts or mends the path to the browser.
    pub(in crate::simulator) fn stall(&self, stalled: bool) {
        if let Some(peer) = &*lock(&self.peer) {
            peer.stall(stalled);
        }
    }

    /// Time since the last packet from the person.
    pub(in crate::simulator) fn silence(&self) -> Duration {
        lock(&self.last_heard).elapsed()
    }

    pub(in crate::simulator) fn counts(&self) -> Counts {
        Counts {
            packets_in: self.packets_in.load(Ordering::Relaxed),
            packets_out: self.packets_out.load(Ordering::Relaxed),
            bytes_in: self.bytes_in.load(Ordering::Relaxed),
            bytes_out: self.bytes_out.load(Ordering::Relaxed),
        }
    }

    /// Counts a packet from the person.
    pub(super) fn count_in(&self, frame: &Frame) {
        *lock(&self.last_heard) = Instant::now();
        self.packets_in.fetch_add(1, Ordering::Relaxed);
        self.bytes_in.fetch_add(size(frame), Ordering::Relaxed);
    }

    /// Counts a packet to the person and sends it to the browser.
    pub(super) fn send(&self, frame: &Frame) {
        self.packets_out.fetch_add(1, Ordering::Relaxed);
        self.bytes_out.fetch_add(size(frame), Ordering::Relaxed);
        if let Some(peer) = &*lock(&self.peer) {
            peer.send(Arc::clone(frame));
        }
    }
}

fn size(frame: &Frame) -> u64 {
    u64::try_from(frame.len()).unwrap_or_default()
}
