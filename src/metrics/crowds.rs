//! Measures of venues: how many people there are, how many are usual, and what is expected of them.

use std::collections::BTreeSet;

use nanming_dataflows::decision::Decisions;
use nanming_dataflows::network::City;
use prometheus::{Gauge, IntCounter, IntGauge};

use super::make::Make;
use super::{last, named};

/// Measures of venues, each by its row. What nobody counts any more stays as it was seen last.
pub struct CrowdMeasures {
    people: Vec<IntGauge>,
    usual: Vec<IntGauge>,
    fullness: Vec<Gauge>,
    outflow: Vec<IntGauge>,
    surge: Vec<IntGauge>,
    counted: Vec<IntGauge>,
    surges: IntCounter,
}

impl CrowdMeasures {
    pub(super) fn new(make: &Make, city: &City) -> CrowdMeasures {
        let labels = labels(city);
        let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
        let of_each = |name: &str, help: &str| last(make.int_gauges(name, help, "venue", named(&labels)));
        CrowdMeasures {
            people: of_each("crowd_people", "People at a venue, as cameras and gates last counted them."),
            usual: of_each(
                "crowd_usual_people",
                "People that are usual at a venue at this time of day; 0: not known yet.",
            ),
            fullness: last(make.gauges(
                "crowd_capacity_ratio",
                "People at a venue, of what it holds; 0 where that is not known.",
                "venue",
                named(&labels),
            )),
            outflow: of_each("crowd_outflow_people", "People expected to leave a venue within the hour."),
            surge: of_each("crowd_surge", "1 while more people are at a venue than usual, or it is nearly full."),
            counted: of_each("crowd_counted", "1 while somebody counts at a venue: a camera or its gates."),
            surges: make.counter("crowd_surges_total", "Surges at venues that began."),
        }
    }

    pub(super) fn decided(&self, decisions: &Decisions) {
        for state in &decisions.crowds {
            let row = state.venue.index();
            self.people[row].set(i64::from(state.people));
            self.usual[row].set(i64::from(state.usual));
            self.fullness[row].set(f64::from(state.capacity_share_milli) / 1000.0);
            self.outflow[row].set(state.outflow.iter().map(|people| i64::from(*people)).sum());
            self.surge[row].set(i64::from(state.surge));
            self.counted[row].set(i64::from(state.observed));
        }
        self.surges.inc_by(decisions.surges.iter().filter(|(_, diff)| *diff > 0).count() as u64);
    }
}

/// Names of venues; one that another has already is told apart by its number.
fn labels(city: &City) -> Vec<String> {
    let mut taken = BTreeSet::new();
    let mut labels = Vec::with_capacity(city.venues.len());
    for venue in &city.venues {
        let is_first = taken.insert(venue.name.as_str());
        labels.push(if is_first { venue.name.clone() } else { format!("{} #{}", venue.name, venue.id) });
    }
    labels
}

#[cfg(test)]
mod tests {
    use nanming_dataflows::decision::{CrowdState, Surge};
    use nanming_dataflows::ids::VenueId;

    use super::super::Metrics;
    use super::*;

    #[test]
    fn each_venue_has_its_measures_even_where_two_have_one_name() {
        let mut city = nanming_simulators::town::small(2, 2, 1);
        city.venues[1].name = city.venues[0].name.clone();
        let metrics = Metrics::new(&city);
        let state = CrowdState {
            venue: VenueId(1),
            time_ms: 1,
            people: 900,
            usual: 300,
            capacity_share_milli: 450,
            surge: true,
            outflow: [5; 12],
            observed: true,
        };
        let surges = vec![(Surge { venue: VenueId(1) }, 1)];
        metrics.decided(&Decisions { crowds: vec![state], surges, ..Decisions::default() });
        metrics.decided(&Decisions { surges: vec![(Surge { venue: VenueId(1) }, -1)], ..Decisions::default() });
        let (text, name) = (metrics.render(), &city.venues[0].name);
        for (what, first, second) in [
            ("people", "0", "900"),
            ("usual_people", "0", "300"),
            ("capacity_ratio", "0", "0.45"),
            ("outflow_people", "0", "60"),
            ("surge", "0", "1"),
            ("counted", "0", "1"),
        ] {
            for (label, value) in [(name.clone(), first), (format!("{name} #1"), second)] {
                let line = format!("nanming_crowd_{what}{{venue=\"{label}\"}} {value}");
                assert!(text.lines().any(|l| l == line), "{line}");
            }
        }
        assert!(text.contains("nanming_crowd_surges_total 1\n"));
    }
}
