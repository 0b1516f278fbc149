//! What cameras see of SUMO's vehicles: passages, and what becomes of them on their way to the engine.

use std::collections::HashMap;

use nanming_dataflows::event::Passage;
use nanming_dataflows::ids::CameraId;
use nanming_dataflows::network::City;
use nanming_simulators::traci::VehicleAt;

use crate::import::crossings::{Crossing, Crossings, Look, Tracked};
use crate::ingest::{Plates, vehicle_class};

/// Where places are known almost exactly, a vehicle that departs is seen by the camera that stands at most so far behind it, mm.
const BEHIND_MM: f64 = 20_000.0;

/// How vehicles are seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Sensing {
    /// A camera each 20 m within 300 m of a signal, none of which fails: almost as if places were known
    #[default]
    Exact,
    /// A camera at the stop line and one upstream on each lane: with misses, noise, dead ones, and a delay
    Detectors,
}

/// Where detectors stand and how they fail, with `--sensing detectors`.
#[derive(Clone, Copy, Debug, PartialEq, clap::Args, serde::Serialize)]
pub struct Detectors {
    /// Place of the upstream detector of a lane, m before its stop line (with --sensing detectors, as all that follows)
    #[arg(long, value_name = "M", default_value_t = 60.0, value_parser = upstream)]
    pub upstream_m: f64,
    /// All that is seen is told so much later, s; may be a fraction
    #[arg(long = "delay", value_name = "S", default_value_t = 1.0, value_parser = delay)]
    pub delay_s: f64,
    /// Share of vehicles that a detector misses
    #[arg(long, value_name = "SHARE", default_value_t = 0.05, value_parser = super::share)]
    pub misses: f64,
    /// Share of detectors that are dead
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = super::share)]
    pub dead: f64,
    /// Standard deviation of the time at which a detector takes a vehicle to go by, ms
    #[arg(long = "noise", value_name = "MS", default_value_t = 0.0, value_parser = noise)]
    pub noise_ms: f64,
    /// Standard deviation of a measured speed, as a share of it
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = super::share)]
    pub speed_noise: f64,
}

/// From 5 m: nearer than that it is the stop line's.
fn upstream(text: &str) -> Result<f64, String> {
    let upstream_m = text.parse().ok().filter(|m| (5.0..=1_000.0).contains(m));
    upstream_m.ok_or_else(|| "write a distance from 5 to 1000 m, such as 60".into())
}

fn delay(text: &str) -> Result<f64, String> {
    let delay_s = text.parse().ok().filter(|s| (0.0..=60.0).contains(s));
    delay_s.ok_or_else(|| "write a time from 0 to 60 s, such as 1.5".into())
}

fn noise(text: &str) -> Result<f64, String> {
    let noise_ms = text.parse().ok().filter(|ms| (0.0..=5_000.0).contains(ms));
    noise_ms.ok_or_else(|| "write a time from 0 to 5000 ms, such as 200".into())
}

/// The detectors of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Faults {
    pub(super) seed: u64,
    pub(super) detectors: Detectors,
}

/// All cameras, and the vehicles that they look at.
pub(super) struct Eyes {
    crossings: Crossings,
    plates: Plates,
    vehicles: HashMap<String, Tracked>,
    now_ms: f64,
    /// None: places are known almost exactly.
    faults: Option<Faults>,
    /// Seen in this step.
    seen: Vec<Passage>,
    /// Seen, and not yet told.
    late: Vec<Passage>,
}

impl Eyes {
    /// Those of a city.
    pub(super) fn new(city: &City, faults: Option<Faults>) -> Eyes {
        Eyes {
            crossings: Crossings::new(city),
            plates: Plates::fixed(),
            vehicles: HashMap::new(),
            now_ms: 0.0,
            faults,
            seen: Vec::new(),
            late: Vec::new(),
        }
    }

    /// What follows is of this moment.
    pub(super) fn at(&mut self, now_ms: u64) {
        self.now_ms = now_ms as f64;
    }

    /// Looks at a vehicle.
    pub(super) fn look(&mut self, name: &str, at: &VehicleAt<'_>) {
        let speed_mm_s = at.speed_m_s.max(0.0) * 1000.0;
        let lane = self.crossings.lane(at.lane);
        let now = Look { time_ms: self.now_ms, lane, at_mm: at.at_m * 1000.0, speed_mm_s };
        if let Some(known) = self.vehicles.get_mut(name) {
            self.seen.extend(known.moves(now, &self.crossings));
            return;
        }
        let (vehicle, class) = (self.plates.vehicle(name), vehicle_class(at.class).unwrap_or_default());
        let new = Tracked { look: now, vehicle, class };
        if self.faults.is_none() {
            let before = Look { time_ms: self.now_ms - 1_000.0, at_mm: now.at_mm - BEHIND_MM, ..now };
            let behind = self.crossings.between(&before, &now).pop();
            self.seen.extend(behind.map(|crossing| new.passage(Crossing { time_ms: self.now_ms, ..crossing })));
        }
        self.vehicles.insert(name.to_string(), new);
    }

    /// A vehicle has arrived.
    pub(super) fn arrive(&mut self, name: &str) {
        let gone = self.vehicles.remove(name);
        self.seen.extend(gone.into_iter().flat_map(|mut gone| gone.drives_on(self.now_ms, &self.crossings)));
    }

    /// The passages that the engine hears of now.
    pub(super) fn passages(&mut self) -> Vec<Passage> {
        let Some(faults) = self.faults else { return std::mem::take(&mut self.seen) };
        let seen = std::mem::take(&mut self.seen).into_iter().filter(|passage| faults.sees(passage));
        self.late.extend(seen);
        let is_due = |passage: &mut Passage| passage.time_ms as f64 + faults.detectors.delay_s * 1000.0 <= self.now_ms;
        let due = self.late.extract_if(.., is_due);
        due.map(|passage| faults.blurred(passage, self.now_ms as u64)).collect()
    }
}

/// What a number is drawn for: draws for one thing say nothing of another.
#[derive(Clone, Copy)]
enum Draw {
    Seen,
    Dead,
    Time,
    Speed,
}

impl Faults {
    fn sees(&self, passage: &Passage) -> bool {
        let is_missed = || self.draw(Draw::Seen, passage).0 < self.detectors.misses;
        !self.is_dead(passage.camera) && !is_missed()
    }

    fn is_dead(&self, camera: CameraId) -> bool {
        self.drawn(Draw::Dead, [u64::from(camera.0), 0, 0]).0 < self.detectors.dead
    }

    /// With errors of measurement. Nobody tells of what has not been yet.
    fn blurred(&self, passage: Passage, now_ms: u64) -> Passage {
        let error_ms = normal(self.draw(Draw::Time, &passage)) * self.detectors.noise_ms;
        let factor = 1.0 + normal(self.draw(Draw::Speed, &passage)) * self.detectors.speed_noise;
        Passage {
            time_ms: passage.time_ms.saturating_add_signed(error_ms.round() as i64).min(now_ms),
            speed_mm_s: (f64::from(passage.speed_mm_s) * factor).max(0.0).round() as u32,
            ..passage
        }
    }

    fn draw(&self, what: Draw, passage: &Passage) -> (f64, f64) {
        self.drawn(what, [u64::from(passage.camera.0), passage.vehicle.0, passage.time_ms])
    }

    /// Two numbers from 0 to below 1, by chance, the same for the same.
    fn drawn(&self, what: Draw, of: [u64; 3]) -> (f64, f64) {
        let mut hasher = blake3::Hasher::new();
        [self.seed, what as u64, of[0], of[1], of[2]].iter().for_each(|part| {
            hasher.update(&part.to_le_bytes());
        });
        let hash = hasher.finalize();
        let number = |from: usize| {
            let mut part = [0; 8];
            part.copy_from_slice(&hash.as_bytes()[from..from + 8]);
            (u64::from_le_bytes(part) >> 11) as f64 / (1_u64 << 53) as f64
        };
        (number(0), number(8))
    }
}

/// A standard normal number from two even ones (Box and Muller 1958), cut off at three deviations.
fn normal((one, other): (f64, f64)) -> f64 {
    ((-2.0 * (1.0 - one).ln()).sqrt() * (std::f64::consts::TAU * other).cos()).clamp(-3.0, 3.0)
}

#[cfg(test)]
mod tests {
    use nanming_dataflows::ids::VehicleId;
    use nanming_simulators::{sumo_net, town};

    use super::*;

    /// Drives a vehicle along a lane with a signal at its end and on, 10 m a second; what is heard, by second.
    fn drive(sensing: Sensing, faults: Option<Faults>) -> Vec<Vec<Passage>> {
        let mut city = town::small(2, 2, 1);
        match sensing {
            Sensing::Exact => sumo_net::with_dense_cameras(&mut city),
            Sensing::Detectors => sumo_net::with_detectors(&mut city, 60_000),
        }
        let movement = city.movements.iter().find(|m| m.signal.is_some()).unwrap();
        let (lane, next) = (&city.lanes[movement.from.index()], &city.lanes[movement.to.index()]);
        let length_m = f64::from(lane.length_mm) / 1000.0;
        let mut eyes = Eyes::new(&city, faults);
        let heard = |second: u64| {
            eyes.at(1_000_000 + second * 1_000);
            let driven_m = 5.0 + 10.0 * second as f64;
            let on = if driven_m < length_m { (lane, driven_m) } else { (next, driven_m - length_m) };
            eyes.look("a", &VehicleAt { lane: &on.0.name, at_m: on.1, speed_m_s: 10.0, class: "bus" });
            eyes.passages()
        };
        (0..(length_m / 10.0) as u64 + 3).map(heard).collect()
    }

    #[test]
    fn almost_exact_places_are_told_at_once_from_the_first_second_on() {
        let heard = drive(Sensing::Exact, None);
        assert_eq!(heard[0].len(), 1, "who departs is seen by the camera behind");
        assert!(heard.windows(3).all(|three| three.iter().any(|h| !h.is_empty())), "never unseen for 30 m: {heard:?}");
        let all: Vec<&Passage> = heard.iter().flatten().collect();
        assert!(all.is_sorted_by_key(|passage| passage.time_ms));
        assert!(all.iter().all(|p| p.class == nanming_dataflows::event::VehicleClass::Bus));
    }

    /// Detectors that tell a second late, and have no other fault.
    const LATE: Faults = Faults {
        seed: 1,
        detectors: Detectors {
            upstream_m: 60.0,
            delay_s: 1.0,
            misses: 0.0,
            dead: 0.0,
            noise_ms: 0.0,
            speed_noise: 0.0,
        },
    };

    fn with(change: impl FnOnce(&mut Detectors)) -> Faults {
        let mut faults = LATE;
        change(&mut faults.detectors);
        faults
    }

    #[test]
    fn detectors_tell_as_late_as_they_are_told_to() {
        let at_once = drive(Sensing::Detectors, Some(with(|d| d.delay_s = 0.0)));
        assert!(at_once.concat().len() >= 2, "{at_once:?}");
        for delay_s in [0.4, 1.0, 2.5] {
            let heard = drive(Sensing::Detectors, Some(with(|d| d.delay_s = delay_s)));
            for (second, told) in heard.iter().enumerate() {
                let now_ms = 1_000_000 + second as u64 * 1_000;
                let age_ms = |p: &Passage| (now_ms - p.time_ms) as f64 - delay_s * 1_000.0;
                assert!(told.iter().all(|p| (0.0..1_000.0).contains(&age_ms(p))), "{delay_s}: {heard:?}");
            }
            let (told, all) = (heard.concat(), at_once.concat());
            assert!(told == all[..told.len()] && told.len() + 1 >= all.len(), "{delay_s}: {heard:?}");
        }
    }

    #[test]
    fn detectors_miss_their_share_and_die_by_chance() {
        let faults = with(|d| (d.misses, d.dead) = (0.2, 0.1));
        let share = |hit: &dyn Fn(u32) -> bool| (0..10_000).filter(|n| hit(*n)).count();
        assert!((900..1_100).contains(&share(&|n| faults.is_dead(CameraId(n)))));
        let living = with(|d| d.misses = 0.2);
        assert!((7_800..8_200).contains(&share(&|n| living.sees(&passage(n)))));
    }

    fn passage(n: u32) -> Passage {
        let class = nanming_dataflows::event::VehicleClass::Car;
        Passage {
            time_ms: 50_000,
            camera: CameraId(0),
            vehicle: VehicleId(u64::from(n) + 1),
            speed_mm_s: 10_000,
            class,
        }
    }

    #[test]
    fn noise_has_its_deviation_and_never_runs_ahead_of_time() {
        let faults = with(|d| (d.noise_ms, d.speed_noise) = (200.0, 0.05));
        let blurred = |now_ms: u64| (0..4_000).map(move |n| faults.blurred(passage(n), now_ms));
        let deviation = |errors: &mut dyn Iterator<Item = f64>| (errors.map(|e| e * e).sum::<f64>() / 4_000.0).sqrt();
        let (late, mean): (Vec<Passage>, f64) =
            (blurred(60_000).collect(), blurred(60_000).map(|p| p.time_ms as f64).sum::<f64>() / 4_000.0);
        let time_ms = deviation(&mut late.iter().map(|p| p.time_ms as f64 - 50_000.0));
        let speed_mm_s = deviation(&mut late.iter().map(|p| f64::from(p.speed_mm_s) - 10_000.0));
        assert!((180.0..215.0).contains(&time_ms) && (mean - 50_000.0).abs() < 12.0, "{time_ms} {mean}");
        assert!((450.0..540.0).contains(&speed_mm_s), "{speed_mm_s}");
        assert!(blurred(50_000).all(|p| p.time_ms <= 50_000));
        assert_eq!(LATE.blurred(passage(1), 60_000), passage(1));
    }
}
