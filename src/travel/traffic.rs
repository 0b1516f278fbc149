//! The traffic on all links now and for the hour ahead: what a trip is driven through.

use nanming_dataflows::decide::forecast::CONGESTED_SHARE;
use nanming_dataflows::decision::{LevelOfService, LinkForecast, LinkState};
use nanming_dataflows::network::Link;
use nanming_dataflows::state::link::level_of_service;

use super::drive::STEP_MS;

/// Now, and each 5 min of the hour ahead.
pub const KNOTS: usize = 13;

/// A link's traffic; row `k` of each table stands for `k` times 5 min from now.
#[derive(Clone, Debug, PartialEq)]
pub struct Outlook {
    /// Whether it was ever seen; if not it counts as free.
    pub seen: bool,
    /// Whether it has a forecast; if not the present goes on.
    pub foretold: bool,
    /// Expected speed, mm/s.
    pub speed_mm_s: [u32; KNOTS],
    /// Lower end of the 80 % interval, mm/s.
    pub low_mm_s: [u32; KNOTS],
    /// Upper end of the 80 % interval, mm/s.
    pub high_mm_s: [u32; KNOTS],
    /// Probability of congestion, 1/1000.
    pub congested_milli: [u16; KNOTS],
}

/// The traffic of the city.
#[derive(Clone, Debug, PartialEq)]
pub struct Traffic {
    /// As of when, ms.
    pub time_ms: u64,
    /// By link.
    pub links: Vec<Outlook>,
}

impl Traffic {
    /// Before anything was seen.
    #[cfg(test)]
    pub(super) fn unseen(city: &nanming_dataflows::network::City, time_ms: u64) -> Traffic {
        let links = city.links.iter().map(|link| Outlook::new(link, time_ms, None, None));
        Traffic { time_ms, links: links.collect() }
    }
}

impl Outlook {
    /// Of a link, from its state and its forecast.
    pub fn new(link: &Link, time_ms: u64, state: Option<&LinkState>, forecast: Option<&LinkForecast>) -> Outlook {
        let free = link.free_speed_mm_s;
        let leads = forecast.into_iter().flat_map(|f| f.leads.iter().map(move |lead| (f.time_ms, lead)));
        let leads = leads.map(|(made_ms, lead)| Knot {
            time_ms: made_ms + u64::from(lead.lead_min) * 60_000,
            values: [lead.speed_mm_s, lead.low_mm_s, lead.high_mm_s, u32::from(lead.congested_milli)],
        });
        let mut knots: Vec<Knot> = leads.filter(|knot| knot.time_ms > time_ms).collect();
        let foretold = !knots.is_empty();
        let now = state.map(|s| s.speed_mm_s).or(knots.first().map(|knot| knot.values[0])).unwrap_or(free);
        let congested = f64::from(now) < CONGESTED_SHARE * f64::from(free);
        knots.insert(0, Knot { time_ms, values: [now, now, now, if congested { 1000 } else { 0 }] });
        let rows: [[u32; 4]; KNOTS] = std::array::from_fn(|step| at(&knots, time_ms + step as u64 * STEP_MS));
        Outlook {
            seen: state.is_some(),
            foretold,
            speed_mm_s: rows.map(|row| row[0]),
            low_mm_s: rows.map(|row| row[1]),
            high_mm_s: rows.map(|row| row[2]),
            congested_milli: rows.map(|row| row[3] as u16),
        }
    }

    /// The level of service of a link now, or some steps of 5 min ahead; none where nothing is known.
    pub fn level(&self, link: &Link, step: usize) -> Option<LevelOfService> {
        self.is_known(step).then(|| level_of_service(self.speed_mm_s[step], link.free_speed_mm_s))
    }

    /// Whether something is known of it, now or some steps ahead.
    pub fn is_known(&self, step: usize) -> bool {
        if step == 0 { self.seen } else { self.foretold }
    }
}

/// Speeds and the risk at a time.
#[derive(Clone, Copy)]
struct Knot {
    time_ms: u64,
    /// Expected, low, high, mm/s; risk, 1/1000.
    values: [u32; 4],
}

/// Between two knots in proportion; after the last as there.
fn at(knots: &[Knot], time_ms: u64) -> [u32; 4] {
    let after = knots.partition_point(|knot| knot.time_ms < time_ms);
    let (Some(b), Some(a)) = (knots.get(after), knots.get(after.saturating_sub(1))) else {
        return knots[knots.len() - 1].values;
    };
    let (span, passed) = ((b.time_ms - a.time_ms).max(1), time_ms.saturating_sub(a.time_ms));
    std::array::from_fn(|row| {
        let (from, to) = (u64::from(a.values[row]), u64::from(b.values[row]));
        ((from * (span - passed.min(span)) + to * passed.min(span)) / span) as u32
    })
}

#[cfg(test)]
mod tests {
    use nanming_dataflows::decision::Lead;

    use super::*;

    #[test]
    fn leads_count_from_when_the_forecast_was_made_and_the_last_one_stays() {
        let city = nanming_simulators::town::small(2, 2, 1);
        let link = &city.links[0];
        let state = LinkState {
            link: link.id,
            time_ms: 0,
            flow_veh_h: 0,
            speed_mm_s: 10_000,
            density_milli_veh_km: 0,
            queue_milli_veh: 0,
            travel_ms: 0,
            level: LevelOfService::A,
            observed: true,
        };
        let lead = |lead_min, speed_mm_s| Lead {
            lead_min,
            speed_mm_s,
            low_mm_s: speed_mm_s - 1_000,
            high_mm_s: speed_mm_s + 1_000,
            flow_veh_h: 0,
            congested_milli: 250,
            onset: false,
        };
        let leads = (1..=12).map(|k| lead(5 * k, 10_000 - 500 * u32::from(k))).collect();
        let forecast = LinkForecast { link: link.id, time_ms: 940_000, leads };
        let seen = Outlook::new(link, 1_000_000, Some(&state), Some(&forecast));
        // 5 min from now lie 1 min after the first lead, a fifth of the way to the second.
        assert_eq!(seen.speed_mm_s[..3], [10_000, 9_400, 8_900]);
        assert_eq!((seen.speed_mm_s[12], seen.low_mm_s[12], seen.congested_milli[12]), (4_000, 3_000, 250));
        let unseen = Outlook::new(link, 1_000_000, None, None);
        assert_eq!((unseen.seen, unseen.foretold, unseen.speed_mm_s), (false, false, [link.free_speed_mm_s; KNOTS]));
        let only_seen = Outlook::new(link, 1_000_000, Some(&state), None);
        assert_eq!((only_seen.level(link, 0).is_some(), only_seen.level(link, 3)), (true, None));
        assert_eq!(only_seen.speed_mm_s, [10_000; KNOTS], "the present goes on");
        let stale = Outlook::new(link, 99_000_000, Some(&state), Some(&forecast));
        assert!(!stale.foretold, "a forecast whose hour is over tells nothing");
    }
}
