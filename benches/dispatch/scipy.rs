//! The same matching by scipy's `linear_sum_assignment`, if it is installed: a place of a column is a column there.

use std::process::Command;

use nanming_dataflows::matching::FORBIDDEN;

use crate::measure::Goals;
use crate::say;

/// Reads rows, columns and costs, and prints the time of the quickest of nine runs, ms, and the cost.
const PROGRAM: &str = "
import sys, time
import numpy
from scipy.optimize import linear_sum_assignment
rows, columns = int(sys.argv[2]), int(sys.argv[3])
costs = numpy.fromfile(sys.argv[1], dtype='<i8').reshape(rows, columns).astype(float)
took = []
for _ in range(9):
    began = time.perf_counter()
    picked = linear_sum_assignment(costs)
    took.append(time.perf_counter() - began)
print(min(took) * 1000, int(costs[picked].sum()))
";
/// What stands for a forbidden pair: more than any matching costs.
const NEVER: i64 = 1 << 40;

pub(crate) fn compare(costs: &[Vec<i64>], capacities: &[u32], cost: i64, goals: &mut Goals) {
    match solve(costs, capacities) {
        Some((took_ms, theirs)) => {
            say("the same by scipy", format!("{took_ms:.2} ms"));
            goals.judge("the cost is scipy's", cost == theirs, format!("{cost} and {theirs}"));
        }
        None => say("the same by scipy", "left out: python3 has no scipy".into()),
    }
}

fn solve(costs: &[Vec<i64>], capacities: &[u32]) -> Option<(f64, i64)> {
    let dir = tempfile::tempdir().ok()?;
    let path = dir.path().join("costs");
    let mut bytes = Vec::new();
    for row in costs {
        for (cost, capacity) in row.iter().zip(capacities) {
            let cost = if *cost == FORBIDDEN { NEVER } else { *cost };
            bytes.extend(std::iter::repeat_n(cost.to_le_bytes(), *capacity as usize).flatten());
        }
    }
    std::fs::write(&path, bytes).ok()?;
    let columns: u32 = capacities.iter().sum();
    let size = [costs.len().to_string(), columns.to_string()];
    let done = Command::new("python3").args(["-c", PROGRAM]).arg(path).args(size).output().ok()?;
    let said = String::from_utf8(done.stdout).ok()?;
    let mut words = said.split_whitespace();
    Some((words.next()?.parse().ok()?, words.next()?.parse().ok()?))
}
