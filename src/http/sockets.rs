//! WebSockets: dispatch terminals, which are told and answer, and desks, which are told.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::extract::{Query, State};
use axum::response::Response;
use nanming_dataflows::ids::UnitId;
use serde::Deserialize;
use tokio::sync::{OwnedSemaphorePermit, broadcast, watch};
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::{Problem, Surface};
use crate::ingest::NameOrId;
use crate::publish::terminals::Line;

mod heard;
use heard::hear;

/// Close codes of RFC 6455.
const GOING_AWAY: u16 = 1001;
const TRY_AGAIN: u16 = 1013;
/// A ping goes out so often, and whoever says nothing for three of them is gone.
const PING: Duration = Duration::from_secs(20);
/// One frame may take so long.
const FRAME: Duration = Duration::from_secs(10);
/// Largest frame from a terminal, bytes.
const FRAME_BYTES: usize = 16 << 10;

/// What a terminal says when it connects.
#[derive(Deserialize)]
pub(super) struct Who {
    unit: Option<String>,
}

/// `GET /ws/terminal?unit=12`; the unit by number or by name.
pub(super) async fn terminal(
    State(surface): State<Arc<Surface>>,
    Query(who): Query<Who>,
    upgrade: Result<WebSocketUpgrade, axum::extract::ws::rejection::WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let unit = unit(&surface, who.unit.as_deref().unwrap_or_default())?;
    let (upgrade, place) = (upgrade.map_err(no_upgrade)?, place(&surface)?);
    let serve = move |socket| {
        let frames = Frames::Terminal(surface.app.terminals.connect(unit));
        serve(surface, Some(unit), frames, socket, place)
    };
    Ok(upgrade.max_message_size(FRAME_BYTES).on_upgrade(serve))
}

/// `GET /ws/desk`.
pub(super) async fn desk(
    State(surface): State<Arc<Surface>>,
    upgrade: Result<WebSocketUpgrade, axum::extract::ws::rejection::WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let (upgrade, place) = (upgrade.map_err(no_upgrade)?, place(&surface)?);
    let serve = move |socket| {
        let frames = Frames::Desk(surface.app.terminals.desk());
        serve(surface, None, frames, socket, place)
    };
    Ok(upgrade.max_message_size(FRAME_BYTES).on_upgrade(serve))
}

/// What somebody is told.
enum Frames {
    Terminal(Line),
    Desk(broadcast::Receiver<Arc<str>>),
}

impl Frames {
    /// The next frame; none when it was not fetched fast enough.
    async fn next(&mut self) -> Option<Arc<str>> {
        match self {
            Frames::Terminal(line) => line.frames.recv().await,
            Frames::Desk(frames) => frames.recv().await.ok(),
        }
    }
}

/// Tells somebody all frames until one of both ends; what the terminal of a unit says is heard.
async fn serve(
    surface: Arc<Surface>,
    unit: Option<UnitId>,
    mut frames: Frames,
    mut socket: WebSocket,
    _place: OwnedSemaphorePermit,
) {
    let mut stop = surface.app.stop.clone();
    let (mut pings, mut heard_at) = (pings(), Instant::now());
    let goodbye = loop {
        let goes_on = tokio::select! {
            frame = frames.next() => match frame {
                Some(frame) => send(&mut socket, frame.as_ref().into()).await,
                None => break Some((TRY_AGAIN, "too slow; connect again")),
            },
            message = socket.recv() => {
                heard_at = Instant::now();
                match (message, unit) {
                    (Some(Ok(Message::Text(text))), Some(unit)) => {
                        match hear(&surface.app, unit, text.as_bytes()).await {
                            Ok(()) => true,
                            Err(frame) => send(&mut socket, frame.into()).await,
                        }
                    }
                    (Some(Ok(Message::Close(_)) | Err(_)) | None, _) => break None,
                    (Some(Ok(_)), _) => true,
                }
            },
            _ = pings.tick() => heard_at.elapsed() < 3 * PING && ping(&mut socket).await,
            () = ended(&mut stop) => break Some((GOING_AWAY, "the engine is shutting down")),
        };
        if !goes_on {
            break None;
        }
    };
    close(socket, goodbye).await;
}

async fn send(socket: &mut WebSocket, text: Utf8Bytes) -> bool {
    matches!(timeout(FRAME, socket.send(Message::Text(text))).await, Ok(Ok(())))
}

async fn ping(socket: &mut WebSocket) -> bool {
    matches!(timeout(FRAME, socket.send(Message::Ping(Default::default()))).await, Ok(Ok(())))
}

async fn close(mut socket: WebSocket, goodbye: Option<(u16, &'static str)>) {
    if let Some((code, reason)) = goodbye {
        let frame = CloseFrame { code, reason: reason.into() };
        let _gone_already = timeout(FRAME, socket.send(Message::Close(Some(frame)))).await;
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

fn unit(surface: &Surface, text: &str) -> Result<UnitId, Problem> {
    let which = text.parse().map_or_else(|_| NameOrId::Name(text.into()), NameOrId::Id);
    Ok(surface.app.validator.names().unit(&which)?)
}

fn place(surface: &Surface) -> Result<OwnedSemaphorePermit, Problem> {
    let full = |_| Problem::unavailable("too_many_streams", "all places are taken; try again later");
    Arc::clone(&surface.streams).try_acquire_owned().map_err(full)
}

fn no_upgrade(rejection: axum::extract::ws::rejection::WebSocketUpgradeRejection) -> Problem {
    Problem::new(rejection.status(), "no_websocket", rejection.body_text())
}
