//! Detectors as they are in the street: where they stand, how late they tell, and how they fail.

use nanming_dataflows::event::Passage;
use nanming_dataflows::ids::CameraId;

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

/// What a number is drawn for: draws for one thing say nothing of another.
#[derive(Clone, Copy)]
enum Draw {
    Seen,
    Dead,
    Time,
    Speed,
}

impl Faults {
    pub(super) fn sees(&self, passage: &Passage) -> bool {
        let is_missed = || self.draw(Draw::Seen, passage).0 < self.detectors.misses;
        !self.is_dead(passage.camera) && !is_missed()
    }

    fn is_dead(&self, camera: CameraId) -> bool {
        self.drawn(Draw::Dead, [u64::from(camera.0), 0, 0]).0 < self.detectors.dead
    }

    /// With errors of measurement. Nobody tells of what has not been yet.
    pub(super) fn blurred(&self, passage: Passage, now_ms: u64) -> Passage {
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
pub(super) mod tests {
    use nanming_dataflows::ids::VehicleId;

    use super::*;

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

    pub(in crate::sumo) fn with(change: impl FnOnce(&mut Detectors)) -> Faults {
        let mut faults = LATE;
        change(&mut faults.detectors);
        faults
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
