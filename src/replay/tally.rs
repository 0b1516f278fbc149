//! The summary of a replay: counts that depend on the recording alone, never on the machine.

use std::collections::{BTreeMap, BTreeSet};

use nanming_dataflows::decide::envelope::Witness;
use nanming_dataflows::decision::{
    AssignmentPhase, AssignmentStatus, CallPhase, Decisions, EndReason, Interval, LeadRecord,
};
use nanming_dataflows::event::{Batch, Lamp};
use nanming_dataflows::ids::CallId;
use nanming_dataflows::network::City;
use serde::Serialize;

use crate::track_record::TrackRecord;

/// Rows of calls that were not played, by why.
pub(super) type LeftOut = BTreeMap<&'static str, u64>;

/// What a replay brought.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Summary {
    /// Name of the city.
    pub city: String,
    /// Its signalised junctions.
    pub junctions: usize,
    /// Ticks played.
    pub ticks: u64,
    /// Events taken, by stream.
    pub events: BTreeMap<&'static str, u64>,
    /// Commands told to signals.
    pub signal_commands: u64,
    /// Greens among them that began: a standing one that is ordered again is no change.
    pub stage_changes: u64,
    /// Commands outside the safety envelope, checked here anew: must be 0.
    pub envelope_violations: u64,
    /// Changes that the envelope held back.
    pub envelope_refusals: u64,
    /// Reds that lasted longer than their junction allows, with somebody waiting.
    pub long_reds: u64,
    /// Forecasts made.
    pub forecasts: u64,
    /// How good they were at last, 15, 30 and 60 min ahead; empty when none came true.
    pub forecast_record: Vec<Scored>,
    /// Calls opened.
    pub calls: u64,
    /// Rows of calls that were not played though nothing is wrong with them, by why: `other_hours` than those recorded,
    /// `not_from_callers`, `no_place`, `no_grid`.
    pub calls_left_out: LeftOut,
    /// Calls to which nobody was ever sent.
    pub never_assigned: u64,
    /// Assignments made.
    pub assignments: u64,
    /// Steps up the ladder, of calls that were not served as they should be.
    pub escalations: u64,
    /// Units that were sent from their call to a more urgent one.
    pub preemptions: u64,
    /// Calls that a unit reached.
    pub arrived: u64,
    /// Calls closed.
    pub closed: u64,
    /// Mean time from a call to its first assignment, s; none when nobody was sent.
    pub mean_wait_s: Option<f64>,
    /// Mean expected travel time at assignment, s; none when nobody was sent.
    pub mean_eta_s: Option<f64>,
    /// Rows and events that were not taken.
    pub dead_letters: u64,
    /// Ticks that the recording lacks: decisions after them may be others than those of the live city.
    #[serde(skip_serializing_if = "is_zero")]
    pub ticks_missing: u64,
    #[serde(skip)]
    track: TrackRecord,
    #[serde(skip)]
    witness: Witness,
    #[serde(skip)]
    shown: Vec<Vec<Lamp>>,
    #[serde(skip)]
    opened_ms: BTreeMap<CallId, u64>,
    #[serde(skip)]
    reached: BTreeSet<CallId>,
    #[serde(skip)]
    waits_ms: Vec<u64>,
    #[serde(skip)]
    etas_ms: Vec<u64>,
}

/// Lead times that the summary tells of, min.
const TOLD_MIN: [u16; 3] = [15, 30, 60];

/// How good forecasts of one lead time were.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Scored {
    /// Lead time, min.
    pub lead_min: u16,
    /// Forecasts whose truth has come; older ones count less.
    pub scored: f64,
    /// Mean absolute error, as a share of free-flow speed.
    pub mae: f64,
    /// Share of truths within the 80 % interval.
    pub coverage80: f64,
    /// Share of truths within the 95 % interval.
    pub coverage95: f64,
}

impl Scored {
    fn new(lead: &LeadRecord) -> Option<Scored> {
        let round = |share: f64| (share * 10_000.0).round() / 10_000.0;
        let [mae, coverage80, coverage95] = [lead.mae()?, lead.coverage80()?, lead.coverage95()?].map(round);
        Some(Scored { lead_min: lead.lead_min, scored: lead.forecasts.round(), mae, coverage80, coverage95 })
    }
}

impl std::fmt::Display for Scored {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [mae, within80, within95] = [self.mae, self.coverage80, self.coverage95].map(|share| share * 100.0);
        write!(
            f,
            "{} min ahead off by {mae:.1} % of free speed ({within80:.0} % in the 80 % interval, ",
            self.lead_min
        )?;
        write!(f, "{within95:.0} % in that of 95 %)")
    }
}

impl Summary {
    pub(super) fn new(city: &City, dead: usize, calls_left_out: LeftOut) -> Self {
        Summary {
            calls_left_out,
            city: city.name.clone(),
            junctions: city.junctions.len(),
            dead_letters: dead as u64,
            witness: Witness::new(city),
            shown: vec![Vec::new(); city.junctions.len()],
            ..Summary::default()
        }
    }

    /// Counts what a tick was given.
    pub(super) fn take(&mut self, batch: &Batch) {
        self.ticks += 1;
        for (stream, count) in batch.counts().into_iter().filter(|(_, n)| *n > 0) {
            *self.events.entry(stream).or_default() += count as u64;
        }
        for call in &batch.calls {
            self.opened_ms.entry(call.call).or_insert(call.time_ms);
        }
        self.calls = self.opened_ms.len() as u64;
        self.never_assigned = self.calls - self.waits_ms.len() as u64;
    }

    /// Counts what a tick brought out, and checks every command against the envelope once more.
    pub(super) fn note(&mut self, city: &City, d: &Decisions) {
        for c in &d.commands {
            let ok = self.witness.see(city, c).is_ok();
            self.envelope_violations += u64::from(!ok);
            let before = std::mem::replace(&mut self.shown[c.junction.index()], c.lamps.clone());
            let begins = c.interval == Interval::Green && !before.is_empty() && before != c.lamps;
            self.stage_changes += u64::from(begins);
        }
        self.signal_commands += d.commands.len() as u64;
        self.envelope_refusals += d.refusals.len() as u64;
        self.long_reds += d.long_reds.len() as u64;
        self.forecasts += d.forecasts.len() as u64;
        if !d.forecast_records.is_empty() {
            self.track.take(&d.forecast_records);
            let told = |lead: &&LeadRecord| TOLD_MIN.contains(&lead.lead_min);
            self.forecast_record = self.track.city().iter().filter(told).filter_map(Scored::new).collect();
        }
        self.assignments += d.assignments.len() as u64;
        self.escalations += d.escalations.len() as u64;
        let is_preempted = |s: &&AssignmentStatus| s.phase == AssignmentPhase::Ended(EndReason::Preempted);
        self.preemptions += d.assignment_statuses.iter().filter(is_preempted).count() as u64;
        self.dead_letters += d.rejected.len() as u64;
        self.reached.extend(d.calls.iter().filter(|c| c.phase == CallPhase::Arrived).map(|c| c.call));
        self.arrived = self.reached.len() as u64;
        self.closed += d.calls.iter().filter(|c| c.phase == CallPhase::Closed).count() as u64;
        for a in d.assignments.iter().filter(|a| a.id.attempt == 1) {
            self.waits_ms.push(a.time_ms - self.opened_ms.get(&a.call).copied().unwrap_or(a.time_ms).min(a.time_ms));
            self.etas_ms.push(a.eta_ms);
        }
        self.never_assigned = self.calls - self.waits_ms.len() as u64;
        (self.mean_wait_s, self.mean_eta_s) = (mean_s(&self.waits_ms), mean_s(&self.etas_ms));
    }
}

fn is_zero(n: &u64) -> bool {
    *n == 0
}

fn mean_s(ms: &[u64]) -> Option<f64> {
    let mean_ms = ms.iter().sum::<u64>() as f64 / ms.len() as f64;
    (!ms.is_empty()).then(|| (mean_ms / 100.0).round() / 10.0)
}

impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let events: Vec<String> = self.events.iter().map(|(stream, n)| format!("{n} {stream}")).collect();
        writeln!(f, "{}: {} junctions, {} ticks, {}", self.city, self.junctions, self.ticks, events.join(", "))?;
        writeln!(
            f,
            "signals:     {} commands, {} stage changes, {} outside the envelope, {} held back by it, {} reds too long",
            self.signal_commands, self.stage_changes, self.envelope_violations, self.envelope_refusals, self.long_reds
        )?;
        let record: Vec<String> = self.forecast_record.iter().map(Scored::to_string).collect();
        writeln!(f, "forecasts:   {}", [vec![self.forecasts.to_string()], record].concat().join("; "))?;
        let mean = |mean_s: Option<f64>| mean_s.map_or("n/a".into(), |mean_s| format!("{mean_s} s"));
        writeln!(
            f,
            "dispatch:    {} calls, {} never assigned, {} assignments, {} arrived, {} closed; mean wait {}, mean travel \
             expected {}",
            self.calls,
            self.never_assigned,
            self.assignments,
            self.arrived,
            self.closed,
            mean(self.mean_wait_s),
            mean(self.mean_eta_s)
        )?;
        let left_out: Vec<String> = self.calls_left_out.iter().map(|(why, n)| format!("{n} {why}")).collect();
        if !left_out.is_empty() {
            writeln!(f, "calls not played: {}", left_out.join(", "))?;
        }
        if self.ticks_missing > 0 {
            writeln!(f, "missing in the recording: {} ticks", self.ticks_missing)?;
        }
        writeln!(f, "dead letters: {}", self.dead_letters)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nanming_dataflows::decision::{ForecastRecord, SignalCommand, StageReason};
    use nanming_dataflows::ids::JunctionId;

    #[test]
    fn the_last_record_of_forecasts_is_told_where_some_came_true() {
        let city = nanming_simulators::town::small(1, 1, 1);
        let mut summary = Summary::new(&city, 0, LeftOut::default());
        let lead = |lead_min, forecasts| LeadRecord {
            lead_min,
            forecasts,
            absolute: 0.0625 * forecasts,
            within80: 0.75 * forecasts,
            within95: forecasts,
            ..LeadRecord::default()
        };
        for scored in [10.0, 200.0] {
            let leads = vec![lead(5, scored), lead(15, scored), lead(30, scored / 2.0), lead(60, 0.0)];
            let record = ForecastRecord { region: 0, time_ms: 1, leads };
            summary.note(&city, &Decisions { forecast_records: vec![record], ..Decisions::default() });
        }
        let told: Vec<_> =
            summary.forecast_record.iter().map(|r| (r.lead_min, r.scored, r.mae, r.coverage80)).collect();
        assert_eq!(told, [(15, 200.0, 0.0625, 0.75), (30, 100.0, 0.0625, 0.75)]);
        let text = summary.to_string();
        let line = "forecasts:   0; 15 min ahead off by 6.2 % of free speed (75 % in the 80 % interval, 100 % in that of 95 %);";
        assert!(text.contains(line), "{text}");
    }

    #[test]
    fn a_standing_stage_that_is_ordered_again_is_no_change() {
        let city = nanming_simulators::town::small(1, 1, 1);
        let mut summary = Summary::new(&city, 0, LeftOut::default());
        let green: Vec<Lamp> = city.junctions[0].stages[0].lights.iter().map(|light| light.lamp()).collect();
        let red = vec![Lamp::Red; green.len()];
        for (at_s, interval, lamps) in [
            (0, Interval::Green, &green),
            (60, Interval::Green, &green),
            (70, Interval::AllRed, &red),
            (80, Interval::Green, &green),
            (140, Interval::Green, &green),
        ] {
            let (junction, at_ms, reason) = (JunctionId(0), at_s * 1000, StageReason::Plan);
            let command = SignalCommand { junction, at_ms, stage: 0, interval, lamps: lamps.clone(), reason };
            summary.note(&city, &Decisions { commands: vec![command], ..Decisions::default() });
        }
        assert_eq!((summary.signal_commands, summary.stage_changes), (5, 1));
    }
}
