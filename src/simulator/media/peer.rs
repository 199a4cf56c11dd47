//! One WebRTC connection: ICE-lite on one UDP port, DTLS-SRTP, Opus in both directions.
//!
//! The Client SDK replaces all its candidates by a dummy and sends none later, so the browser's
//! address is learnt from its connectivity checks, and ours must be in the answer.

use std::{
    fmt, io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use str0m::{
    Candidate, Event, IceConnectionState, Input, Output, Rtc, RtcError,
    change::{SdpAnswer, SdpOffer, SdpPendingOffer},
    format::Codec,
    media::{Direction, Frequency, MediaKind, MediaTime, Mid},
    net::{Protocol, Receive},
};
use tokio::{net::UdpSocket, sync::mpsc};

use super::{FRAME_SAMPLES, Frame, SAMPLE_RATE};
use crate::simulator::cloud::Cloud;

/// Largest datagram that is read, in bytes; WebRTC stays below an Ethernet frame.
const DATAGRAM: usize = 2_000;
/// Pause after which the outgoing clock follows the wall clock again, in samples (60 ms).
const PAUSE_SAMPLES: u64 = 2_880;

/// What a peer tells its owner.
#[derive(Debug, Clone)]
pub(in crate::simulator) enum PeerEvent {
    /// ICE and DTLS are up.
    Connected,
    /// A packet from the browser.
    Heard(Frame),
    /// The browser closed the connection or its checks have stopped.
    Lost,
}

/// Takes a peer's events; called on the peer's own task, so it must not block.
pub(in crate::simulator) type Listener = Box<dyn Fn(PeerEvent) + Send + Sync>;

/// Why an offer could not be taken.
#[derive(Debug, thiserror::Error)]
pub(in crate::simulator) enum PeerFault {
    /// Not an SDP offer or answer.
    #[error("the text is not valid SDP")]
    Offer(#[from] str0m::error::SdpError),
    /// The offer holds something that cannot be answered.
    #[error("the offer cannot be answered")]
    Engine(#[from] RtcError),
    /// No port.
    #[error("cannot open a UDP port for media")]
    Socket(#[from] io::Error),
    /// Our own address is not usable.
    #[error("the media address is not usable as a candidate")]
    Candidate(#[from] str0m::error::IceError),
}

/// The owner's end of a connection; dropping it closes the connection.
#[derive(Clone)]
pub(in crate::simulator) struct Peer {
    frames: mpsc::UnboundedSender<Frame>,
    answers: mpsc::UnboundedSender<SdpAnswer>,
    stalled: Arc<AtomicBool>,
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer").finish_non_exhaustive()
    }
}

impl Peer {
    /// Answers an offer on a fresh port; returns the SDP answer.
    ///
    /// # Errors
    ///
    /// See [`PeerFault`].
    pub(in crate::simulator) async fn accept(
        cloud: &Arc<Cloud>,
        offer: &str,
        listener: Listener,
    ) -> Result<(Self, String), PeerFault> {
        let offer = SdpOffer::from_sdp_string(offer)?;
        let (mut rtc, socket, local) = engine_at(cloud).await?;
        let answer = rtc.sdp_api().accept_offer(offer)?.to_sdp_string();
        Ok((
            Self::run(cloud, rtc, (socket, local), None, listener),
            answer,
        ))
    }

    /// Makes an offer on a fresh port, for a browser that is called; returns it as SDP.
    ///
    /// # Errors
    ///
    /// See [`PeerFault`].
    pub(in crate::simulator) async fn offer(
        cloud: &Arc<Cloud>,
        listener: Listener,
    ) -> Result<(Self, String), PeerFault> {
        let (mut rtc, socket, local) = engine_at(cloud).await?;
        let mut change = rtc.sdp_api();
        let mid = change.add_media(MediaKind::Audio, Direction::SendRecv, None, None, None);
        // There is a change: the medium that was just added.
        let (offer, pending) = change
            .apply()
            .ok_or(PeerFault::Socket(io::ErrorKind::Other.into()))?;
        let open = Some((mid, pending));
        let peer = Self::run(cloud, rtc, (socket, local), open, listener);
        Ok((peer, offer.to_sdp_string()))
    }

    fn run(
        cloud: &Arc<Cloud>,
        rtc: Rtc,
        (socket, local): (UdpSocket, SocketAddr),
        open: Option<(Mid, SdpPendingOffer)>,
        listener: Listener,
    ) -> Self {
        let (frames, queue) = mpsc::unbounded_channel();
        let (answers, answered) = mpsc::unbounded_channel();
        let stalled = Arc::new(AtomicBool::new(false));
        let (audio, pending) = open.unzip();
        let engine = Engine {
            rtc,
            socket,
            local,
            queue,
            answered,
            pending,
            stalled: Arc::clone(&stalled),
            listener,
            audio,
            started: Instant::now(),
            rtp_time: 0,
        };
        cloud.spawn(engine.run());
        Self {
            frames,
            answers,
            stalled,
        }
    }

    /// The browser's answer to an offer of ours.
    ///
    /// # Errors
    ///
    /// When it isn't SDP. An answer that doesn't fit the offer ends the connection.
    pub(in crate::simulator) fn answer(&self, answer: &str) -> Result<(), PeerFault> {
        // The engine may have ended with its call; then nobody needs the answer.
        let _ = self.answers.send(SdpAnswer::from_sdp_string(answer)?);
        Ok(())
    }

    /// Sends a packet to the browser; lost when the connection is not up.
    pub(in crate::simulator) fn send(&self, frame: Frame) {
        // The engine may have ended with its browser; then nobody listens.
        let _ = self.frames.send(frame);
    }

    /// Cuts or mends the path: a cut path drops every datagram in both directions.
    pub(in crate::simulator) fn stall(&self, stalled: bool) {
        self.stalled.store(stalled, Ordering::Relaxed);
    }
}

/// A port, and an engine that names it as its only candidate.
async fn engine_at(cloud: &Cloud) -> Result<(Rtc, UdpSocket, SocketAddr), PeerFault> {
    let socket = UdpSocket::bind((cloud.media_address, 0)).await?;
    let local = socket.local_addr()?;
    let mut rtc = Rtc::builder()
        .set_ice_lite(true)
        .clear_codecs()
        .enable_opus(true, false)
        .build(Instant::now());
    rtc.add_local_candidate(Candidate::host(local, "udp")?);
    Ok((rtc, socket, local))
}

struct Engine {
    rtc: Rtc,
    socket: UdpSocket,
    local: SocketAddr,
    queue: mpsc::UnboundedReceiver<Frame>,
    answered: mpsc::UnboundedReceiver<SdpAnswer>,
    /// An offer of ours that waits for its answer.
    pending: Option<SdpPendingOffer>,
    stalled: Arc<AtomicBool>,
    listener: Listener,
    audio: Option<Mid>,
    started: Instant,
    rtp_time: u64,
}

impl Engine {
    async fn run(mut self) {
        let mut datagram = vec![0; DATAGRAM];
        loop {
            let Ok(wake) = self.drain().await else { break };
            if !self.rtc.is_alive() {
                break;
            }
            let fed = tokio::select! {
                frame = self.queue.recv() => match frame {
                    Some(frame) => self.write(frame),
                    // The owner let go of it and wants to hear nothing more.
                    None => return self.rtc.disconnect(),
                },
                Some(answer) = self.answered.recv() => match self.pending.take() {
                    Some(pending) => self.rtc.sdp_api().accept_answer(pending, answer),
                    None => Ok(()),
                },
                received = self.socket.recv_from(&mut datagram) => match received {
                    Ok((length, source)) => self.read(datagram.get(..length).unwrap_or_default(), source),
                    // An ICMP refusal of an earlier datagram: the browser's port is gone, and
                    // the missing connectivity checks will say so.
                    Err(_) => Ok(()),
                },
                () = tokio::time::sleep_until(wake.into()) => {
                    self.rtc.handle_input(Input::Timeout(Instant::now()))
                }
            };
            if fed.is_err() {
                break;
            }
        }
        self.rtc.disconnect();
        (self.listener)(PeerEvent::Lost);
    }

    /// Does everything the engine wants done; returns when it wants to be woken.
    async fn drain(&mut self) -> Result<Instant, RtcError> {
        loop {
            match self.rtc.poll_output()? {
                Output::Timeout(wake) => return Ok(wake),
                Output::Transmit(datagram) => {
                    if !self.stalled.load(Ordering::Relaxed) {
                        // A datagram that cannot be sent is a lost one; media survives that.
                        let _ = self
                            .socket
                            .send_to(&datagram.contents, datagram.destination)
                            .await;
                    }
                }
                Output::Event(event) => self.handle(event),
            }
        }
    }

    fn handle(&mut self, event: Event) {
        if let Event::MediaAdded(media) = &event {
            self.audio = Some(media.mid);
        } else if let Event::MediaData(media) = event {
            (self.listener)(PeerEvent::Heard(Frame::from(&media.data[..])));
        } else if matches!(event, Event::Connected) {
            (self.listener)(PeerEvent::Connected);
        } else if matches!(
            event,
            Event::IceConnectionStateChange(IceConnectionState::Disconnected)
        ) {
            (self.listener)(PeerEvent::Lost);
        }
    }

    fn read(&mut self, datagram: &[u8], source: SocketAddr) -> Result<(), RtcError> {
        if self.stalled.load(Ordering::Relaxed) {
            return Ok(());
        }
        match Receive::new(Protocol::Udp, source, self.local, datagram) {
            Ok(receive) => self
                .rtc
                .handle_input(Input::Receive(Instant::now(), receive)),
            // Not STUN, DTLS or RTP: anybody can send to a port.
            Err(_) => Ok(()),
        }
    }

    /// Packets come at their own pace, so each advances the clock by its length; only after a pause
    /// does the clock jump to the present, or the browser would play what follows too late.
    fn write(&mut self, frame: Frame) -> Result<(), RtcError> {
        let now = Instant::now();
        let elapsed = now.duration_since(self.started).as_millis();
        let present = u64::try_from(elapsed).unwrap_or_default() * u64::from(SAMPLE_RATE) / 1_000;
        let next = self.rtp_time + u64::try_from(FRAME_SAMPLES).unwrap_or_default();
        self.rtp_time = if present > next + PAUSE_SAMPLES {
            present
        } else {
            next
        };
        let Some(writer) = self.audio.and_then(|mid| self.rtc.writer(mid)) else {
            return Ok(());
        };
        let opus = writer
            .payload_params()
            .find(|params| params.spec().codec == Codec::Opus)
            .map(str0m::format::PayloadParams::pt);
        match opus {
            Some(opus) => writer.write(
                opus,
                now,
                MediaTime::new(self.rtp_time, Frequency::FORTY_EIGHT_KHZ),
                frame,
            ),
            None => Ok(()),
        }
    }
}
