//! Key figures, and the levels of the gauges.

use std::collections::VecDeque;
use std::time::Instant;

use nanming_dataflows::decision::{Interval, LevelOfService, LinkState};
use nanming_dataflows::event::{CallPhase, Priority};
use serde_json::{Value, json};

use super::state::{RATE_MS, State};
use crate::metrics::Levels;
use crate::publish::kmh;

/// Span of wall time over which events are counted, s.
const EVENTS_SPAN_S: f64 = 10.0;

/// Figures are kept for the page's series: so far apart in city time, ms, and so many.
const KEPT: (u64, usize) = (10_000, 90);

/// What the figures need and the state does not know.
pub(super) struct Outside {
    pub(super) tick_p99_ms: f64,
    pub(super) events: u64,
    pub(super) dead_letters: u64,
}

/// The pace of events, and the last figures.
#[derive(Default)]
pub(super) struct Tempo {
    seen: VecDeque<(Instant, u64)>,
    kept: VecDeque<(u64, Value)>,
    pub(super) last: Value,
}

impl Tempo {
    /// The key figures now.
    pub(super) fn figures(&mut self, state: &State, outside: &Outside) -> Value {
        let levels = state.levels();
        let recent = |pick: fn(&(u64, usize, usize)) -> usize| state.recent.iter().map(pick).sum::<usize>();
        let waiting = levels.calls.iter().find(|(phase, _)| *phase == CallPhase::Waiting).map_or(0, |(_, n)| *n);
        let per_minute = 60_000.0 / RATE_MS as f64;
        self.last = json!({
            "vehicles_h": (recent(|r| r.1) as f64 * per_minute * 60.0).round(),
            "mean_speed_kmh": round1(mean_speed_kmh(state.links.iter().flatten())),
            "congested_links": state.links.iter().flatten().filter(|l| l.level == LevelOfService::F).count(),
            "surges": state.crowds.iter().flatten().filter(|crowd| crowd.surge).count(),
            "open_calls": state.calls.len(),
            "waiting_calls": waiting,
            "available_units": levels.available_units,
            "ack_p50_s": state.median_answer_s(),
            "tick_p99_ms": round1(outside.tick_p99_ms),
            "events_s": self.events_s(outside.events).round(),
            "dead_letters": outside.dead_letters,
            "signal_changes_min": (recent(|r| r.2) as f64 * per_minute).round(),
        });
        self.keep(state.time_ms);
        self.last.clone()
    }

    fn keep(&mut self, time_ms: u64) {
        let newest_ms = self.kept.back().map_or(0, |(time_ms, _)| *time_ms);
        if time_ms < newest_ms + KEPT.0 {
            return;
        }
        if self.kept.len() == KEPT.1 {
            self.kept.pop_front();
        }
        self.kept.push_back((time_ms, self.last.clone()));
    }

    /// The figures kept, as columns, oldest first.
    pub(super) fn history(&self) -> Value {
        let times: Vec<u64> = self.kept.iter().map(|(time_ms, _)| *time_ms).collect();
        let mut columns = json!({"time_ms": times});
        for name in self.last.as_object().into_iter().flat_map(|figures| figures.keys()) {
            columns[name] = self.kept.iter().map(|(_, figures)| figures[name].clone()).collect();
        }
        columns
    }

    fn events_s(&mut self, events: u64) -> f64 {
        self.seen.push_back((Instant::now(), events));
        let age_s = |at: &Instant| at.elapsed().as_secs_f64();
        while self.seen.front().is_some_and(|(at, _)| age_s(at) > EVENTS_SPAN_S) {
            self.seen.pop_front();
        }
        let Some((at, before)) = self.seen.front() else { return 0.0 };
        let span_s = age_s(at);
        if span_s < 0.5 { 0.0 } else { (events - before) as f64 / span_s }
    }
}

impl State {
    /// The levels that the gauges show.
    pub(super) fn levels(&self) -> Levels {
        let priorities = [Priority::A, Priority::B, Priority::C];
        let phases = [CallPhase::Waiting, CallPhase::Assigned, CallPhase::Accepted, CallPhase::Arrived];
        let of_priority = |p| self.calls.values().filter(|c| c.facts.priority == p).count();
        let of_phase = |p| self.calls.values().filter(|c| c.phase == p).count();
        let ready = self.units.iter().flatten().filter(|unit| unit.is_available());
        Levels {
            time_ms: self.time_ms,
            open_calls: priorities.map(|p| (p, of_priority(p))).to_vec(),
            calls: phases.map(|p| (p, of_phase(p))).to_vec(),
            available_units: ready.count(),
            onsets: self.onsets.len(),
            junctions: self.stages.iter().map(|stage| self.stage_level(stage.as_ref())).collect(),
            districts: self.districts(),
            district_loads: self.district_loads(),
        }
    }

    fn stage_level(&self, stage: Option<&super::StageNow>) -> (u16, u64) {
        let Some(stage) = stage else { return (0, 0) };
        let is_green = stage.command.interval == Interval::Green;
        let age_ms = if is_green { self.time_ms.saturating_sub(stage.green_since_ms) } else { 0 };
        (stage.command.stage, age_ms)
    }

    fn districts(&self) -> Vec<(f64, usize)> {
        let mut by_district: Vec<Vec<&LinkState>> = vec![Vec::new(); self.city.districts.len()];
        for link in self.links.iter().flatten() {
            by_district[self.city.links[link.link.index()].district.index()].push(link);
        }
        let congested = |links: &[&LinkState]| links.iter().filter(|l| l.level == LevelOfService::F).count();
        by_district.iter().map(|links| (mean_speed_kmh(links.iter().copied()), congested(links))).collect()
    }

    fn district_loads(&self) -> Vec<(u32, u32)> {
        let mut loads = vec![(0, 0); self.city.districts.len()];
        for load in &self.grids {
            let (open_calls, available_units) = &mut loads[self.city.grids[load.grid.index()].district.index()];
            *open_calls += load.open_calls;
            *available_units += load.available_units;
        }
        loads
    }

    fn median_answer_s(&self) -> Option<f64> {
        let mut sorted: Vec<u64> = self.answers.iter().copied().collect();
        sorted.sort_unstable();
        sorted.get(sorted.len() / 2).map(|ms| round1(*ms as f64 / 1000.0))
    }
}

/// Mean of speeds weighted by flow; the plain mean where nothing flows.
fn mean_speed_kmh<'a>(links: impl Iterator<Item = &'a LinkState> + Clone) -> f64 {
    let mean = |weight: fn(&LinkState) -> f64| {
        let total: f64 = links.clone().map(weight).sum();
        let sum: f64 = links.clone().map(|l| weight(l) * kmh(l.speed_mm_s)).sum();
        (total > 0.0).then(|| sum / total)
    };
    mean(|l| f64::from(l.flow_veh_h)).or_else(|| mean(|_| 1.0)).unwrap_or(0.0)
}

fn round1(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}
