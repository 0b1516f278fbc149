//! `GET /api/events`: the board's stream of server-sent events.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, broadcast, watch};

use super::access::Asker;
use super::sockets::expired;
use super::{Problem, Surface};
use crate::publish::board::{Opening, Piece};

/// A board that follows the stream.
struct Follower {
    surface: Arc<Surface>,
    waiting: VecDeque<(&'static str, Piece)>,
    deltas: broadcast::Receiver<Piece>,
    stop: watch::Receiver<bool>,
    /// Whoever's token has ended is told no more.
    expired: Pin<Box<dyn Future<Output = ()> + Send>>,
    _place: OwnedSemaphorePermit,
}

/// Opens a stream.
pub(super) async fn events(
    State(surface): State<Arc<Surface>>,
    Extension(asker): Extension<Asker>,
    asked: HeaderMap,
) -> Result<Response, Problem> {
    let full = |_| Problem::unavailable("too_many_streams", "all places are taken; try again later");
    let place = Arc::clone(&surface.streams).try_acquire_owned().map_err(full)?;
    let last_seen = asked.get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok());
    let opening = surface.app.board.open(last_seen);
    surface.app.metrics.event_streams(1);
    let stop = surface.app.stop.clone();
    let (waiting, deltas) = begin(opening);
    let expired = Box::pin(expired(asker.until_s));
    let follower = Follower { surface, waiting, deltas, stop, expired, _place: place };
    let events = stream::unfold(follower, |mut follower| async move {
        let event = follower.next().await?;
        Some((Ok::<_, Infallible>(event), follower))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::default()).into_response())
}

fn begin(opening: Opening) -> (VecDeque<(&'static str, Piece)>, broadcast::Receiver<Piece>) {
    let snapshot = opening.snapshot.into_iter().map(|piece| ("snapshot", piece));
    let missed = opening.missed.into_iter().map(|piece| ("delta", piece));
    (snapshot.chain(missed).collect(), opening.deltas)
}

impl Follower {
    /// The next event; none at the end.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((kind, piece)) = self.waiting.pop_front() {
                return Some(event(kind, &piece));
            }
            let received = tokio::select! {
                received = self.deltas.recv() => received,
                _ = self.stop.wait_for(|stop| *stop) => return None,
                () = &mut self.expired => return None,
            };
            match received {
                Ok(piece) => return Some(event("delta", &piece)),
                Err(RecvError::Lagged(_)) => (self.waiting, self.deltas) = begin(self.surface.app.board.open(None)),
                Err(RecvError::Closed) => return None,
            }
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.surface.app.metrics.event_streams(-1);
    }
}

fn event(kind: &str, piece: &Piece) -> Event {
    let json = std::str::from_utf8(&piece.json).unwrap_or("{}");
    Event::default().id(piece.seq.to_string()).event(kind).data(json)
}
