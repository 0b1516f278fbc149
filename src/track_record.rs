//! How good forecasts were of late: the newest record of each region, and their sums over the city.

use std::collections::BTreeMap;

use nanming_dataflows::decision::{ForecastRecord, LeadRecord};

/// The newest records. Sums do not depend on the order in which regions spoke.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrackRecord {
    regions: BTreeMap<u32, Vec<LeadRecord>>,
}

impl TrackRecord {
    /// Takes newer records in place of older ones.
    pub fn take(&mut self, records: &[ForecastRecord]) {
        for record in records {
            self.regions.insert(record.region, record.leads.clone());
        }
    }

    /// Of the whole city, by lead time; empty before the first record.
    pub fn city(&self) -> Vec<LeadRecord> {
        let mut sums = BTreeMap::<u16, LeadRecord>::new();
        for lead in self.regions.values().flatten() {
            let sum = sums.entry(lead.lead_min).or_default();
            *sum = sum.and(lead);
        }
        sums.into_values().collect()
    }

    /// Of one region, by lead time; empty before its first record.
    pub fn region(&self, region: u32) -> &[LeadRecord] {
        self.regions.get(&region).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(region: u32, time_ms: u64, forecasts: f64) -> ForecastRecord {
        let lead = |lead_min| LeadRecord { lead_min, forecasts, absolute: 0.1 * forecasts, ..LeadRecord::default() };
        ForecastRecord { region, time_ms, leads: vec![lead(5), lead(10)] }
    }

    #[test]
    fn the_newest_records_of_all_regions_are_summed_by_lead_time() {
        let mut track = TrackRecord::default();
        assert!(track.city().is_empty() && track.region(0).is_empty());
        track.take(&[record(0, 1, 10.0), record(1, 1, 30.0)]);
        track.take(&[record(0, 2, 50.0)]);
        let leads: Vec<(u16, f64)> = track.city().iter().map(|lead| (lead.lead_min, lead.forecasts)).collect();
        assert_eq!(leads, [(5, 80.0), (10, 80.0)]);
        assert_eq!(track.region(1)[0].forecasts, 30.0);
        assert!((track.city()[1].mae().unwrap() - 0.1).abs() < 1e-12);
        assert_eq!(track.city()[1].precision(), None, "none was told");
    }
}
