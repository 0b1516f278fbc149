//! The controllers in the street, which outlive the engine: every lamp that they showed and every stage that they were told.

use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use nanming_dataflows::event::Lamp;
use nanming_dataflows::network::{City, Junction};
use nanming_simulators::controller::{Controller, Happened, Settings};

use crate::envelope::Checker;

/// City time against the wall's; the controllers' clocks run as fast.
pub(crate) const SPEED: f64 = 20.0;
/// A controller runs its own plan when the centre is silent for so long, ms of its clock.
const CENTRE_LOST_MS: u64 = 80_000;
/// An order is under way for so long at most, ms of a controller's clock: 400 ms of the wall's.
const UNDER_WAY_MS: u64 = 8_000;

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

pub(crate) struct Street<'a> {
    city: &'a City,
    controllers: Vec<Controller>,
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
    /// A controller for each junction, and their table in `dir`.
    pub(crate) fn start(city: &'a City, dir: &Path) -> Street<'a> {
        let mut table = String::new();
        let start = |(id, junction): (usize, &Junction)| {
            let id = id as u32 + 1;
            let settings =
                Settings { id, speed: SPEED, centre_lost_ms: CENTRE_LOST_MS, boot_ms: 1_000, ..Settings::default() };
            let controller = Controller::start(junction, settings).unwrap();
            let (name, address) = (&junction.name, controller.address());
            writeln!(table, "[[controller]]\njunction = \"{name}\"\naddress = \"{address}\"\nid = {id}").unwrap();
            controller
        };
        let controllers = city.junctions.iter().enumerate().map(start).collect();
        std::fs::write(dir.join("controllers.toml"), table).unwrap();
        Street { city, controllers }
    }

    pub(crate) fn seen(&self) -> Seen {
        let mut seen = Seen::default();
        for (junction, controller) in self.city.junctions.iter().zip(&self.controllers) {
            let checked = catch_unwind(AssertUnwindSafe(|| check(junction, &controller.log(), &mut seen)));
            if let Err(why) = checked {
                let why = why.downcast_ref::<String>().cloned().unwrap_or_default();
                seen.complaints.push(format!("{}: {why}", junction.name));
            }
        }
        seen
    }
}

/// Lamps against the envelope's checker; and, but for orders that cross a taking over, a stage that is told while another stands, against the time that this one needs
/// from when it began. Panics when a lamp may not follow.
fn check(junction: &Junction, log: &[(u64, Happened)], seen: &mut Seen) {
    let mut checker: Option<Checker<'_>> = None;
    let (mut since_ms, mut standing, mut wished, mut led, mut led_ms) = (0, None, None, false, 0);
    for (row, (at_ms, happened)) in log.iter().enumerate() {
        match happened {
            Happened::Shown(lamps) => {
                // It flashes when it is switched on, and never again.
                if checker.is_none() && !lamps.contains(&Lamp::Off) {
                    checker = Some(Checker::new(junction));
                }
                checker.iter_mut().for_each(|checker| checker.see(*at_ms, lamps));
                seen.changes += 1;
                let stands =
                    |stage: usize| junction.stages[stage].lights.iter().map(|l| l.lamp()).eq(lamps.iter().copied());
                (since_ms, standing, wished) = (*at_ms, (0..junction.stages.len()).find(|stage| stands(*stage)), None);
            }
            Happened::Led(mode) => {
                if mode.is_centre() && !led {
                    (seen.taken_over, led_ms) = (seen.taken_over + 1, *at_ms);
                }
                led = mode.is_centre();
            }
            Happened::Wished(stage, taken) => {
                seen.wishes += 1;
                if led && !taken {
                    seen.complaints.push(format!("{} is told stage {stage}, which it must not show", junction.name));
                }
                if wished == Some(*stage) || standing.is_none_or(|standing| standing == usize::from(*stage)) {
                    continue;
                }
                wished = Some(*stage);
                let (stood_ms, needs_ms) =
                    (at_ms - since_ms, standing.map_or(0, |s| junction.least_green_ms(s as u16)));
                if stood_ms + UNDER_WAY_MS < u64::from(needs_ms) && *at_ms > led_ms + UNDER_WAY_MS {
                    let name = &junction.name;
                    let early =
                        format!("{name} is told stage {stage} when {standing:?} stood {stood_ms} of {needs_ms} ms");
                    let before: Vec<_> = log[row.saturating_sub(12)..(row + 6).min(log.len())].iter().collect();
                    seen.complaints.push(format!("{early}: {before:?}"));
                }
            }
        }
    }
}
