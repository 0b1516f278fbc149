//! The controllers in the street, which outlive the engine: every lamp that they showed and every stage that they were told.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use nanming_dataflows::event::Lamp;
use nanming_dataflows::ids::JunctionId;
use nanming_dataflows::network::{City, Junction, Light};
use nanming_simulators::controller::{Controller, Happened, Settings};

use crate::envelope::Checker;

/// An order is under way for so long at most, ms of the wall's clock.
const UNDER_WAY_MS: f64 = 400.0;
/// A controller flashes and is red for so long when it starts, ms of its own clock.
const BOOT_MS: u64 = 1_000;

/// How the engine is to talk to them.
pub(crate) const SETTINGS: [(&str, &str); 7] = [
    ("TABLE", "controllers.toml"),
    ("REPLY_MS", "300"),
    ("RETRY_MS", "100"),
    ("RETRY_MAX_MS", "400"),
    ("POLL_MS", "100"),
    ("HEARTBEAT_MS", "200"),
    ("SILENT_MS", "2000"),
];

/// What stands at the junctions.
#[derive(Clone, Copy)]
pub(crate) struct Equipment {
    /// So many controllers, spread over the city.
    pub(crate) controllers: usize,
    /// How many times as fast as the wall's their clocks run.
    pub(crate) speed: f64,
    /// A controller runs its own plan when the centre is silent for so long, ms of its clock.
    pub(crate) centre_lost_ms: u64,
}

pub(crate) struct Street<'a> {
    /// Junctions with controllers.
    equipped: Vec<(&'a Junction, Controller)>,
    under_way_ms: u64,
}

/// What the street has seen.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Stages that controllers were told.
    pub(crate) wishes: usize,
    /// Changes of lamps.
    pub(crate) changes: usize,
    /// Times that a controller was taken over.
    pub(crate) taken_over: usize,
    pub(crate) complaints: Vec<String>,
}

impl<'a> Street<'a> {
    /// Starts the controllers, and writes their table into `dir`.
    pub(crate) fn start(city: &'a City, dir: &Path, equipment: Equipment) -> Street<'a> {
        let Equipment { controllers, speed, centre_lost_ms } = equipment;
        let mut table = String::new();
        let start = |(id, junction): (usize, &'a Junction)| {
            let id = id as u32 + 1;
            let settings = Settings { id, speed, centre_lost_ms, boot_ms: BOOT_MS, ..Settings::default() };
            let controller = Controller::start(junction, settings).unwrap();
            let (name, address) = (&junction.name, controller.address());
            writeln!(table, "[[controller]]\njunction = \"{name}\"\naddress = \"{address}\"\nid = {id}").unwrap();
            (junction, controller)
        };
        let every = city.junctions.len() / controllers;
        let equipped = city.junctions.iter().step_by(every).take(controllers).enumerate().map(start).collect();
        std::fs::write(dir.join("controllers.toml"), table).unwrap();
        Street { equipped, under_way_ms: (UNDER_WAY_MS * speed) as u64 }
    }

    /// Junctions with controllers.
    pub(crate) fn junctions(&self) -> BTreeSet<JunctionId> {
        self.equipped.iter().map(|(junction, _)| junction.id).collect()
    }

    pub(crate) fn seen(&self) -> Seen {
        let mut seen = Seen::default();
        for (junction, controller) in &self.equipped {
            let watch = Watch::new(junction, self.under_way_ms);
            let checked = catch_unwind(AssertUnwindSafe(|| check(watch, &controller.log(), &mut seen)));
            if let Err(why) = checked {
                let why = why.downcast_ref::<String>().cloned().unwrap_or_default();
                seen.complaints.push(format!("{}: {why}", junction.name));
            }
        }
        seen
    }
}

/// Lamps against the envelope's checker, and stages that are told against the time that the one which stands needs. Panics
/// when a lamp may not follow.
fn check(mut watch: Watch<'_>, log: &[(u64, Happened)], seen: &mut Seen) {
    for (row, (at_ms, happened)) in log.iter().enumerate() {
        match happened {
            Happened::Connected => {}
            Happened::Led(mode) => {
                seen.taken_over += usize::from(mode.is_centre() && !watch.led);
                watch.led = mode.is_centre();
            }
            Happened::Shown(lamps) => {
                seen.changes += 1;
                watch.shown(*at_ms, lamps);
            }
            Happened::Wished(stage, taken) => {
                seen.wishes += 1;
                let complaint = watch.wished(*at_ms, *stage, *taken);
                let around = &log[row.saturating_sub(12)..(row + 6).min(log.len())];
                seen.complaints.extend(complaint.map(|why| format!("{}: {why}: {around:?}", watch.junction.name)));
            }
        }
    }
}

struct Watch<'a> {
    junction: &'a Junction,
    checker: Option<Checker<'a>>,
    /// Since when this is shown, and the stage that it is, if it is one.
    since_ms: u64,
    standing: Option<u16>,
    /// The stage that was told since then.
    wished: Option<u16>,
    led: bool,
    under_way_ms: u64,
}

impl<'a> Watch<'a> {
    fn new(junction: &'a Junction, under_way_ms: u64) -> Watch<'a> {
        Watch { junction, checker: None, since_ms: 0, standing: None, wished: None, led: false, under_way_ms }
    }

    fn shown(&mut self, at_ms: u64, lamps: &[Lamp]) {
        // It flashes when it is switched on, and never again.
        if self.checker.is_none() && !lamps.contains(&Lamp::Off) {
            self.checker = Some(Checker::new(self.junction));
        }
        self.checker.iter_mut().for_each(|checker| checker.see(at_ms, lamps));
        let is_it = |lights: &[Light]| lights.iter().map(|light| light.lamp()).eq(lamps.iter().copied());
        let standing = self.junction.stages.iter().position(|stage| is_it(&stage.lights));
        (self.since_ms, self.standing, self.wished) = (at_ms, standing.map(|row| row as u16), None);
    }

    /// What is wrong with it.
    fn wished(&mut self, at_ms: u64, stage: u16, taken: bool) -> Option<String> {
        if self.led && !taken {
            return Some(format!("it is told stage {stage}, which it must not show"));
        }
        let standing = self.standing.filter(|standing| *standing != stage && self.wished != Some(stage))?;
        self.wished = Some(stage);
        let (stood_ms, needs_ms) = (at_ms - self.since_ms, u64::from(self.junction.least_green_ms(standing)));
        let early = stood_ms + self.under_way_ms < needs_ms;
        early.then(|| format!("it is told stage {stage} when {standing} has stood {stood_ms} ms of {needs_ms} ms"))
    }
}
