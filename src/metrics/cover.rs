//! Measures of cover: how much of what is expected would be reached in time, and how often units are advised to move.

use nanming_dataflows::decision::{CoverState, Decisions};
use nanming_dataflows::network::City;
use prometheus::{Gauge, IntCounter};

use super::last;
use super::make::Make;

/// Measures of cover, by region.
pub struct CoverMeasures {
    ratio: Vec<Gauge>,
    advised: IntCounter,
}

impl CoverMeasures {
    pub(super) fn new(make: &Make, city: &City) -> CoverMeasures {
        let regions = city.grids.iter().map(|grid| grid.region.index() + 1).max().unwrap_or(0);
        let names: Vec<String> = (0..regions).map(|region| region.to_string()).collect();
        let help = "Share of the calls expected that a unit at hand would reach within 8 min, by dispatch region.";
        let labels = names.iter().map(|name| (name.as_str(), ()));
        CoverMeasures {
            ratio: last(make.gauges("cover_ratio", help, "region", labels)),
            advised: make.counter("cover_moves_advised_total", "Units advised to wait elsewhere."),
        }
    }

    pub(super) fn decided(&self, decisions: &Decisions) {
        decisions.cover.iter().for_each(|state| self.region(state));
    }

    fn region(&self, state: &CoverState) {
        if let Some(ratio) = self.ratio.get(state.region.index()) {
            ratio.set(f64::from(state.covered_ppm) / 1e6);
        }
        // Advice is said again at each look as long as it stands.
        let fresh = state.advice.iter().filter(|advice| advice.since_ms == state.time_ms);
        self.advised.inc_by(fresh.count() as u64);
    }
}

#[cfg(test)]
mod tests {
    use nanming_dataflows::decision::CoverAdvice;
    use nanming_dataflows::ids::{GridId, RegionId, UnitId};
    use nanming_dataflows::network::Point;

    use super::super::Metrics;
    use super::*;

    #[test]
    fn advice_that_stands_is_counted_once() {
        let metrics = Metrics::new(&nanming_simulators::town::small(2, 2, 1));
        let (unit, from, to, at) = (UnitId(0), GridId(0), GridId(1), Point::default());
        let advice =
            CoverAdvice { unit, from, to, at, drive_ms: 60_000, gain_ppm: 20_000, since_ms: 7, until_ms: 90_000 };
        for (time_ms, covered_ppm) in [(7, 500_000), (60_007, 625_000)] {
            let state = CoverState {
                region: RegionId(0),
                time_ms,
                covered_ppm,
                busy_ppm: 0,
                idle_units: 1,
                advice: vec![advice],
            };
            metrics.decided(&Decisions { cover: vec![state], ..Decisions::default() });
        }
        let text = metrics.render();
        for line in ["nanming_cover_moves_advised_total 1", "nanming_cover_ratio{region=\"0\"} 0.625"] {
            assert!(text.lines().any(|l| l == line), "{line}");
        }
    }
}
