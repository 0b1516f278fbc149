//! The columns that the 110 bulletins print: acknowledged within 30, 60, 120, 180 s and later, departed within 5 min,
//! arrived by urgency.
//!
//! Acknowledged is counted from the call to the first unit's acceptance: what the caller waits for, with the time in which no
//! unit was free. Beside it stands the time from an assignment to its acceptance, which is what the units answer for.
//! Acceptance is departure: a unit that accepts sets out. Calls that were withdrawn before anybody accepted, merged into
//! others or referred to the community count nowhere: nobody had to answer them. A unit that never said so is late.

use std::fmt;

use nanming_dataflows::event::{CallPhase, Priority};
use serde::Serialize;

use crate::ledger::Response;

/// Edges of the columns, s.
const EDGES_S: [u64; 4] = [30, 60, 120, 180];
/// Departed in time, s.
const DEPARTED_S: u64 = 300;
/// Arrived in time, s.
const ARRIVED_S: u64 = 480;

/// The report.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Calls raised.
    pub calls: usize,
    /// Of them withdrawn before anybody accepted.
    pub withdrawn: usize,
    /// Merged into others.
    pub merged: usize,
    /// Referred to the community.
    pub referred: usize,
    /// From the call to the first acceptance.
    pub acknowledged: Columns,
    /// From the assignment to its acceptance.
    pub accepted: Columns,
    /// Share of calls to which a unit departed within 5 min.
    pub departed_within_5min: Option<f64>,
    /// Arrivals by urgency, most urgent first.
    pub arrived: Vec<Arrived>,
}

/// Shares of what took so long; none where there is nothing to share.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Columns {
    /// Counted.
    pub count: usize,
    /// Up to 30 s.
    pub within_30s: Option<f64>,
    /// 30 to 60 s.
    pub within_60s: Option<f64>,
    /// 60 to 120 s.
    pub within_120s: Option<f64>,
    /// 120 to 180 s.
    pub within_180s: Option<f64>,
    /// Later, or never.
    pub later: Option<f64>,
}

/// Arrivals at calls of one urgency.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Arrived {
    /// Which.
    pub priority: Priority,
    /// Calls at which a unit arrived.
    pub count: usize,
    /// Calls at which none did, or not yet.
    pub missing: usize,
    /// Mean, s.
    pub mean_s: Option<f64>,
    /// So long took 90 % at most, s.
    pub p90_s: Option<f64>,
    /// Share of all within 8 min.
    pub within_8min: Option<f64>,
}

impl Report {
    /// Of calls.
    pub fn of(all: &[Response]) -> Report {
        let is_withdrawn = |r: &&Response| r.phase == CallPhase::Cancelled && r.accepted_ms.is_none();
        let of_phase = |phase: CallPhase| all.iter().filter(|r| r.phase == phase).count();
        let is_aside = |r: &&Response| r.phase.is_set_aside();
        let served: Vec<&Response> = all
            .iter()
            .filter(|r| !is_withdrawn(r) && !is_aside(r))
            // Closed with the call that they had joined.
            .filter(|r| r.assigned_ms.is_some() || r.phase != CallPhase::Closed)
            .collect();
        let waited = |r: &Response| r.accepted_ms.map(|at| at.saturating_sub(r.opened_ms));
        let sent = served.iter().filter(|r| r.assigned_ms.is_some());
        let departed = served.iter().filter(|r| waited(r).is_some_and(|ms| ms <= DEPARTED_S * 1000)).count();
        Report {
            calls: all.len(),
            withdrawn: all.iter().filter(is_withdrawn).count(),
            merged: of_phase(CallPhase::Merged) + joined(all),
            referred: of_phase(CallPhase::Referred),
            acknowledged: Columns::of(served.iter().map(|r| waited(r))),
            accepted: Columns::of(sent.map(|r| r.accepting_ms)),
            departed_within_5min: share(departed, served.len()),
            arrived: [Priority::A, Priority::B, Priority::C].map(|p| Arrived::of(p, &served)).to_vec(),
        }
    }
}

/// Calls that ended with the one that they had joined: no unit was ever sent to them.
fn joined(all: &[Response]) -> usize {
    all.iter().filter(|r| r.phase == CallPhase::Closed && r.assigned_ms.is_none()).count()
}

impl Columns {
    fn of(times: impl Iterator<Item = Option<u64>>) -> Columns {
        let mut counts = [0; EDGES_S.len() + 1];
        for time in times {
            let column = time.and_then(|ms| EDGES_S.iter().position(|edge| ms <= edge * 1000));
            counts[column.unwrap_or(EDGES_S.len())] += 1;
        }
        let count = counts.iter().sum();
        let [within_30s, within_60s, within_120s, within_180s, later] = counts.map(|part| share(part, count));
        Columns { count, within_30s, within_60s, within_120s, within_180s, later }
    }
}

impl Arrived {
    fn of(priority: Priority, served: &[&Response]) -> Arrived {
        let of_it: Vec<&&Response> = served.iter().filter(|r| r.priority == priority).collect();
        let took = |r: &&&Response| r.arrived_ms.map(|at| at.saturating_sub(r.opened_ms));
        let mut times: Vec<u64> = of_it.iter().filter_map(took).collect();
        times.sort_unstable();
        let (count, all) = (times.len(), of_it.len());
        let mean_s = (count > 0).then(|| times.iter().sum::<u64>() as f64 / count as f64 / 1000.0);
        // The smallest that is at least as long as 90 % of all.
        let p90 = times.get((count * 9).div_ceil(10).saturating_sub(1));
        let in_time = times.iter().filter(|ms| **ms <= ARRIVED_S * 1000).count();
        Arrived {
            priority,
            count,
            missing: all - count,
            mean_s,
            p90_s: p90.map(|ms| *ms as f64 / 1000.0),
            within_8min: share(in_time, all),
        }
    }
}

fn share(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report { calls, withdrawn, merged, referred, .. } = self;
        writeln!(f, "calls {calls}: {withdrawn} withdrawn, {merged} merged, {referred} referred to the community")?;
        writeln!(f, "                      count   <=30 s   <=60 s  <=120 s  <=180 s    later")?;
        columns(f, "call to acceptance", &self.acknowledged)?;
        columns(f, "order to acceptance", &self.accepted)?;
        writeln!(f, "departed within 5 min {:>29}", percent(self.departed_within_5min))?;
        writeln!(f, "arrived               count  missing     mean      p90  <=8 min")?;
        for row in &self.arrived {
            let seconds = |s: Option<f64>| s.map_or("-".into(), |s| format!("{s:.0} s"));
            let (mean, p90) = (seconds(row.mean_s), seconds(row.p90_s));
            let (count, missing, share) = (row.count, row.missing, percent(row.within_8min));
            writeln!(
                f,
                "priority {:?}            {count:>5} {missing:>8} {mean:>8} {p90:>8} {share:>8}",
                row.priority
            )?;
        }
        Ok(())
    }
}

fn columns(f: &mut fmt::Formatter<'_>, name: &str, columns: &Columns) -> fmt::Result {
    let Columns { count, within_30s, within_60s, within_120s, within_180s, later } = columns;
    let shares = [within_30s, within_60s, within_120s, within_180s, later].map(|share| percent(*share));
    writeln!(f, "{name:<20} {count:>6} {}", shares.map(|share| format!("{share:>8}")).join(" "))
}

fn percent(share: Option<f64>) -> String {
    share.map_or("-".into(), |share| format!("{:.1} %", share * 100.0))
}

#[cfg(test)]
mod tests;
