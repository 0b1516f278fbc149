//! People at venues: a daily curve, now and then an event that fills a venue and empties it, and the cars that leave. Cameras
//! see how many there are; every other venue has gates, which count who comes and goes.

use nanming_dataflows::event::{CrowdCount, Event, GateCount};
use nanming_dataflows::ids::{CameraId, VenueId};
use nanming_dataflows::network::{CameraKind, City};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::chance::{mix, stream};
use super::traffic::STEP_MS;

const COUNT_MS: u64 = 30_000;
/// Gates report so often.
const GATES_MS: u64 = 60_000;
/// Those who are there anyway stay for so long, in the mean.
const STAY_MS: u64 = 2_700_000;
/// Of so many who come or go, gates miss one.
const MISSED: f64 = 100.0;
const FILL_MIN: i64 = 75;
const EMPTY_MIN: i64 = 45;
/// Cars for each person who leaves an event.
const CARS_PER_PERSON: f64 = 0.06;
/// Cars that the car park of a venue holds.
const MOST_CARS: f64 = 600.0;

/// An event at a venue, in minutes since the epoch of local time.
#[derive(Clone, Copy, Debug)]
struct Show {
    start_min: i64,
    end_min: i64,
    people: f64,
}

/// The crowds of all venues.
#[derive(Clone, Debug)]
pub(super) struct Crowds {
    rng: ChaCha8Rng,
    day: i64,
    shows: Vec<Option<Show>>,
    /// Crowd cameras: with their venue and how many watch it.
    cameras: Vec<(CameraId, usize, u32)>,
    cars_due: Vec<f64>,
}

impl Crowds {
    /// Empty venues.
    pub(super) fn new(city: &City, seed: u64) -> Self {
        let watchers = |v: usize| {
            city.cameras
                .iter()
                .filter(|c| c.kind == CameraKind::Crowd && c.venue.is_some_and(|x| x.index() == v))
                .count()
        };
        let counts: Vec<u32> = (0..city.venues.len()).map(|v| watchers(v) as u32).collect();
        let crowd = city.cameras.iter().filter(|c| c.kind == CameraKind::Crowd);
        let cameras = crowd.filter_map(|c| c.venue.map(|v| (c.id, v.index(), counts[v.index()]))).collect();
        let none = vec![None; city.venues.len()];
        Crowds { rng: stream(seed, 4), day: i64::MIN, shows: none, cameras, cars_due: vec![0.0; city.venues.len()] }
    }

    /// Counts people with the cameras whose turn it is; returns the links, with repetition, where cars set off.
    pub(super) fn advance(&mut self, city: &City, now_ms: u64, out: &mut Vec<Event>) -> Vec<u32> {
        let local_ms = now_ms as i64 + i64::from(city.utc_offset_min) * 60_000;
        self.plan_day(city, local_ms.div_euclid(86_400_000));
        let phases = (COUNT_MS / STEP_MS) as usize;
        for &(camera, venue, watchers) in self.cameras.iter().skip((now_ms / STEP_MS) as usize % phases).step_by(phases)
        {
            let inside =
                f64::from(city.venues[venue].capacity) * daily(local_ms) + at_show(self.shows[venue], local_ms);
            let noise = 0.9 + (mix(now_ms ^ (u64::from(camera.0) << 40)) % 201) as f64 / 1_000.0;
            let people = (inside / f64::from(watchers.max(1)) * noise) as u32;
            out.push(Event::Crowd(CrowdCount { time_ms: now_ms, camera, people }));
        }
        if now_ms.is_multiple_of(GATES_MS) {
            self.pass_gates(city, now_ms, local_ms, out);
        }
        self.leave(city, local_ms)
    }

    /// Who came and went at the gates in the last interval: those who are there anyway change over, and the number follows the
    /// day and the event.
    fn pass_gates(&self, city: &City, now_ms: u64, local_ms: i64, out: &mut Vec<Event>) {
        for (row, venue) in city.venues.iter().enumerate().step_by(2) {
            let capacity = f64::from(venue.capacity);
            let before_ms = local_ms - GATES_MS as i64;
            let changes = [
                capacity * (daily(local_ms) - daily(before_ms)),
                at_show(self.shows[row], local_ms) - at_show(self.shows[row], before_ms),
            ];
            let more: f64 = changes.iter().map(|change| change.max(0.0)).sum();
            let less: f64 = changes.iter().map(|change| (-change).max(0.0)).sum();
            let turnover = capacity * daily(local_ms) * GATES_MS as f64 / STAY_MS as f64;
            let chance = |salt: u64| (mix(now_ms ^ ((row as u64) << 40) ^ salt) % 1_000) as f64 / 1_000.0;
            let counted =
                |people: f64, salt: u64| (people * (1.0 - 2.0 * chance(salt) / MISSED) + chance(salt + 1)) as u32;
            let (entered, left) = (counted(turnover + more, 1), counted(turnover + less, 3));
            let (venue, interval_ms) = (VenueId::from_index(row), GATES_MS as u32);
            out.push(Event::Gate(GateCount { time_ms: now_ms, venue, interval_ms, entered, left }));
        }
    }

    /// One venue in five has an event on a day, most of them in the evening.
    fn plan_day(&mut self, city: &City, day: i64) {
        if day == self.day {
            return;
        }
        self.day = day;
        for v in 0..self.shows.len() {
            let (happens, start, length, fill) = (
                self.rng.random_bool(0.2),
                self.rng.random_range(1_080..1_200),
                self.rng.random_range(90..150),
                self.rng.random_range(0.5..0.95),
            );
            let start_min = day * 1_440 + start;
            let people = f64::from(city.venues[v].capacity) * fill;
            self.shows[v] = happens.then_some(Show { start_min, end_min: start_min + length, people });
        }
    }

    /// Holds an event at a venue, in place of the day's own: when it ends, in minutes of local time since the epoch, how long it
    /// is, and with how many people.
    #[cfg(test)]
    pub(super) fn hold(&mut self, venue: usize, end_min: i64, length_min: i64, people: f64) {
        self.shows[venue] = Some(Show { start_min: end_min - length_min, end_min, people });
    }

    fn leave(&mut self, city: &City, local_ms: i64) -> Vec<u32> {
        let mut links = Vec::new();
        for (v, show) in self.shows.iter().enumerate() {
            let Some(s) = show else { continue };
            let since_min = local_ms as f64 / 60_000.0 - s.end_min as f64;
            if (0.0..EMPTY_MIN as f64).contains(&since_min) {
                let steps = EMPTY_MIN as f64 * 60_000.0 / STEP_MS as f64;
                self.cars_due[v] += (s.people * CARS_PER_PERSON).min(MOST_CARS) / steps;
                while self.cars_due[v] >= 1.0 {
                    self.cars_due[v] -= 1.0;
                    links.push(city.venues[v].link.0);
                }
            }
        }
        links
    }
}

/// Share of a venue's capacity that is there anyway.
fn daily(local_ms: i64) -> f64 {
    let hour = local_ms.rem_euclid(86_400_000) as f64 / 3_600_000.0;
    0.01 + 0.14 * (1.0 - ((hour - 15.5) / 8.0).powi(2)).max(0.0)
}

/// People of an event who are there: they come before it and leave after it.
fn at_show(show: Option<Show>, local_ms: i64) -> f64 {
    let Some(s) = show else { return 0.0 };
    let now_min = local_ms as f64 / 60_000.0;
    let came = ((now_min - s.start_min as f64) / FILL_MIN as f64 + 1.0).clamp(0.0, 1.0);
    let left = ((now_min - s.end_min as f64) / EMPTY_MIN as f64).clamp(0.0, 1.0);
    s.people * (came - left).max(0.0)
}
