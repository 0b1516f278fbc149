//! Measures of forecasts: how many are made, and how good they were of late, by lead time.

use std::sync::{Mutex, PoisonError};

use nanming_dataflows::decide::forecast::LEADS_MIN;
use nanming_dataflows::decision::{Decisions, LeadRecord};
use prometheus::{Gauge, GaugeVec, IntCounter, IntGauge};

use super::make::Make;
use super::{last, named};
use crate::track_record::TrackRecord;

/// Measures of forecasts, by lead time where they are many. A share of nothing is no number (NaN).
pub struct ForecastMeasures {
    made: IntCounter,
    mae: Vec<Gauge>,
    coverage: GaugeVec,
    precision: Vec<Gauge>,
    recall: Vec<Gauge>,
    scored: Vec<Gauge>,
    told: Vec<Gauge>,
    hits: Vec<Gauge>,
    onsets: Vec<Gauge>,
    by_profile: Vec<IntGauge>,
    track: Mutex<TrackRecord>,
}

impl ForecastMeasures {
    pub(super) fn new(make: &Make) -> ForecastMeasures {
        let labels = LEADS_MIN.map(|lead_min| lead_min.to_string());
        let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
        let of_each = |name: &str, help: &str| last(make.gauges(name, help, "lead_min", named(&labels)));
        let measures = ForecastMeasures {
            made: make.counter("forecasts_total", "Forecasts made, one for a link each five minutes."),
            mae: of_each(
                "forecast_mae_ratio",
                "Mean absolute error of expected speeds over the last weeks, as a share of free-flow speed.",
            ),
            coverage: make.gauge_vec(
                "forecast_coverage_ratio",
                "Share of speeds that came within the interval told, over the last weeks: as its percentage is right.",
                &["lead_min", "interval"],
            ),
            precision: of_each(
                "forecast_onset_precision_ratio",
                "Share of the onsets of congestion told over the last weeks that came.",
            ),
            recall: of_each(
                "forecast_onset_recall_ratio",
                "Share of the onsets of congestion that came over the last weeks that were told.",
            ),
            scored: of_each("forecast_scored", "Forecasts whose truth has come; older ones count less."),
            told: of_each("forecast_onsets_told", "Onsets of congestion that were told; older ones count less."),
            hits: of_each("forecast_onsets_hit", "Told onsets of congestion that came; older ones count less."),
            onsets: of_each("forecast_onsets_came", "Onsets of congestion, told or not; older ones count less."),
            by_profile: last(make.int_gauges(
                "forecast_by_profile_links",
                "Links that are told what is usual, because that was the better forecast.",
                "lead_min",
                named(&labels),
            )),
            track: Mutex::default(),
        };
        LEADS_MIN.iter().enumerate().for_each(|(row, lead_min)| measures.set(row, &nothing(*lead_min)));
        measures
    }

    pub(super) fn decided(&self, decisions: &Decisions) {
        self.made.inc_by(decisions.forecasts.len() as u64);
        if decisions.forecast_records.is_empty() {
            return;
        }
        let mut track = self.track.lock().unwrap_or_else(PoisonError::into_inner);
        track.take(&decisions.forecast_records);
        for lead in track.city() {
            if let Some(row) = LEADS_MIN.iter().position(|lead_min| *lead_min == lead.lead_min) {
                self.set(row, &lead);
            }
        }
    }

    fn set(&self, row: usize, lead: &LeadRecord) {
        let share = |share: Option<f64>| share.unwrap_or(f64::NAN);
        self.mae[row].set(share(lead.mae()));
        for (interval, covered) in [("80", lead.coverage80()), ("95", lead.coverage95())] {
            self.coverage.with_label_values(&[&*lead.lead_min.to_string(), interval]).set(share(covered));
        }
        self.precision[row].set(share(lead.precision()));
        self.recall[row].set(share(lead.recall()));
        self.scored[row].set(lead.forecasts);
        self.told[row].set(lead.told);
        self.hits[row].set(lead.hits);
        self.onsets[row].set(lead.onsets);
        self.by_profile[row].set(i64::from(lead.by_profile));
    }
}

fn nothing(lead_min: u16) -> LeadRecord {
    LeadRecord { lead_min, ..LeadRecord::default() }
}

#[cfg(test)]
mod tests {
    use nanming_dataflows::decision::{ForecastRecord, LinkForecast};
    use nanming_dataflows::ids::LinkId;

    use super::super::Metrics;
    use super::*;

    fn lines(metrics: &Metrics, expected: &[(&str, &str)]) {
        let text = metrics.render();
        for (name, value) in expected {
            let line = format!("nanming_{name} {value}");
            assert!(text.lines().any(|l| l == line), "{line}");
        }
    }

    #[test]
    fn shares_are_of_the_newest_record_of_every_region_and_of_nothing_none() {
        let metrics = Metrics::new(&nanming_simulators::town::small(2, 2, 1));
        lines(
            &metrics,
            &[
                ("forecasts_total", "0"),
                ("forecast_scored{lead_min=\"60\"}", "0"),
                ("forecast_mae_ratio{lead_min=\"60\"}", "NaN"),
                ("forecast_coverage_ratio{interval=\"80\",lead_min=\"5\"}", "NaN"),
                ("forecast_onset_precision_ratio{lead_min=\"30\"}", "NaN"),
            ],
        );
        let lead = |forecasts: f64, told: f64| LeadRecord {
            lead_min: 30,
            forecasts,
            absolute: 10.0,
            within80: 75.0,
            within95: 96.0,
            told,
            hits: 3.0,
            onsets: 12.0,
            by_profile: 7,
        };
        let record =
            |region, forecasts, told| ForecastRecord { region, time_ms: 1, leads: vec![lead(forecasts, told)] };
        let made = LinkForecast { link: LinkId(0), time_ms: 1, leads: Vec::new() };
        let of = |records: Vec<ForecastRecord>| Decisions {
            forecasts: vec![made.clone()],
            forecast_records: records,
            ..Decisions::default()
        };
        metrics.decided(&of(vec![record(0, 900.0, 9.0), record(1, 100.0, 0.0)]));
        metrics.decided(&of(vec![record(0, 100.0, 8.0)]));
        lines(
            &metrics,
            &[
                ("forecasts_total", "2"),
                ("forecast_scored{lead_min=\"30\"}", "200"),
                ("forecast_mae_ratio{lead_min=\"30\"}", "0.1"),
                ("forecast_coverage_ratio{interval=\"80\",lead_min=\"30\"}", "0.75"),
                ("forecast_coverage_ratio{interval=\"95\",lead_min=\"30\"}", "0.96"),
                ("forecast_onset_precision_ratio{lead_min=\"30\"}", "0.75"),
                ("forecast_onset_recall_ratio{lead_min=\"30\"}", "0.25"),
                ("forecast_onsets_told{lead_min=\"30\"}", "8"),
                ("forecast_onsets_hit{lead_min=\"30\"}", "6"),
                ("forecast_onsets_came{lead_min=\"30\"}", "24"),
                ("forecast_by_profile_links{lead_min=\"30\"}", "14"),
                ("forecast_mae_ratio{lead_min=\"60\"}", "NaN"),
            ],
        );
    }
}
