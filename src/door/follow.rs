//! The door of a process that follows: the leader of the cluster closes the ticks, and this one closes them too, with the
//! sensor events that have arrived here. How far topics are read with them goes to the leader with the tick, for its ledger.

use std::collections::VecDeque;

use nanming_dataflows::input::Announced;

use super::{Arrivals, NEVER, TickRecord, Waiting};
use crate::engine::{Engine, Stopped};
use crate::metrics::Metrics;
use crate::snapshots::Snapshots;

/// Drives the engine until the leader ends. `closes` is told each tick as it closes, with what the leader says of sources;
/// `finished` each as it is finished: it has no decisions, those are the leader's.
pub fn follow(
    mut engine: Engine,
    arrivals: &Arrivals,
    metrics: &Metrics,
    snapshots: &mut Snapshots,
    mut closes: impl FnMut(&Announced),
    mut finished: impl FnMut(&TickRecord),
) -> Result<(), Stopped> {
    let (announced, parts) = (engine.announced().clone(), engine.parts().clone());
    let (mut waiting, mut closing, mut open) = (Waiting::default(), VecDeque::new(), true);
    loop {
        let (room, pushed_room) = (open && waiting.has_room(), open && waiting.has_room_for_pushed());
        crossbeam_channel::select! {
            recv(announced) -> tick => {
                let Ok(Some(announced)) = tick else { return Ok(()) };
                closes(&announced);
                let tick = announced.tick;
                let (batch, _, offsets) = waiting.leave();
                let read = offsets.bookmarks();
                closing.push_back(TickRecord { offsets, ..TickRecord::closing(tick, &batch) });
                engine.submit_read(tick, batch, snapshots.mark(), read)?;
            }
            recv(parts) -> part => {
                let whole = engine.assemble(part.map_err(|_| Stopped)??);
                if let Some((whole, record)) = whole.and_then(|whole| Some((whole, closing.pop_front()?))) {
                    snapshots.take(record.tick, whole.saved, &record.offsets);
                    finished(&record);
                }
            }
            recv(if pushed_room { &arrivals.pushed } else { &*NEVER }) -> arrival => match arrival {
                Ok(arrival) => {
                    arrivals.room.notify_one();
                    waiting.take_pushed(arrival, metrics);
                }
                Err(_) => open = arrivals.take_left(&mut waiting),
            },
            recv(if room { &arrivals.pulled } else { &*NEVER }) -> arrival => match arrival {
                Ok(arrival) => waiting.take(arrival),
                Err(_) => open = arrivals.take_left(&mut waiting),
            },
        }
    }
}
