//! WebSockets: dispatch terminals, which are told and answer, and desks, which are told.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Extension;
use axum::extract::Query;
use axum::extract::State;
use axum::extract::rejection::QueryRejection;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::http::HeaderMap;
use axum::response::Response;
use nanming_dataflows::ids::UnitId;
use tokio::sync::{OwnedSemaphorePermit, broadcast, watch};
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::access::Asker;
use super::{Problem, Surface};
use crate::publish::terminals::Line;

pub(super) mod heard;
pub(super) mod login;
use heard::{hear, unreadable};
pub(super) use login::expired;
use login::{Entry, PROTOCOL, Pass, Who};

/// Close codes of RFC 6455.
const GOING_AWAY: u16 = 1001;
const NOT_ALLOWED: u16 = 1008;
const TOO_BIG: u16 = 1009;
const TRY_AGAIN: u16 = 1013;
/// A ping goes out so often, and whoever says nothing for three of them is gone.
const PING: Duration = Duration::from_secs(10);
/// One frame may take so long.
const FRAME: Duration = Duration::from_secs(10);
/// Largest frame from a terminal, bytes.
pub(super) const FRAME_BYTES: usize = 16 << 10;
/// Frames up to this size are read to their end before their sender is told that they are too large.
pub(super) const READ_BYTES: usize = 4 * FRAME_BYTES;
/// Whoever was said goodbye to gets so long to say it too.
const GOODBYE: Duration = Duration::from_secs(1);

/// `GET /ws/terminal?unit=12&after=0`; the unit by number or by name, or by the token that it logs in with.
pub(super) async fn terminal(
    State(surface): State<Arc<Surface>>,
    headers: HeaderMap,
    who: Result<Query<Who>, QueryRejection>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let Query(who) = who.map_err(|e| Problem::new(e.status(), "malformed", e.body_text()))?;
    let entry = login::entry(&surface.app, &headers, who)?;
    let (upgrade, place) = (upgrade.map_err(no_upgrade)?, place(&surface)?);
    let serve = move |socket| serve_terminal(surface, entry, socket, place);
    let upgrade = upgrade.protocols([PROTOCOL]).max_message_size(READ_BYTES).max_frame_size(READ_BYTES);
    Ok(upgrade.on_upgrade(serve))
}

/// Serves a terminal once it is known which unit's it is, until its token ends.
async fn serve_terminal(surface: Arc<Surface>, entry: Entry, mut socket: WebSocket, place: OwnedSemaphorePermit) {
    let pass = match login::pass(&surface.app, entry, &mut socket).await {
        Ok(pass) => pass,
        Err(goodbye) => return close(socket, goodbye).await,
    };
    let Pass { unit, after, until_s } = pass;
    let frames = Frames::Terminal(surface.app.terminals.connect(unit, after));
    serve(surface, Some(unit), until_s, frames, socket, place).await;
}

/// `GET /ws/desk`.
pub(super) async fn desk(
    State(surface): State<Arc<Surface>>,
    Extension(asker): Extension<Asker>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let (upgrade, place) = (upgrade.map_err(no_upgrade)?, place(&surface)?);
    let serve = move |socket| {
        let (now, news) = surface.app.terminals.desk();
        let frames = Frames::Desk(now, news);
        serve(surface, None, asker.until_s, frames, socket, place)
    };
    Ok(upgrade.max_message_size(READ_BYTES).max_frame_size(READ_BYTES).on_upgrade(serve))
}

/// What somebody is told.
enum Frames {
    Terminal(Line),
    Desk(VecDeque<Arc<str>>, broadcast::Receiver<Arc<str>>),
}

impl Frames {
    /// The next frame; none when it was not fetched fast enough.
    async fn next(&mut self) -> Option<Arc<str>> {
        match self {
            Frames::Terminal(line) => line.frames.recv().await,
            Frames::Desk(now, news) => match now.pop_front() {
                Some(frame) => Some(frame),
                None => news.recv().await.ok(),
            },
        }
    }
}

/// Tells somebody all frames until one of both ends; what the terminal of a unit says is heard.
async fn serve(
    surface: Arc<Surface>,
    unit: Option<UnitId>,
    until_s: Option<u64>,
    mut frames: Frames,
    mut socket: WebSocket,
    _place: OwnedSemaphorePermit,
) {
    let mut stop = surface.app.stop.clone();
    let (mut pings, mut heard_at) = (pings(), Instant::now());
    let mut expired = pin!(login::expired(until_s));
    let goodbye = loop {
        let goes_on = tokio::select! {
            frame = frames.next() => match frame {
                Some(frame) => send(&mut socket, frame.as_ref().into()).await,
                None => break Some((TRY_AGAIN, "too slow; connect again")),
            },
            message = socket.recv() => {
                heard_at = Instant::now();
                match heard(&surface, unit, message).await {
                    Ok(None) => true,
                    Ok(Some(answer)) => send(&mut socket, answer.into()).await,
                    Err(goodbye) => break goodbye,
                }
            },
            _ = pings.tick() => heard_at.elapsed() < 3 * PING && ping(&mut socket).await,
            () = &mut expired => break Some((NOT_ALLOWED, "the token has expired; log in with a new one")),
            () = ended(&mut stop) => break Some((GOING_AWAY, "the engine is shutting down")),
        };
        if !goes_on {
            break None;
        }
    };
    close(socket, goodbye).await;
}

/// A close code with its reason; none when the other end has gone.
type Goodbye = Option<(u16, &'static str)>;

/// Takes what came from a socket: what is to be answered, or how it ends.
async fn heard(
    surface: &Surface,
    unit: Option<UnitId>,
    message: Option<Result<Message, axum::Error>>,
) -> Result<Option<String>, Goodbye> {
    const TOO_LARGE: Goodbye = Some((TOO_BIG, "the frame is too large"));
    match (message, unit) {
        (Some(Ok(Message::Text(text))), _) if text.len() > FRAME_BYTES => Err(TOO_LARGE),
        (Some(Ok(Message::Binary(bytes))), _) if bytes.len() > FRAME_BYTES => Err(TOO_LARGE),
        (Some(Ok(Message::Text(text))), Some(unit)) => Ok(hear(&surface.app, unit, text.as_bytes()).await),
        (Some(Ok(Message::Text(text))), None) => {
            Ok(Some(unreadable(&surface.app, "a desk is told, and says nothing", text.as_bytes())))
        }
        (Some(Ok(Message::Binary(bytes))), _) => {
            Ok(Some(unreadable(&surface.app, "frames are JSON text, not binary", &bytes)))
        }
        (Some(Ok(Message::Ping(_) | Message::Pong(_))), _) => Ok(None),
        (Some(Err(error)), _) => Err(TOO_LARGE.filter(|_| is_too_large(error))),
        (Some(Ok(Message::Close(_))) | None, _) => Err(None),
    }
}

fn is_too_large(error: axum::Error) -> bool {
    matches!(error.into_inner().downcast_ref(), Some(tungstenite::Error::Capacity(_)))
}

async fn send(socket: &mut WebSocket, text: Utf8Bytes) -> bool {
    matches!(timeout(FRAME, socket.send(Message::Text(text))).await, Ok(Ok(())))
}

async fn ping(socket: &mut WebSocket) -> bool {
    matches!(timeout(FRAME, socket.send(Message::Ping(Default::default()))).await, Ok(Ok(())))
}

async fn close(mut socket: WebSocket, goodbye: Goodbye) {
    if let Some((code, reason)) = goodbye {
        let frame = CloseFrame { code, reason: reason.into() };
        let _gone_already = timeout(FRAME, socket.send(Message::Close(Some(frame)))).await;
        // Ended at once, the system would throw away what the other end has not read yet.
        let answered = async { while let Some(Ok(_)) = socket.recv().await {} };
        let _it_need_not_answer = timeout(GOODBYE, answered).await;
    }
}

async fn ended(stop: &mut watch::Receiver<bool>) {
    // An error means that whoever could stop us is gone: the end as well.
    let _ = stop.wait_for(|stop| *stop).await;
}

fn pings() -> tokio::time::Interval {
    let mut pings = interval(PING);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    pings.reset();
    pings
}

fn place(surface: &Surface) -> Result<OwnedSemaphorePermit, Problem> {
    let full = |_| Problem::unavailable("too_many_streams", "all places are taken; try again later");
    Arc::clone(&surface.streams).try_acquire_owned().map_err(full)
}

fn no_upgrade(rejection: WebSocketUpgradeRejection) -> Problem {
    Problem::new(rejection.status(), "no_websocket", rejection.body_text())
}
