//! One run, in lockstep: SUMO simulates a second, the engine hears of it and decides, SUMO's lights obey.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use nanming_dataflows::event::{Batch, Event};
use nanming_dataflows::network::City;
use nanming_simulators::traci::{Client, Heard, TraciError};

use super::lights::Lights;
use super::sensing::{Eyes, Faults};
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
    pub(super) end_s: f64,
    pub(super) progress: &'a ProgressBar,
    pub(super) interrupted: &'a AtomicBool,
}

impl Play<'_> {
    /// Plays to the end; the connection is still open then.
    pub(super) fn play(self, client: &mut Client, controller: Controller) -> Result<Decided, PlayError> {
        match controller {
            Controller::Engine => self.by_engine(client),
            Controller::Fixed => self.by_programs(client),
        }
    }

    fn by_programs(self, client: &mut Client) -> Result<Decided, PlayError> {
        let mut now_s = client.time_s()?;
        while now_s < self.end_s {
            self.go_on(STEP_S)?;
            now_s += STEP_S;
            client.step_to(now_s, |_| {})?;
        }
        Ok(Decided::default())
    }

    fn by_engine(mut self, client: &mut Client) -> Result<Decided, PlayError> {
        let mut engine = Engine::start(self.city, 1, &[]);
        let mut eyes = Eyes::new(self.city, self.faults);
        let midnight_ms = DAY_MS.saturating_add_signed(-i64::from(self.city.utc_offset_min) * 60_000);
        let mut now_s = client.time_s()?;
        let mut decided = Decided::default();
        client.subscribe_simulation();
        self.lights.names().for_each(|light| client.subscribe_light(light));
        loop {
            let tick = midnight_ms + (now_s * 1000.0).round() as u64;
            let until_s = (decided.steps > 0).then_some(now_s);
            let batch = hear(client, &mut eyes, &mut self.lights, until_s, tick)?;
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
                return Ok(decided);
            }
            self.go_on(STEP_S)?;
            now_s += STEP_S;
        }
    }

    fn go_on(&self, by_s: f64) -> Result<(), SumoError> {
        self.progress.inc(by_s as u64);
        if self.interrupted.load(Ordering::Relaxed) { Err(SumoError::Interrupted) } else { Ok(()) }
    }
}

/// Simulates until a moment, or stays where it is before the first step; what cameras and controllers say of it.
fn hear(
    client: &mut Client,
    eyes: &mut Eyes,
    lights: &mut Lights,
    until_s: Option<f64>,
    tick: u64,
) -> Result<Batch, TraciError> {
    let mut batch = Batch::default();
    let (mut departed, mut arrived) = (Vec::new(), Vec::new());
    eyes.at(tick);
    let take = |heard: Heard<'_>| match heard {
        Heard::Departed(vehicle) => departed.push(vehicle.to_string()),
        Heard::Arrived(vehicle) => arrived.push(vehicle.to_string()),
        Heard::Vehicle(vehicle, at) => eyes.look(vehicle, &at),
        Heard::Light(light, state) => batch.extend(lights.show(light, state, tick)),
        Heard::Time(_) => {}
    };
    match until_s {
        Some(until_s) => client.step_to(until_s, take)?,
        None => client.flush(take)?,
    }
    arrived.iter().for_each(|vehicle| eyes.arrive(vehicle));
    departed.iter().filter(|vehicle| !arrived.contains(vehicle)).for_each(|vehicle| client.subscribe_vehicle(vehicle));
    client.flush(|heard| {
        if let Heard::Vehicle(vehicle, at) = heard {
            eyes.look(vehicle, &at);
        }
    })?;
    batch.extend(eyes.passages().into_iter().map(Event::Passage));
    Ok(batch)
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
