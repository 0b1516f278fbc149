//! Terminals and callers: who is told what, and when.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

use super::city::City;

/// Callers at once.
const CALLERS: usize = 8;
/// A unit reports so often.
const REPORT: Duration = Duration::from_secs(10);
/// IDs of the bench's calls come after this one.
const FIRST: u64 = 1_000_000;

/// When each call was sent, answered and pushed, ns since the start; 0: not yet.
pub(crate) struct Watch {
    began: Instant,
    sent: Vec<AtomicU64>,
    accepted: Vec<AtomicU64>,
    pushed: Vec<AtomicU64>,
    pushes: Vec<AtomicU32>,
}

impl Watch {
    pub(crate) fn new(calls: usize) -> Watch {
        let none = || (0..calls).map(|_| AtomicU64::new(0)).collect();
        let pushes = (0..calls).map(|_| AtomicU32::new(0)).collect();
        Watch { began: Instant::now(), sent: none(), accepted: none(), pushed: none(), pushes }
    }

    fn note(&self, when: &AtomicU64) {
        let _earlier_holds =
            when.compare_exchange(0, self.began.elapsed().as_nanos() as u64, Ordering::Relaxed, Ordering::Relaxed);
    }

    pub(crate) fn pushed_ms(&self, calls: Range<usize>) -> Vec<f64> {
        self.since_sent(&self.pushed, calls)
    }

    pub(crate) fn accepted_ms(&self, calls: Range<usize>) -> Vec<f64> {
        self.since_sent(&self.accepted, calls)
    }

    /// Calls of which more than one assignment was pushed.
    pub(crate) fn doubled(&self) -> usize {
        self.pushes.iter().filter(|pushes| pushes.load(Ordering::Relaxed) > 1).count()
    }

    /// Waits until all are pushed, at most so long.
    pub(crate) async fn settled(&self, calls: Range<usize>, at_most: Duration) {
        let until = Instant::now() + at_most;
        while Instant::now() < until && self.pushed_ms(calls.clone()).len() < calls.len() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn since_sent(&self, when: &[AtomicU64], calls: Range<usize>) -> Vec<f64> {
        let ms = |n: usize| {
            let (sent, then) = (self.sent[n].load(Ordering::Relaxed), when[n].load(Ordering::Relaxed));
            (then > 0).then(|| then.saturating_sub(sent) as f64 / 1e6)
        };
        let mut sorted: Vec<f64> = calls.filter_map(ms).collect();
        sorted.sort_by(f64::total_cmp);
        sorted
    }
}

/// One thread for all terminals.
pub(crate) fn runtime() -> Runtime {
    rlimit::increase_nofile_limit(u64::MAX).expect("a limit of open files");
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime")
}

/// Connects terminals, each of which goes on by itself. How many.
pub(crate) async fn connect(city: &City, terminals: usize, watch: &Arc<Watch>) -> usize {
    for unit in 0..terminals {
        let stream = TcpStream::connect(city.process.address).await.expect("a connection");
        stream.set_nodelay(true).expect("no delay");
        let url = format!("ws://{}/ws/terminal?unit={unit}", city.process.address);
        let (socket, _) = client_async(url, stream).await.expect("a terminal");
        tokio::spawn(serve(socket, city.posts[unit], Arc::clone(watch)));
    }
    terminals
}

/// Reports, and answers and closes what it is sent at once.
async fn serve(socket: WebSocketStream<TcpStream>, at: (f64, f64), watch: Arc<Watch>) {
    let (mut out, mut frames) = socket.split();
    let mut reports = tokio::time::interval(REPORT);
    let report = json!({"type": "report", "lon": at.0, "lat": at.1, "status": "ready"}).to_string();
    loop {
        tokio::select! {
            _ = reports.tick() => if out.send(Message::text(report.as_str())).await.is_err() { return },
            frame = frames.next() => {
                let Some(Ok(message)) = frame else { return };
                let Message::Text(text) = message else { continue };
                let Some((n, assignment)) = assigned(&text) else { continue };
                watch.note(&watch.pushed[n]);
                watch.pushes[n].fetch_add(1, Ordering::Relaxed);
                for answer in ["accept", "closed"] {
                    let ack = json!({"type": "ack", "assignment": assignment, "answer": answer}).to_string();
                    if out.send(Message::text(ack)).await.is_err() {
                        return;
                    }
                }
            }
        }
    }
}

/// Which call a frame assigns.
fn assigned(text: &str) -> Option<(usize, String)> {
    let frame: Value = serde_json::from_str(text).ok()?;
    if frame["type"] != "assignment" {
        return None;
    }
    let n = frame["call"].as_u64()?.checked_sub(FIRST)?;
    Some((n as usize, frame["assignment"].as_str()?.to_owned()))
}

/// Posts calls at a steady rate, each due at its time whether those before it were answered or not.
pub(crate) fn post(city: &City, watch: &Watch, calls: Range<usize>, per_s: usize) {
    let (began, next) = (Instant::now(), AtomicUsize::new(calls.start));
    std::thread::scope(|scope| {
        for _ in 0..CALLERS {
            scope.spawn(|| {
                while let Some(n) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|n| calls.contains(n)) {
                    let due = began + Duration::from_secs_f64((n - calls.start) as f64 / per_s as f64);
                    std::thread::sleep(due.saturating_duration_since(Instant::now()));
                    watch.note(&watch.sent[n]);
                    if city
                        .process
                        .agent
                        .post(city.process.url("/calls"))
                        .send(alarm(city, n))
                        .is_ok_and(|a| a.status() == 201)
                    {
                        watch.note(&watch.accepted[n]);
                    }
                }
            });
        }
    });
}

/// Beside the post of some unit.
fn alarm(city: &City, n: usize) -> String {
    let (lon, lat) = city.posts[n * 7919 % city.posts.len()];
    let priority = ["A", "B", "C"][n % 3];
    json!({"id": FIRST + n as u64, "priority": priority, "lon": lon, "lat": lat, "words": "bench"}).to_string()
}
