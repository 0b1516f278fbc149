//! By which lane vehicles leave a link, learned from those that left.

use serde::{Deserialize, Serialize};

use super::sensors::{Sensors, bit};

/// However few leave by a lane that leads somewhere, someone may wait in it, 1/1000.
const LEAST_SHARE_MILLI: i32 = 20;
/// A departure weighs one in so many.
const MEMORY: i32 = 32;

/// Shares of departures by lane.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Turning {
    /// By the lane where a vehicle was last seen before the line, and by the lane by which it left, 1/1000.
    from_milli: Vec<Vec<i32>>,
    /// By the lane by which vehicles left, wherever they had been seen, 1/1000.
    all_milli: Vec<i32>,
}

impl Turning {
    /// Equal shares for the lanes that lead anywhere; most keep their lane.
    pub(super) fn new(sensors: &Sensors) -> Self {
        let (lanes, leading) = (sensors.lanes(), sensors.leading());
        let leads = |lane: usize| leading & bit(lane) != 0;
        let equal = 1000 / leading.count_ones().max(1) as i32;
        let share = |lane: usize| if leads(lane) { equal } else { 0 };
        let from = |own: usize, lane: usize| match (lane == own, leads(lane)) {
            (true, true) => 700,
            (false, true) => 300 / (leading.count_ones() as i32 - 1).max(1),
            _ => 0,
        };
        Turning {
            from_milli: (0..lanes).map(|own| (0..lanes).map(|lane| from(own, lane)).collect()).collect(),
            all_milli: (0..lanes).map(share).collect(),
        }
    }

    /// A vehicle left by a lane.
    pub(super) fn learn(&mut self, seen_on: Option<u8>, left_by: usize) {
        let rows = seen_on.map(|own| &mut self.from_milli[usize::from(own)]).into_iter().chain([&mut self.all_milli]);
        for row in rows {
            for (lane, share) in row.iter_mut().enumerate().filter(|(_, share)| **share > 0) {
                let target = if lane == left_by { 1000 } else { 0 };
                *share = (*share + (target - *share) / MEMORY).max(LEAST_SHARE_MILLI);
            }
        }
    }

    /// Tells the lanes by which a vehicle may leave, and how much of it leaves by each, 1/1000.
    pub(super) fn spread(&self, seen_on: Option<u8>, ways: u32, weight_milli: u32, mut tell: impl FnMut(usize, u32)) {
        let row = seen_on.map_or(&self.all_milli, |own| &self.from_milli[usize::from(own)]);
        let only = ways.trailing_zeros() as usize;
        if ways.is_power_of_two() && row.get(only).is_some_and(|share| *share > 0) {
            return tell(only, weight_milli);
        }
        let share = |lane: usize, ways: u32| if ways & bit(lane) != 0 { row[lane] as u32 } else { 0 };
        let sum = |ways: u32| (0..row.len()).map(|lane| share(lane, ways)).sum::<u32>();
        let ways = if sum(ways) == 0 { u32::MAX } else { ways };
        let total = sum(ways).max(1);
        for lane in 0..row.len() {
            let milli = weight_milli * share(lane, ways) / total;
            if milli > 0 {
                tell(lane, milli);
            }
        }
    }
}
