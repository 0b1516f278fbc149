//! A process that follows in a replay: it reads the same files as the leader, feeds its share of their sensor events, and
//! writes nothing; what is decided comes out at the leader.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use nanming_dataflows::Time;
use nanming_dataflows::event::Batch;
use nanming_dataflows::input::Announced;
use nanming_dataflows::keyed::{States, Tick};
use nanming_dataflows::network::City;

use super::recording::Recording;
use super::{IN_FLIGHT, ReplayArgs, ReplayError, recorded};
use crate::cluster::Cluster;
use crate::engine::Engine;
use crate::recording::{Ahead, Recorded};

/// Follows until the leader has come to its end.
pub(super) fn assist(
    args: &ReplayArgs,
    cluster: &Cluster,
    city: &Arc<City>,
    interrupted: &AtomicBool,
) -> Result<(), ReplayError> {
    let recording = Recording::read(args, city, &mut Vec::new())?;
    let mut events = recording.events.into_iter().peekable();
    let mut follower = Follower::start(args, cluster, city, interrupted)?;
    let followed = loop {
        let Some(tick) = follower.hear() else { break Ok(()) };
        let mut batch = Batch::default();
        while let Some(event) = events.next_if(|e| e.time_ms() <= tick) {
            batch.push(event);
        }
        if let Err(error) = follower.feed(tick, batch) {
            break Err(error);
        }
    };
    follower.leave(followed)
}

/// Follows through a recording of a live city until the leader has come to its end.
pub(super) fn recorded(
    args: &ReplayArgs,
    dir: &Path,
    cluster: &Cluster,
    city: &Arc<City>,
    interrupted: &AtomicBool,
) -> Result<(), ReplayError> {
    let (recording, span) = recorded::open(args, dir, city)?;
    let ticks =
        Ahead::start(&recording, span, args.loops).map_err(|source| ReplayError::File { path: dir.into(), source })?;
    let mut follower = Follower::start(args, cluster, city, interrupted)?;
    let followed = follower.follow(ticks);
    follower.leave(followed)
}

/// A follower's engine.
struct Follower<'a> {
    args: &'a ReplayArgs,
    cluster: &'a Cluster,
    city: &'a Arc<City>,
    interrupted: &'a AtomicBool,
    engine: Engine,
}

impl<'a> Follower<'a> {
    fn start(
        args: &'a ReplayArgs,
        cluster: &'a Cluster,
        city: &'a Arc<City>,
        interrupted: &'a AtomicBool,
    ) -> Result<Self, ReplayError> {
        let engine = Engine::start_in(Some(cluster), city, args.workers, States::default())?;
        Ok(Follower { args, cluster, city, interrupted, engine })
    }

    /// The leader's next tick; None when it has ended its engine.
    fn hear(&self) -> Option<Time> {
        self.engine.announced().recv().ok().flatten().map(|Announced { tick, .. }| tick)
    }

    fn follow(&mut self, ticks: Ahead) -> Result<(), ReplayError> {
        let mut has_begun = false;
        for recorded in ticks {
            let Recorded { tick, starts, batch, .. } = recorded?;
            if starts && has_begun {
                self.start_anew(tick)?;
            }
            has_begun = true;
            match self.hear() {
                Some(theirs) if theirs == tick => self.feed(tick, batch)?,
                Some(theirs) => return Err(ReplayError::Differs { theirs, ours: Some(tick) }),
                None => return Err(ReplayError::LeaderEnded { ours: tick }),
            }
        }
        self.hear().map_or(Ok(()), |theirs| Err(ReplayError::Differs { theirs, ours: None }))
    }

    /// Where the recorded engine was started anew, all processes start theirs anew.
    fn start_anew(&mut self, ours: Time) -> Result<(), ReplayError> {
        if let Some(theirs) = self.hear() {
            return Err(ReplayError::Differs { theirs, ours: Some(ours) });
        }
        self.engine.end();
        self.engine = Engine::start_in(Some(self.cluster), self.city, self.args.workers, States::default())?;
        Ok(())
    }

    fn feed(&mut self, tick: Time, mut batch: Batch) -> Result<(), ReplayError> {
        if self.interrupted.load(Ordering::Relaxed) {
            return Err(ReplayError::Interrupted(self.args.out.clone()));
        }
        self.cluster.keep_own(&mut batch);
        self.engine.submit(tick, batch, Tick::default())?;
        while self.engine.in_flight() > IN_FLIGHT {
            self.engine.finished()?;
        }
        Ok(())
    }

    /// Who ends before the leader does not end its engine first: the others would play on without its share.
    fn leave(self, followed: Result<(), ReplayError>) -> Result<(), ReplayError> {
        if followed.is_err() {
            std::mem::forget(self.engine);
        }
        followed
    }
}
