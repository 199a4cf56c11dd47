//! Vonage's question what to do with a call, at a steady pace.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use tokio::{runtime, sync::mpsc, task::JoinSet, time::timeout};

use super::{http::Connection, requests};

const PER_SECOND: u32 = 50;
/// Vonage waits no longer.
const PATIENCE: Duration = Duration::from_secs(5);

/// How the questions were answered.
pub(crate) struct Answers {
    /// For those that connect the caller: the time from the moment that the question was due.
    pub(crate) times: Vec<Duration>,
    /// The number of all others.
    pub(crate) failed: usize,
}

/// Asks for so long, whether or not the last question was answered: who waits for an answer before asking again
/// measures a slow service less often than a fast one. With `keep`, connections are used again.
///
/// Blocks a thread: on a runtime that makes the load as well, the questions would wait behind that.
pub(crate) fn ask_steadily(address: SocketAddr, lasts: Duration, keep: bool) -> Answers {
    let asking = thread::spawn(move || {
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(ask(address, lasts, keep))
    });
    let all = asking.join().unwrap();
    let number = all.len();
    let times: Vec<Duration> = all.into_iter().flatten().collect();
    Answers {
        failed: number - times.len(),
        times,
    }
}

async fn ask(address: SocketAddr, lasts: Duration, keep: bool) -> Vec<Option<Duration>> {
    let free: Arc<Mutex<Vec<Connection>>> = Arc::default();
    let mut asked = JoinSet::new();
    let mut pace = keep_pace(lasts);
    while let Some((due, request)) = pace.recv().await {
        let free = Arc::clone(&free);
        asked.spawn(async move {
            let is_connected = timeout(PATIENCE, question(address, &request, &free, keep)).await;
            matches!(is_connected, Ok(Ok(true))).then(|| due.elapsed())
        });
    }
    asked.join_all().await
}

/// The questions, each at the moment that it is due, from a thread of its own: the runtime's timers are a millisecond
/// or two late, which is longer than an answer takes.
fn keep_pace(lasts: Duration) -> mpsc::UnboundedReceiver<(Instant, Vec<u8>)> {
    let (sender, due_now) = mpsc::unbounded_channel();
    thread::spawn(move || {
        let (begun, mut due) = (Instant::now(), Duration::ZERO);
        while due < lasts {
            let request = requests::answer();
            thread::sleep(due.saturating_sub(begun.elapsed()));
            if sender.send((begun + due, request)).is_err() {
                return;
            }
            due += Duration::from_secs(1) / PER_SECOND;
        }
    });
    due_now
}

async fn question(
    address: SocketAddr,
    request: &[u8],
    free: &Mutex<Vec<Connection>>,
    keep: bool,
) -> io::Result<bool> {
    let kept = free.lock().unwrap().pop();
    let mut connection = match kept {
        Some(connection) => connection,
        None => Connection::open(address).await?,
    };
    let answer = connection.send(request).await?;
    if keep {
        free.lock().unwrap().push(connection);
    }
    Ok(requests::connects(&answer))
}
