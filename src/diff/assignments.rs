//! Differences of assignments: who was sent instead of whom, and how much sooner or later he would be there.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::pairs::{Decision, Pair, compare as pairs};
use super::{Counts, DiffError};

/// Assignments told of one by one; all are counted.
const TOLD: usize = 1000;

/// Of assignments.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Assignments {
    /// Assignments of a number.
    #[serde(flatten)]
    pub counts: Counts,
    /// Those that went to another unit.
    pub other_unit: u64,
    /// By how much later these would be there in the second run, mean, s; none when there is none.
    pub later_s: Option<f64>,
    /// The first thousand of them.
    pub reassigned: Vec<Reassigned>,
}

/// An assignment that went to another unit.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reassigned {
    /// Its number.
    pub assignment: String,
    /// When, in the first run, ms since the Unix epoch.
    pub t_ms: u64,
    /// Whom the first run sent, and whom the second.
    pub units: [String; 2],
    /// Travel times expected, s.
    pub eta_s: [u64; 2],
}

#[derive(Deserialize, PartialEq)]
struct Assignment {
    t_ms: u64,
    assignment: String,
    unit: String,
    eta_s: u64,
    reason: Value,
    candidates: Vec<Value>,
}

impl Decision for Assignment {
    type Key = String;
    const WINDOW_MS: u64 = 3_600_000;

    fn t_ms(&self) -> u64 {
        self.t_ms
    }

    fn key(&self) -> String {
        self.assignment.clone()
    }
}

pub(super) fn compare(files: (PathBuf, PathBuf)) -> Result<Assignments, DiffError> {
    let mut all = Assignments::default();
    let mut later_s = 0.0;
    all.counts = pairs(files, |pair: Pair<Assignment>| {
        let Pair::Both(a, b) = pair else { return };
        if a.unit == b.unit {
            return;
        }
        all.other_unit += 1;
        later_s += b.eta_s as f64 - a.eta_s as f64;
        if all.reassigned.len() < TOLD {
            let (units, eta_s) = ([a.unit, b.unit], [a.eta_s, b.eta_s]);
            all.reassigned.push(Reassigned { assignment: a.assignment, t_ms: a.t_ms, units, eta_s });
        }
    })?;
    all.later_s = (all.other_unit > 0).then(|| later_s / all.other_unit as f64);
    Ok(all)
}
