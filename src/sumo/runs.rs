//! Seeds beside each other: each has a SUMO and an engine of its own. What comes of a seed does not depend on the others.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use indicatif::{ProgressBar, ProgressStyle};
use nanming_dataflows::network::City;

use super::detectors::Faults;
use super::lights::Lights;
use super::play::{Decided, Play, PlayError};
use super::plots::Watch;
use super::process::{Outputs, Sumo};
use super::scenario::Scenario;
use super::{Controller, SumoError, Trips, trips};

/// When to end before all is played: it was asked for, or a run has failed.
pub(super) struct Ending<'a> {
    pub(super) interrupted: &'a AtomicBool,
    failed: AtomicBool,
}

impl Ending<'_> {
    pub(super) fn is_now(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed) || self.failed.load(Ordering::Relaxed)
    }
}

/// What a seed's run is made from.
pub(super) struct Runs<'a> {
    pub(super) program: &'a Path,
    pub(super) scenario: &'a Scenario,
    pub(super) city: &'a Arc<City>,
    pub(super) lights: &'a Lights,
    pub(super) controller: Controller,
    /// None: nothing fails.
    pub(super) faults: Option<Faults>,
    /// What the first seed's run is watched for.
    pub(super) watch: Option<Watch>,
    pub(super) progress: &'a ProgressBar,
}

/// What came of a seed.
pub(super) struct Played {
    pub(super) seed: u64,
    pub(super) trips: Trips,
    pub(super) decided: Decided,
    pub(super) outputs: Outputs,
    pub(super) watched: Option<Watch>,
}

impl Runs<'_> {
    /// Plays seeds, so many at a time; in the order of the seeds whichever ends first.
    pub(super) fn play(
        &self,
        seeds: &[u64],
        jobs: NonZeroUsize,
        interrupted: &AtomicBool,
    ) -> Result<Vec<Played>, SumoError> {
        let ending = Ending { interrupted, failed: AtomicBool::new(false) };
        let (next, played) = (AtomicUsize::new(0), Mutex::new(Vec::with_capacity(seeds.len())));
        let work = || {
            while let Some((row, seed)) =
                Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|n| Some((n, seeds.get(n)?)))
            {
                let done = self.one(*seed, self.watch.clone().filter(|_| row == 0), seeds.len() > 1, &ending);
                ending.failed.fetch_or(done.is_err(), Ordering::Relaxed);
                played.lock().unwrap_or_else(PoisonError::into_inner).push((row, done));
            }
        };
        std::thread::scope(|scope| {
            (0..jobs.get().min(seeds.len())).for_each(|_| drop(scope.spawn(work)));
        });
        let mut played = played.into_inner().unwrap_or_else(PoisonError::into_inner);
        played.sort_by_key(|(row, _)| *row);
        if interrupted.load(Ordering::Relaxed) {
            return Err(SumoError::Interrupted);
        }
        // Those that ended because another one had failed are not what is to be told.
        if let Some(at) =
            played.iter().position(|(_, done)| done.as_ref().is_err_and(|e| !matches!(e, SumoError::Interrupted)))
        {
            return played.swap_remove(at).1.map(|_| Vec::new());
        }
        played.into_iter().map(|(_, done)| done).collect()
    }

    fn one(
        &self,
        seed: u64,
        watch: Option<Watch>,
        is_one_of_many: bool,
        ending: &Ending<'_>,
    ) -> Result<Played, SumoError> {
        let play = Play {
            city: self.city,
            lights: self.lights.clone(),
            faults: self.faults.map(|faults| Faults { seed, ..faults }),
            watch,
            end_s: self.scenario.end_s,
            progress: self.progress,
            ending,
        };
        let (mut sumo, mut client) = Sumo::start(self.program, self.scenario, seed, is_one_of_many, ending)?;
        let played = play.play(&mut client, self.controller);
        let ended = played.and_then(|played| client.close().map(|()| played).map_err(PlayError::Talk));
        let (decided, watched) = ended.map_err(|error| match error {
            PlayError::Talk(_) if ending.is_now() => SumoError::Interrupted,
            PlayError::Talk(error) => sumo.failed(error),
            PlayError::Other(error) => error,
        })?;
        let outputs = sumo.end()?;
        let trips = trips::read(&outputs.trips, self.scenario.lasts_s())?;
        Ok(Played { seed, trips, decided, outputs, watched })
    }
}

/// A bar over so many seconds of simulated time.
pub(super) fn progress(length_s: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {percent:>3} %  {msg}  {elapsed} of about {duration}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(length_s).with_style(style)
}
