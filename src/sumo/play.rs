//! One run, in lockstep: SUMO simulates a second, the engine hears of it and decides, SUMO's lights obey.

use std::sync::Arc;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use nanming_dataflows::event::{Batch, Event};
use nanming_dataflows::network::City;
use nanming_simulators::traci::{Client, Heard, TraciError};

use super::detectors::Faults;
use super::lights::Lights;
use super::plots::Watch;
use super::runs::Ending;
use super::sensing::Eyes;
use super::{Controller, SumoError};
use crate::engine::Engine;

/// Length of a step, s.
const STEP_S: f64 = 1.0;
/// SUMO's second 0 is the local midnight of Tuesday 2026-01-06, ms.
const DAY_MS: u64 = 1_767_657_600_000;

/// What was decided, and at what cost.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Decided {
    pub(super) steps: u64,
    pub(super) commands: u64,
    pub(super) refusals: u64,
    pub(super) took: Duration,
}

/// A run.
pub(super) struct Play<'a> {
    pub(super) city: &'a Arc<City>,
    pub(super) lights: Lights,
    pub(super) faults: Option<Faults>,
    pub(super) watch: Option<Watch>,
    pub(super) end_s: f64,
    pub(super) progress: &'a ProgressBar,
    pub(super) ending: &'a Ending<'a>,
}

impl Play<'_> {
    /// Plays to the end; the connection is still open then.
    pub(super) fn play(
        self,
        client: &mut Client,
        controller: Controller,
    ) -> Result<(Decided, Option<Watch>), PlayError> {
        match controller {
            Controller::Engine => self.by_engine(client),
            Controller::Fixed => self.by_programs(client),
        }
    }

    fn by_programs(mut self, client: &mut Client) -> Result<(Decided, Option<Watch>), PlayError> {
        let mut now_s = client.time_s()?;
        if self.watch.is_some() {
            self.subscribe(client);
        }
        while now_s < self.end_s {
            self.go_on()?;
            now_s += STEP_S;
            match &mut self.watch {
                Some(watch) => drop(hear(client, Some(now_s), &mut |heard| watch.hear(heard, now_s))?),
                None => client.step_to(now_s, |_| {})?,
            }
        }
        Ok((Decided::default(), self.watch))
    }

    fn by_engine(mut self, client: &mut Client) -> Result<(Decided, Option<Watch>), PlayError> {
        let mut engine = Engine::start(self.city, 1);
        let mut eyes = Eyes::new(self.city, self.faults);
        let midnight_ms = DAY_MS.saturating_add_signed(-i64::from(self.city.utc_offset_min) * 60_000);
        let mut now_s = client.time_s()?;
        let mut decided = Decided::default();
        self.subscribe(client);
        loop {
            let tick = midnight_ms + (now_s * 1000.0).round() as u64;
            let until_s = (decided.steps > 0).then_some(now_s);
            let batch = self.see(client, &mut eyes, until_s, now_s, tick)?;
            let began = Instant::now();
            let decisions = engine.step(tick, batch).map_err(SumoError::from)?;
            decided.took += began.elapsed();
            decided.commands += decisions.commands.len() as u64;
            decided.refusals += decisions.refusals.len() as u64;
            decided.steps += 1;
            for command in &decisions.commands {
                let (light, state) = self.lights.order(command);
                client.set_state(light, &state);
            }
            if now_s >= self.end_s {
                return Ok((decided, self.watch));
            }
            self.go_on()?;
            now_s += STEP_S;
        }
    }

    fn subscribe(&self, client: &mut Client) {
        client.subscribe_simulation();
        self.lights.names().for_each(|light| client.subscribe_light(light));
    }

    /// What cameras and controllers say of a second.
    fn see(
        &mut self,
        client: &mut Client,
        eyes: &mut Eyes,
        until_s: Option<f64>,
        now_s: f64,
        tick: u64,
    ) -> Result<Batch, TraciError> {
        let mut batch = Batch::default();
        eyes.at(tick);
        let arrived = hear(client, until_s, &mut |heard| {
            if let Some(watch) = &mut self.watch {
                watch.hear(heard, now_s);
            }
            match heard {
                Heard::Vehicle(vehicle, at) => eyes.look(vehicle, &at),
                Heard::Light(light, state) => batch.extend(self.lights.show(light, state, tick)),
                _ => {}
            }
        })?;
        arrived.iter().for_each(|vehicle| eyes.arrive(vehicle));
        batch.extend(eyes.passages().into_iter().map(Event::Passage));
        Ok(batch)
    }

    fn go_on(&self) -> Result<(), SumoError> {
        self.progress.inc(STEP_S as u64);
        if self.ending.is_now() { Err(SumoError::Interrupted) } else { Ok(()) }
    }
}

/// Simulates until a moment, or stays where it is before the first step; who arrived. Of those who depart all is told from now on.
fn hear(
    client: &mut Client,
    until_s: Option<f64>,
    take: &mut impl FnMut(Heard<'_>),
) -> Result<Vec<String>, TraciError> {
    let (mut departed, mut arrived) = (Vec::new(), Vec::new());
    let note = |heard: Heard<'_>| match heard {
        Heard::Departed(vehicle) => departed.push(vehicle.to_string()),
        Heard::Arrived(vehicle) => arrived.push(vehicle.to_string()),
        heard => take(heard),
    };
    match until_s {
        Some(until_s) => client.step_to(until_s, note)?,
        None => client.flush(note)?,
    }
    departed.iter().filter(|vehicle| !arrived.contains(vehicle)).for_each(|vehicle| client.subscribe_vehicle(vehicle));
    client.flush(take)?;
    Ok(arrived)
}

/// Why a run ends early.
pub(super) enum PlayError {
    Talk(TraciError),
    Other(SumoError),
}

impl From<TraciError> for PlayError {
    fn from(error: TraciError) -> Self {
        PlayError::Talk(error)
    }
}

impl From<SumoError> for PlayError {
    fn from(error: SumoError) -> Self {
        PlayError::Other(error)
    }
}
