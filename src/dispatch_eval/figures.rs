//! How well calls were served in a replay.

use std::collections::BTreeMap;

use nanming_dataflows::event::Priority;
use serde::Serialize;

use super::world::Done;

/// A call of priority A is to be reached within so long, s.
const TARGET_S: f64 = 480.0;

/// A figure for each priority.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub struct ByPriority {
    /// Life in danger, or a crime in progress.
    pub a: f64,
    /// Urgent.
    pub b: f64,
    /// Can wait.
    pub c: f64,
}

/// The figures of a replay, or their means over replays. Response is from the receipt of a call to the arrival of a unit.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Figures {
    /// Share of calls of priority A that are reached within 8 min.
    pub a_within_8min: f64,
    /// Mean response, s.
    pub mean_response_s: ByPriority,
    /// Median of the response, s.
    pub median_response_s: ByPriority,
    /// Nine of ten calls are reached within so long, s.
    pub p90_response_s: ByPriority,
    /// The longest response of a replay, s.
    pub longest_response_s: ByPriority,
    /// Mean of the response without the last drive, s.
    pub mean_queue_s: ByPriority,
    /// Mean of the last drive, s.
    pub mean_travel_s: ByPriority,
    /// Units taken from their way to a less urgent call, in a replay.
    pub preemptions: f64,
    /// Units else taken from their way, in a replay: calls of one priority changed units, or another unit took over.
    pub changes: f64,
    /// Units sent to wait elsewhere, in a replay.
    pub cover_moves: f64,
    /// Share of the time for which the unit that had least to do was busy.
    pub least_busy: f64,
    /// The same of the unit that had most to do.
    pub most_busy: f64,
    /// Mean response to calls of priority A by district, s.
    pub a_response_by_district_s: BTreeMap<String, f64>,
}

impl Figures {
    pub(super) fn of(done: &Done) -> Figures {
        let queue_s: Vec<f64> = done.response_s.iter().zip(&done.drive_s).map(|(all, drive)| all - drive).collect();
        let response = |of: fn(&[f64]) -> f64| by_priority(done, &done.response_s, of);
        let within = |times: &[f64]| {
            times.iter().filter(|time_s| **time_s <= TARGET_S).count() as f64 / times.len().max(1) as f64
        };
        Figures {
            a_within_8min: by_priority(done, &done.response_s, within).a,
            mean_response_s: response(mean),
            median_response_s: response(|times| quantile(times, 0.5)),
            p90_response_s: response(|times| quantile(times, 0.9)),
            longest_response_s: response(|times| quantile(times, 1.0)),
            mean_queue_s: by_priority(done, &queue_s, mean),
            mean_travel_s: by_priority(done, &done.drive_s, mean),
            preemptions: done.preemptions as f64,
            changes: done.changes as f64,
            cover_moves: done.cover_moves as f64,
            least_busy: quantile(&done.busy, 0.0),
            most_busy: quantile(&done.busy, 1.0),
            a_response_by_district_s: by_district(done),
        }
    }

    /// The mean of each figure.
    pub(super) fn mean(runs: &[Figures]) -> Figures {
        let one = |of: fn(&Figures) -> f64| mean(&runs.iter().map(of).collect::<Vec<f64>>());
        let three = |of: fn(&Figures) -> ByPriority| {
            let each = |one: fn(ByPriority) -> f64| mean(&runs.iter().map(|run| one(of(run))).collect::<Vec<f64>>());
            ByPriority { a: each(|of| of.a), b: each(|of| of.b), c: each(|of| of.c) }
        };
        let districts = runs.first().into_iter().flat_map(|run| run.a_response_by_district_s.keys());
        let of_district = |name: &String| {
            let times: Vec<f64> =
                runs.iter().filter_map(|run| run.a_response_by_district_s.get(name).copied()).collect();
            (name.clone(), mean(&times))
        };
        Figures {
            a_within_8min: one(|run| run.a_within_8min),
            mean_response_s: three(|run| run.mean_response_s),
            median_response_s: three(|run| run.median_response_s),
            p90_response_s: three(|run| run.p90_response_s),
            longest_response_s: three(|run| run.longest_response_s),
            mean_queue_s: three(|run| run.mean_queue_s),
            mean_travel_s: three(|run| run.mean_travel_s),
            preemptions: one(|run| run.preemptions),
            changes: one(|run| run.changes),
            cover_moves: one(|run| run.cover_moves),
            least_busy: one(|run| run.least_busy),
            most_busy: one(|run| run.most_busy),
            a_response_by_district_s: districts.map(of_district).collect(),
        }
    }
}

fn by_priority(done: &Done, values: &[f64], of: impl Fn(&[f64]) -> f64) -> ByPriority {
    let [a, b, c] = [Priority::A, Priority::B, Priority::C].map(|priority| {
        let pairs = done.calls.priority.iter().zip(values);
        of(&pairs.filter(|(other, _)| **other == priority).map(|(_, value)| *value).collect::<Vec<f64>>())
    });
    ByPriority { a, b, c }
}

fn by_district(done: &Done) -> BTreeMap<String, f64> {
    let mut times: BTreeMap<&String, Vec<f64>> = BTreeMap::new();
    for ((district, priority), response_s) in done.calls.district.iter().zip(&done.calls.priority).zip(&done.response_s)
    {
        if *priority == Priority::A && !district.is_empty() {
            times.entry(district).or_default().push(*response_s);
        }
    }
    times.into_iter().map(|(district, times)| (district.clone(), mean(&times))).collect()
}

fn mean(values: &[f64]) -> f64 {
    // Not a sum: that of nothing is a negative zero.
    values.iter().fold(0.0, |sum, value| sum + value) / values.len().max(1) as f64
}

/// The value that such a share of the values does not exceed.
fn quantile(values: &[f64], share: f64) -> f64 {
    let mut values = values.to_vec();
    values.sort_unstable_by(f64::total_cmp);
    values.get((values.len().saturating_sub(1) as f64 * share).ceil() as usize).copied().unwrap_or_default()
}
