//! Plays a recording: the ticks that passed the door, as they were, so that an engine of the same kind decides the same.
//!
//! Some ticks are in flight at once and the decoder works ahead of them; what waits is bounded, however long it is. Where the
//! recorded engine was started anew, this one is too.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use nanming_dataflows::Time;
use nanming_dataflows::keyed::{States, Tick};
use nanming_dataflows::network::City;

use super::{Pace, ReplayArgs, ReplayError, Summary, progress, span, write_summary};
use crate::cluster::Cluster;
use crate::engine::Engine;
use crate::publish::jsonl::JsonlSinks;
use crate::recording::{Ahead, Recorded, Recording};

/// Ticks in flight at most: enough that workers never wait for us, and few enough that none waits long.
const IN_FLIGHT: usize = 3;

/// How fast it went on this machine: nothing of this is in the summary, which depends on the recording alone.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// From the first tick to the last decision.
    pub wall: Duration,
    /// Events played.
    pub events: u64,
    /// Passages among them.
    pub passages: u64,
    /// Ticks by their time from submission to decisions, in steps of 0.1 ms; the last takes all that are longer.
    pub ticks_by_latency: Vec<u64>,
}

/// Steps of the histogram of latencies.
const STEPS: usize = 100_000;
const STEP_US: u128 = 100;

impl Figures {
    /// The latency that such a share of the ticks did not exceed, ms.
    pub fn latency_ms(&self, share: f64) -> f64 {
        let ticks: u64 = self.ticks_by_latency.iter().sum();
        let mut left = (ticks as f64 * share).ceil() as u64;
        let step = self.ticks_by_latency.iter().position(|n| {
            left = left.saturating_sub(*n);
            left == 0
        });
        step.map_or(0.0, |step| (step + 1) as f64 * STEP_US as f64 / 1000.0)
    }

    fn note(&mut self, latency: Duration) {
        let step = (latency.as_micros() / STEP_US) as usize;
        self.ticks_by_latency.resize(STEPS, 0);
        self.ticks_by_latency[step.min(STEPS - 1)] += 1;
    }
}

/// Replays a recording, writes the files, and returns the summary that summary.json holds.
pub(super) fn replay(
    args: &ReplayArgs,
    dir: &Path,
    city: &Arc<City>,
    cluster: Option<&Cluster>,
    interrupted: &AtomicBool,
) -> Result<Summary, ReplayError> {
    let (summary, figures) = play(args, dir, city, cluster, interrupted)?;
    let per_s = figures.events as f64 / figures.wall.as_secs_f64().max(1e-9);
    tracing::info!(
        "{} events in {:.1} s, {per_s:.0} a second; ticks p50 {:.1} ms, p99 {:.1} ms",
        figures.events,
        figures.wall.as_secs_f64(),
        figures.latency_ms(0.5),
        figures.latency_ms(0.99)
    );
    Ok(summary)
}

/// The recording, and from when to when it is to be played.
pub(super) fn open(args: &ReplayArgs, dir: &Path, city: &Arc<City>) -> Result<(Recording, (Time, Time)), ReplayError> {
    let recording = Recording::open(dir, city)?;
    let (first, last) = recording.span();
    let (from, to) = span::span(city, (first, last), args.from, args.to);
    if from > to || from > last || to < first {
        return Err(ReplayError::Nothing { first, last });
    }
    Ok((recording, (from, to)))
}

/// Replays a recording, alone or as the leader of several processes, and tells how fast it went.
pub fn play(
    args: &ReplayArgs,
    dir: &Path,
    city: &Arc<City>,
    cluster: Option<&Cluster>,
    interrupted: &AtomicBool,
) -> Result<(Summary, Figures), ReplayError> {
    let failed = |source| ReplayError::File { path: args.out.clone(), source };
    let (recording, (from, to)) = open(args, dir, city)?;
    let (first, last) = recording.span();
    let sinks = JsonlSinks::create(&args.out, city).map_err(failed)?;
    let ticks = Ahead::start(&recording, (from, to), args.loops)
        .map_err(|source| ReplayError::File { path: dir.into(), source })?;
    let began = Instant::now();
    let mut play = Play {
        args,
        city,
        cluster,
        engine: Engine::start_in(cluster, city, args.workers, States::default())?,
        sinks,
        summary: Summary::new(city, 0, Default::default()),
        figures: Figures::default(),
        waiting: VecDeque::new(),
    };
    let pace = Pace::start(args.speed, interrupted);
    let progress = progress((to.min(last) - from.max(first) + 1).saturating_mul(args.loops));
    let played = play.all(ticks, &pace, interrupted, &progress);
    progress.finish_and_clear();
    play.sinks.flush().map_err(failed)?;
    played?;
    if play.summary.ticks == 0 {
        return Err(ReplayError::Nothing { first, last });
    }
    play.figures.wall = began.elapsed();
    write_summary(&play.summary, &args.out)?;
    Ok((play.summary, play.figures))
}

struct Play<'a> {
    args: &'a ReplayArgs,
    city: &'a Arc<City>,
    cluster: Option<&'a Cluster>,
    engine: Engine,
    sinks: JsonlSinks,
    summary: Summary,
    figures: Figures,
    /// When the ticks in flight were submitted, oldest first.
    waiting: VecDeque<Instant>,
}

impl Play<'_> {
    fn all(
        &mut self,
        ticks: Ahead,
        pace: &Pace<'_>,
        interrupted: &AtomicBool,
        progress: &indicatif::ProgressBar,
    ) -> Result<(), ReplayError> {
        let mut begin: Option<Time> = None;
        for recorded in ticks {
            let recorded = recorded?;
            if interrupted.load(Ordering::Relaxed) {
                return Err(ReplayError::Interrupted(self.args.out.clone()));
            }
            let played_ms = recorded.tick - *begin.get_or_insert(recorded.tick);
            self.wait_for(pace, played_ms)?;
            if recorded.starts && self.summary.ticks > 0 {
                self.start_anew()?;
            }
            self.submit(recorded)?;
            progress.set_position(played_ms);
        }
        self.finish_to(0)
    }

    /// Takes what the engine finishes until the next tick is due.
    fn wait_for(&mut self, pace: &Pace<'_>, played_ms: u64) -> Result<(), ReplayError> {
        let due = pace.began + pace.due(played_ms);
        while !self.waiting.is_empty() && Instant::now() < due {
            match self.engine.parts().clone().recv_deadline(due) {
                Ok(part) => self.take(part?)?,
                Err(_) => break,
            }
        }
        pace.wait_for(played_ms);
        self.finish_to(IN_FLIGHT - 1)
    }

    fn submit(&mut self, recorded: Recorded) -> Result<(), ReplayError> {
        let Recorded { tick, left_out, mut batch, .. } = recorded;
        self.summary.take(&batch);
        self.summary.ticks_missing += u64::from(left_out);
        self.figures.events += batch.len() as u64;
        self.figures.passages += batch.passages.len() as u64;
        self.cluster.iter().for_each(|cluster| cluster.keep_own(&mut batch));
        self.waiting.push_back(Instant::now());
        Ok(self.engine.submit(tick, batch, Tick::default())?)
    }

    /// Waits until so many ticks are in flight at most.
    fn finish_to(&mut self, most: usize) -> Result<(), ReplayError> {
        while self.waiting.len() > most {
            let part = self.engine.parts().recv().map_err(|_| crate::engine::Stopped)?;
            self.take(part?)?;
        }
        Ok(())
    }

    fn take(&mut self, part: crate::engine::Part) -> Result<(), ReplayError> {
        let Some(finished) = self.engine.assemble(part) else { return Ok(()) };
        let submitted = self.waiting.pop_front();
        submitted.into_iter().for_each(|at| self.figures.note(at.elapsed()));
        self.summary.note(self.city, &finished.decisions);
        self.sinks
            .write(&finished.decisions)
            .map_err(|source| ReplayError::File { path: self.args.out.clone(), source })
    }

    fn start_anew(&mut self) -> Result<(), ReplayError> {
        self.finish_to(0)?;
        // The other processes end theirs by it, and come together again.
        self.engine.end();
        self.engine = Engine::start_in(self.cluster, self.city, self.args.workers, States::default())?;
        Ok(())
    }
}
