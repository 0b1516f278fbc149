//! What no policy can beat, even one that knows all calls beforehand.
//!
//! Calls of priority A alone, as if the city had no others. To reach two of them in time one after the other, a unit has to be at
//! the first when that is known at the earliest, stay there, drive, and be at the second within the target. So units are chains
//! of such calls, and the most calls that so many chains cover is a bound: of each chain only neighbours are held against each
//! other, and units may stand ready before a call comes in. Mean response is bounded by the time until dispatch hears of a call.

use nanming_dataflows::event::Priority;
use nanming_dataflows::matching::FORBIDDEN;
use serde::Serialize;

use super::calls::Calls;
use super::figures::ByPriority;
use super::least_cost;
use super::travel::{Place, Travel};
use super::world::STEP_S;

const TARGET_S: f64 = 480.0;
/// What cannot follow each other.
const NEVER: i64 = FORBIDDEN;

/// What no policy can beat.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Bound {
    /// Share of calls of priority A within 8 min at most.
    pub a_within_8min: f64,
    /// Mean response at least, s.
    pub mean_response_s: ByPriority,
}

/// The bound for units that start at the places of these calls.
pub(super) fn bound(calls: &Calls, travel: &Travel, starts: &[usize]) -> Bound {
    let urgent: Vec<usize> = (0..calls.len()).filter(|call| calls.priority[*call] == Priority::A).collect();
    let earliest_s = |call: usize| (calls.ready_s[call] / STEP_S).ceil().max(1.0) * STEP_S;
    let latest_s = |call: usize| calls.received_s[call] + TARGET_S;
    let places: Vec<Place> = starts.iter().chain(&urgent).map(|call| calls.place[*call]).collect();
    // A call's predecessor is a unit's start, another call, or, where nobody comes in time, itself.
    let row = |to: &usize| {
        let can_be_met = earliest_s(*to) <= latest_s(*to);
        let drives_s = travel.times_s(&places, calls.place[*to]);
        let (first_s, next_s) = drives_s.split_at(starts.len());
        let first = first_s.iter().map(|drive_s| can_be_met && STEP_S + drive_s <= latest_s(*to));
        let next = urgent.iter().zip(next_s).map(|(from, drive_s)| {
            can_be_met && from != to && earliest_s(*from) + calls.on_scene_s[*from] + drive_s <= latest_s(*to)
        });
        let mut costs: Vec<i64> = first.chain(next).map(|can| if can { 0 } else { NEVER }).collect();
        costs[starts.len() + urgent.partition_point(|other| other < to)] = 1;
        costs
    };
    let matched = least_cost(&urgent.iter().map(row).collect::<Vec<_>>());
    let lost = matched.iter().enumerate().filter(|(n, column)| **column == Some(starts.len() + n)).count();
    let mean = |priority: Priority| {
        let of: Vec<usize> = (0..calls.len()).filter(|call| calls.priority[*call] == priority).collect();
        of.iter().map(|call| earliest_s(*call) - calls.received_s[*call]).sum::<f64>() / of.len().max(1) as f64
    };
    let [a, b, c] = [Priority::A, Priority::B, Priority::C].map(mean);
    Bound {
        a_within_8min: (urgent.len() - lost) as f64 / urgent.len().max(1) as f64,
        mean_response_s: ByPriority { a, b, c },
    }
}
