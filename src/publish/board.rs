//! The live board: the city's state as the last committed tick left it, and the stream of what changes in it.
//!
//! The state is brought up to date by every tick; once a second [`Board::beat`] turns what changed into one delta, encoded
//! once for all boards. A board that falls behind finds its queue overrun and is given a new snapshot.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use nanming_dataflows::ids::UnitId;
use nanming_dataflows::network::City;
use serde_json::Value;
use tokio::sync::broadcast;

use super::bus::Sink;
use crate::clock::wall_ms;
use crate::door::TickRecord;
use crate::ingest::DeadLetters;
use crate::metrics::Metrics;

mod detail;
mod figures;
mod open;
mod picture;
mod state;
pub use state::{CallNow, StageNow, State, UnitNow};

/// Deltas that are kept for boards that come back.
const KEPT: usize = 30;

/// A piece of the stream: its sequence number and its JSON.
#[derive(Clone, Debug)]
pub struct Piece {
    /// Sequence number: `id:` of the event.
    pub seq: u64,
    /// The JSON of the event.
    pub json: Bytes,
}

/// The board.
pub struct Board {
    metrics: Arc<Metrics>,
    letters: Arc<DeadLetters>,
    inner: Mutex<Inner>,
    deltas: broadcast::Sender<Piece>,
}

struct Inner {
    state: State,
    seq: u64,
    kept: VecDeque<Piece>,
    snapshot: Option<Piece>,
    tempo: figures::Tempo,
}

/// How a board's stream begins.
pub struct Opening {
    /// The missed deltas, or nothing.
    pub missed: Vec<Piece>,
    /// A snapshot, when the missed deltas are gone or there were none.
    pub snapshot: Option<Piece>,
    /// What follows.
    pub deltas: broadcast::Receiver<Piece>,
}

impl Board {
    /// An empty board of a city. Sequence numbers start at the time, so that none is ever met again after a restart.
    pub fn new(city: Arc<City>, metrics: Arc<Metrics>, letters: Arc<DeadLetters>) -> Board {
        let state = State::new(city);
        let tempo = figures::Tempo::default();
        let inner = Inner { state, seq: wall_ms(), kept: VecDeque::new(), snapshot: None, tempo };
        Board { metrics, letters, inner: Mutex::new(inner), deltas: broadcast::Sender::new(KEPT) }
    }

    /// Opens a stream; `last_seen` is the sequence number that a board saw before it was cut off.
    pub fn open(&self, last_seen: Option<u64>) -> Opening {
        let mut inner = self.lock();
        let deltas = self.deltas.subscribe();
        let first_kept = inner.kept.front().map_or(inner.seq + 1, |piece| piece.seq);
        match last_seen {
            Some(seen) if seen <= inner.seq && seen + 1 >= first_kept => {
                let missed = inner.kept.iter().filter(|piece| piece.seq > seen).cloned().collect();
                Opening { missed, snapshot: None, deltas }
            }
            _ => Opening { missed: Vec::new(), snapshot: Some(inner.snapshot()), deltas },
        }
    }

    /// Makes the delta since the last beat, sends it, and sets the gauges. Once a second.
    pub fn beat(&self) {
        let mut inner = self.lock();
        inner.state.note_silence();
        let levels = inner.state.levels();
        let figures = inner.figures(&self.metrics, &self.letters);
        let mut picture = inner.state.changes();
        picture["figures"] = figures;
        inner.seq += 1;
        inner.snapshot = None;
        let piece = Piece { seq: inner.seq, json: encoded(&picture) };
        if inner.kept.len() == KEPT {
            inner.kept.pop_front();
        }
        inner.kept.push_back(piece.clone());
        drop(inner);
        let _no_board_is_fine = self.deltas.send(piece);
        self.metrics.levels(&levels);
    }

    /// The first terminal of a unit connected, or its last one left.
    pub fn manned(&self, unit: UnitId, manned: bool) {
        self.lock().state.man(unit, manned);
    }

    /// Asks the state something.
    pub fn read<T>(&self, ask: impl FnOnce(&State) -> T) -> T {
        ask(&self.lock().state)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// The whole state as of the last beat's sequence number; what came since will come again in the next delta.
    fn snapshot(&mut self) -> Piece {
        if let Some(piece) = &self.snapshot {
            return piece.clone();
        }
        let mut picture = self.state.everything();
        picture["figures"] = self.tempo.last.clone();
        picture["history"] = self.tempo.history();
        let piece = Piece { seq: self.seq, json: encoded(&picture) };
        self.snapshot.insert(piece).clone()
    }

    fn figures(&mut self, metrics: &Metrics, letters: &DeadLetters) -> Value {
        let outside = figures::Outside {
            tick_p99_ms: metrics.tick_p99_ms(),
            events: metrics.events_total(),
            dead_letters: letters.total(),
        };
        self.tempo.figures(&self.state, &outside)
    }
}

impl Sink for Arc<Board> {
    fn take(&mut self, record: &Arc<TickRecord>) {
        let answered_ms = self.lock().state.take(record);
        answered_ms.into_iter().for_each(|after_ms| self.metrics.answered(after_ms));
    }
}

fn encoded(picture: &Value) -> Bytes {
    serde_json::to_vec(picture).unwrap_or_default().into()
}

#[cfg(test)]
mod tests;
