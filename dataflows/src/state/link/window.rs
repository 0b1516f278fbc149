//! What was measured on a link since the last window closed, and the smoothed reading that comes of it.

use serde::{Deserialize, Serialize};

use super::WINDOW_MS;
use super::service::space_mean_speed_mm_s;

/// Windows of 10 s over which flow is averaged; who comes later than the last of them counts no more.
const FLOW_WINDOWS: usize = 6;
/// Allowed lateness, ms: a sighting that comes within it counts in the window in which it was made.
pub const LATENESS_MS: u64 = FLOW_WINDOWS as u64 * WINDOW_MS;
/// Time of travel that weighs as much as all that was known before, ms.
const MEMORY_MS: f64 = 40_000.0;

/// Readings of loops that are spread over windows to come, at most: more devices no link has.
const READINGS: usize = 64;

/// A reading of a loop.
#[derive(Serialize, Deserialize)]
struct Reading {
    at_line: bool,
    vehicles_a_window: f64,
    /// Over which it is still to be spread.
    windows: u32,
}

/// Sums of the open window, and what earlier ones said.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Window {
    at_line: u32,
    along: u32,
    travelled_mm: u64,
    spent_ms: u64,
    spot_count: u32,
    spot_pace: f64,
    counted: u32,
    known: u32,
    known_share: f64,
    readings: Vec<Reading>,
    flows: [f64; FLOW_WINDOWS],
    speed_mm_s: f64,
}

/// The cameras that count on a link.
pub(super) struct Place {
    /// Whether some see vehicles leave: then they alone count.
    pub(super) has_line: bool,
    /// How many stand along each lane.
    pub(super) per_lane: f64,
}

/// What a window says when it closes.
pub(super) struct Closed {
    pub(super) flow_veh_h: u32,
    pub(super) speed_mm_s: u32,
    pub(super) observed: bool,
}

impl Window {
    pub(super) fn new(free_speed_mm_s: u32) -> Self {
        Window { known_share: 1.0, speed_mm_s: f64::from(free_speed_mm_s), ..Window::default() }
    }

    /// A vehicle came `moved_mm` further in `took_ms`.
    pub(super) fn hop(&mut self, moved_mm: u32, took_ms: u32) {
        self.travelled_mm += u64::from(moved_mm);
        self.spent_ms += u64::from(took_ms);
    }

    /// Vehicles passed a sensor.
    pub(super) fn count(&mut self, at_line: bool, vehicles: u32, known: u32, speed_mm_s: u32) {
        if at_line {
            self.at_line += vehicles
        } else {
            self.along += vehicles
        }
        self.counted += vehicles;
        self.known += known;
        // What passes does not stand: 0 says that no speed was measured.
        if known < vehicles && speed_mm_s > 0 {
            self.spot(speed_mm_s, vehicles - known);
        }
    }

    /// A vehicle passed a sensor so many windows ago, at least one: it counts in that one. False: too long ago to count.
    pub(super) fn correct(&mut self, ago: u64, at_line: bool, vehicles: u32, place: &Place) -> bool {
        let Some(row) = FLOW_WINDOWS.checked_sub(ago as usize) else { return false };
        self.flows[row] += match (place.has_line, at_line) {
            (true, true) => f64::from(vehicles),
            (false, false) => f64::from(vehicles) / place.per_lane.max(1.0),
            _ => 0.0,
        };
        true
    }

    /// A loop counted vehicles over an interval, and their mean speed. A long interval is spread over as many windows, from
    /// this one on: its flow is right, and as late as the reading.
    pub(super) fn detect(&mut self, at_line: bool, vehicles: u32, interval_ms: u32, speed_mm_s: u32) {
        let windows = interval_ms.div_ceil(WINDOW_MS as u32).max(1);
        let vehicles_a_window = f64::from(vehicles) / f64::from(windows);
        if self.readings.len() < READINGS {
            self.readings.push(Reading { at_line, vehicles_a_window, windows });
        }
        if speed_mm_s > 0 {
            self.spot(speed_mm_s, vehicles);
        }
    }

    /// Vehicles without a plate drove at a speed: their mean pace counts where nobody's travel was timed.
    pub(super) fn spot(&mut self, speed_mm_s: u32, vehicles: u32) {
        self.spot_count += vehicles;
        self.spot_pace += f64::from(vehicles) / f64::from(speed_mm_s.max(500));
    }

    /// Share of vehicles whose plates are read, 1/1000.
    pub(super) fn known_milli(&self) -> u32 {
        (self.known_share * 1000.0) as u32
    }

    /// Whether nothing is left to fade: no flow, free speed.
    pub(super) fn is_at_rest(&self, free_speed_mm_s: u32) -> bool {
        self.counted == 0
            && self.spot_count == 0
            && self.readings.is_empty()
            && self.flows.iter().all(|f| *f == 0.0)
            && self.speed_mm_s >= f64::from(free_speed_mm_s) * 0.99
    }

    /// Closes the window: `standing_ms` was spent by those who were not seen.
    pub(super) fn close(&mut self, standing_ms: u64, place: &Place, empty: bool, free_speed_mm_s: u32) -> Closed {
        let observed = self.counted > 0 || self.spot_count > 0 || self.spent_ms > 0;
        let (at_line, along) = self.read_loops();
        let vehicles = if place.has_line { at_line } else { along / place.per_lane.max(1.0) };
        self.flows.rotate_left(1);
        self.flows[FLOW_WINDOWS - 1] = vehicles;
        let minute: f64 = self.flows.iter().sum();
        if self.counted > 0 {
            let share = f64::from(self.known.min(self.counted)) / f64::from(self.counted);
            self.known_share += (share - self.known_share) * 0.1;
        }
        self.learn_speed(standing_ms, empty, f64::from(free_speed_mm_s));
        (self.at_line, self.along, self.counted, self.known) = (0, 0, 0, 0);
        (self.travelled_mm, self.spent_ms, self.spot_count, self.spot_pace) = (0, 0, 0, 0.0);
        Closed { flow_veh_h: (minute * 60.0) as u32, speed_mm_s: self.speed_mm_s as u32, observed }
    }

    /// Vehicles at the line and along the link in this window, those of loops among them.
    fn read_loops(&mut self) -> (f64, f64) {
        let (mut at_line, mut along) = (f64::from(self.at_line), f64::from(self.along));
        for reading in &mut self.readings {
            *(if reading.at_line { &mut at_line } else { &mut along }) += reading.vehicles_a_window;
            reading.windows -= 1;
        }
        self.readings.retain(|reading| reading.windows > 0);
        (at_line, along)
    }

    fn learn_speed(&mut self, standing_ms: u64, empty: bool, free_mm_s: f64) {
        let spent_ms = self.spent_ms + standing_ms;
        let mut learn =
            |speed: f64, weight: f64| self.speed_mm_s += (speed.min(free_mm_s * 1.1) - self.speed_mm_s) * weight;
        if let Some(speed) = space_mean_speed_mm_s(self.travelled_mm, spent_ms) {
            learn(f64::from(speed), spent_ms as f64 / (spent_ms as f64 + MEMORY_MS));
        } else if self.spot_count > 0 {
            learn(f64::from(self.spot_count) / self.spot_pace, 0.3);
        } else if empty {
            learn(free_mm_s, 0.1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: Place = Place { has_line: true, per_lane: 0.0 };

    #[test]
    fn who_comes_late_counts_in_the_window_in_which_it_was_seen() {
        let mut window = Window::new(14_000);
        window.count(true, 1, 1, 0);
        assert_eq!(flows(&mut window, 2), [60, 60]);
        assert!(window.correct(2, true, 1, &LINE) && window.correct(1, true, 1, &LINE));
        assert!(window.correct(1, false, 1, &LINE), "it was seen, but not at the line");
        assert!(!window.correct(7, true, 1, &LINE));
        assert_eq!(flows(&mut window, 6), [180, 180, 180, 180, 60, 0], "two are seen in the window of the first");
    }

    fn flows(window: &mut Window, windows: usize) -> Vec<u32> {
        (0..windows).map(|_| window.close(0, &LINE, true, 14_000).flow_veh_h).collect()
    }

    #[test]
    fn a_reading_counts_over_its_interval_whenever_it_comes() {
        let mut window = Window::new(14_000);
        window.detect(true, 50, 300_000, 10_000);
        assert!(!window.is_at_rest(14_000), "what a loop counted keeps the link awake");
        let flows = flows(&mut window, 36);
        assert_eq!(flows[5..30], [600; 25], "50 in 5 min are 600/h");
        assert_eq!(flows[35], 0);
        window.detect(true, 2, 10_000, 10_000);
        window.detect(true, 3, 10_000, 10_000);
        assert_eq!(window.close(0, &LINE, true, 14_000).flow_veh_h, 300);
    }

    #[test]
    fn what_passes_without_a_speed_tells_none() {
        let mut window = Window::new(14_000);
        window.count(true, 3, 0, 0);
        window.detect(true, 3, 10_000, 0);
        let closed = window.close(0, &LINE, true, 14_000);
        assert_eq!((closed.flow_veh_h, closed.speed_mm_s), (360, 14_000));
        window.count(true, 3, 0, 2_000);
        assert!(window.close(0, &LINE, true, 14_000).speed_mm_s < 14_000);
    }
}
