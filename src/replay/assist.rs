//! A process that follows in a replay: it reads the same files as the leader, feeds its share of their sensor events, and
//! writes nothing; what is decided comes out at the leader.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use nanming_dataflows::event::Batch;
use nanming_dataflows::keyed::Tick;
use nanming_dataflows::network::City;

use super::recording::Recording;
use super::{IN_FLIGHT, ReplayArgs, ReplayError};
use crate::cluster::Cluster;
use crate::engine::Engine;

/// Follows until the leader has come to its end.
pub(super) fn assist(
    args: &ReplayArgs,
    cluster: &Cluster,
    city: &Arc<City>,
    interrupted: &AtomicBool,
) -> Result<(), ReplayError> {
    let recording = Recording::read(args, city, &mut Vec::new())?;
    let mut engine = Engine::start_in(Some(cluster), city, args.workers, &[])?;
    let mut events = recording.events.into_iter().peekable();
    let announced = engine.announced().clone();
    while let Ok(Some(tick)) = announced.recv() {
        if interrupted.load(Ordering::Relaxed) {
            return Err(ReplayError::Interrupted(args.out.clone()));
        }
        let mut batch = Batch::default();
        while let Some(event) = events.next_if(|e| e.time_ms() <= tick) {
            batch.push(event);
        }
        cluster.keep_own(&mut batch);
        engine.submit(tick, batch, Tick::default())?;
        while engine.in_flight() > IN_FLIGHT {
            engine.finished()?;
        }
    }
    Ok(())
}
