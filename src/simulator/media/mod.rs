//! Sound: WebRTC peers, Opus frames, tones, recordings.

pub(super) mod clip;
mod ogg;
pub(super) mod peer;
pub(super) mod recording;
pub(super) mod voice;

use std::{sync::Arc, time::Duration};

/// One Opus packet.
pub(super) type Frame = Arc<[u8]>;

/// Length of a packet; what browsers send and what is sent to them.
pub(super) const FRAME: Duration = Duration::from_millis(20);
/// Samples a second of all sound in here, and the RTP clock of Opus (RFC 7587, section 4.1).
pub(super) const SAMPLE_RATE: u32 = 48_000;
/// Samples of one packet.
pub(super) const FRAME_SAMPLES: usize = 960;
