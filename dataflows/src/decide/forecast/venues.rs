//! Forecast of people at venues 5 to 60 min ahead: the forecasters of links, of counts in place of speeds.
//!
//! How many people there are at a venue is folded to a mean over five minutes; venues learn together. Knows nothing about
//! surges: those who leave one are foretold by `crowd`.

use serde::{Deserialize, Serialize};

use super::features::Outside;
use super::panel::{Ahead, Learned, Settings};
use super::{LEADS_MIN, STEP_MS, TOGETHER};
use crate::Time;
use crate::decision::{CrowdState, VenueForecast, VenueLead};
use crate::ids::VenueId;
use crate::keyed::{Key, Kind, Machine, Outbox, spread};
use crate::network::City;

/// Until so many intervals were learned from, two days, it is told that all stays as it is: that is nearer than what is made of one
/// day.
const TAUGHT: u64 = 576;

/// Venues that learn together: all of a city, or a part of very many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct VenueGroup(pub u32);

impl Key for VenueGroup {
    fn route(&self) -> u64 {
        spread(u64::from(self.0))
    }
}

/// How many people there are at a venue from now on. Ordered by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PeopleNow {
    /// When, ms.
    pub time_ms: u64,
    /// Where.
    pub venue: VenueId,
    /// How many; none where nobody counts.
    pub people: Option<u32>,
}

/// What a state tells its group.
pub fn people_now(state: &CrowdState) -> (VenueGroup, PeopleNow) {
    let group = VenueGroup((state.venue.index() / TOGETHER) as u32);
    let people = state.observed.then_some(state.people);
    (group, PeopleNow { time_ms: state.time_ms, venue: state.venue, people })
}

/// The machine of venues' forecasts.
pub struct VenueForecasts {
    venues: usize,
    settings: Settings,
}

/// What is remembered of a group.
#[derive(Default, Serialize, Deserialize)]
pub struct Group {
    learned: Learned,
    venues: Vec<Counted>,
    /// Intervals learned from.
    intervals: u64,
    /// When the interval that runs ends, ms; 0 before the first.
    ends_ms: Time,
}

/// What was counted at a venue in the interval that runs.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Counted {
    people: Option<u32>,
    since_ms: Time,
    /// People times ms, and ms.
    people_ms: u64,
    counted_ms: u64,
}

impl VenueForecasts {
    /// For the venues of a city.
    pub fn new(city: &City) -> Self {
        let settings = Settings::of(city, None, false);
        VenueForecasts { venues: city.venues.len(), settings }
    }

    fn first(id: VenueGroup) -> usize {
        id.0 as usize * TOGETHER
    }
}

impl Machine for VenueForecasts {
    type Key = VenueGroup;
    type Event = PeopleNow;
    type State = Group;
    type Out = VenueForecast;

    fn kind(&self) -> Kind {
        Kind::Learned
    }

    fn name(&self) -> &'static str {
        "venue_forecasts"
    }

    fn step(
        &self,
        id: VenueGroup,
        group: &mut Group,
        tick: Time,
        events: &[(VenueGroup, PeopleNow)],
        out: &mut Outbox<VenueForecast>,
    ) {
        let first = Self::first(id);
        group.venues.resize(self.venues.saturating_sub(first).min(TOGETHER), Counted::default());
        // After a gap in ticks nobody knows how many there were meanwhile.
        if group.ends_ms == 0 || tick >= group.ends_ms + STEP_MS || group.ends_ms > tick + STEP_MS {
            group.venues.fill(Counted::default());
            group.ends_ms = (tick / STEP_MS + 1) * STEP_MS;
        }
        let (before, since) = events.split_at(events.partition_point(|(_, now)| now.time_ms < group.ends_ms));
        before.iter().for_each(|(_, now)| group.take(first, now));
        if tick >= group.ends_ms {
            self.forecast(first, group, tick, out);
            group.ends_ms += STEP_MS;
        }
        since.iter().for_each(|(_, now)| group.take(first, now));
        out.wake_at(group.ends_ms);
    }
}

impl VenueForecasts {
    fn forecast(&self, first: usize, group: &mut Group, tick: Time, out: &mut Outbox<VenueForecast>) {
        let ends_ms = group.ends_ms;
        let values: Vec<Option<f32>> = group.venues.iter_mut().map(|venue| venue.mean(ends_ms)).collect();
        let near = vec![Vec::new(); values.len()];
        let outside = vec![Outside::default(); values.len()];
        let ahead = group.learned.step(&self.settings, &near, ends_ms - STEP_MS, &values, &outside);
        group.intervals += 1;
        let taught = group.intervals > TAUGHT;
        for (row, (value, ahead)) in values.iter().zip(ahead.chunks(LEADS_MIN.len())).enumerate() {
            if let Some(now) = value {
                let told = |(lead_min, ahead): (&u16, &Ahead)| {
                    lead(*lead_min, if taught { ahead.expected } else { *now }, ahead)
                };
                let leads = LEADS_MIN.iter().zip(ahead).map(told).collect();
                out.emit(VenueForecast { venue: VenueId::from_index(first + row), time_ms: tick, leads });
            }
        }
    }
}

fn lead(lead_min: u16, expected: f32, ahead: &Ahead) -> VenueLead {
    let people = |value: f32| value.max(0.0).round() as u32;
    let expected = people(expected);
    VenueLead {
        lead_min,
        people: expected,
        low: people(ahead.low80).min(expected),
        high: people(ahead.high80).max(expected),
    }
}

impl Group {
    fn take(&mut self, first: usize, now: &PeopleNow) {
        if let Some(venue) = now.venue.index().checked_sub(first).and_then(|row| self.venues.get_mut(row)) {
            venue.count_until(now.time_ms);
            venue.people = now.people;
        }
    }
}

impl Counted {
    fn count_until(&mut self, time_ms: Time) {
        let passed_ms = time_ms.saturating_sub(self.since_ms);
        if let Some(people) = self.people {
            self.people_ms += u64::from(people) * passed_ms;
            self.counted_ms += passed_ms;
        }
        self.since_ms = self.since_ms.max(time_ms);
    }

    /// The mean of the interval that ends; the next one begins. None when nobody counted in it.
    fn mean(&mut self, ends_ms: Time) -> Option<f32> {
        self.count_until(ends_ms);
        let (people_ms, counted_ms) = (std::mem::take(&mut self.people_ms), std::mem::take(&mut self.counted_ms));
        (counted_ms > 0).then(|| (people_ms as f64 / counted_ms as f64) as f32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::LinkId;
    use crate::network::{Point, Venue};

    const MIN_MS: u64 = 60_000;
    /// A Monday.
    const MONDAY_MS: u64 = 4 * 86_400_000;
    const ALL: VenueGroup = VenueGroup(0);

    fn city(venues: u32) -> City {
        let venue = |row| Venue {
            id: VenueId(row),
            name: String::new(),
            at: Point { x_mm: 0, y_mm: 0 },
            link: LinkId(0),
            capacity: 10_000,
        };
        City { venues: (0..venues).map(venue).collect(), ..City::default() }
    }

    fn state(venue: u32, time_ms: u64, people: Option<u32>) -> CrowdState {
        CrowdState {
            venue: VenueId(venue),
            time_ms,
            people: people.unwrap_or(0),
            usual: 0,
            capacity_share_milli: 0,
            surge: false,
            outflow: Default::default(),
            observed: people.is_some(),
        }
    }

    fn step(machine: &VenueForecasts, group: &mut Group, tick: u64, states: &[CrowdState]) -> Vec<VenueForecast> {
        let mut events: Vec<_> = states.iter().map(people_now).collect();
        events.sort_unstable();
        let mut out = Outbox::new();
        machine.step(ALL, group, tick, &events, &mut out);
        out.said()
    }

    /// People at a minute: few at night, many in the afternoon, each day a little different.
    fn people(minute: u64) -> u32 {
        let hour = (minute % 1_440) as f64 / 60.0;
        let day = 1.0 + 0.05 * ((minute / 1_440) as f64 * 2.1).sin();
        let jitter = ((minute * 7_919) % 41) as f64 - 20.0;
        (300.0 + 3_000.0 * day * (1.0 - ((hour - 15.0) / 5.0).powi(2)).max(0.0) + jitter) as u32
    }

    #[test]
    fn a_venue_with_a_daily_rhythm_is_forecast_better_than_by_its_last_value() {
        let (machine, mut group) = (VenueForecasts::new(&city(1)), Group::default());
        let mean = |from: u64| (from..from + 5).map(people).sum::<u32>() as f64 / 5.0;
        let (mut told, mut last, mut inside, mut count) = (0.0, 0.0, 0, 0);
        for minute in 0..9 * 1_440 {
            let tick = MONDAY_MS + minute * MIN_MS;
            let said = step(&machine, &mut group, tick, &[state(0, tick, Some(people(minute)))]);
            assert_eq!(said.len(), usize::from(minute > 0 && minute % 5 == 0), "{minute}");
            let Some(forecast) = said.first().filter(|_| minute >= 8 * 1_440) else { continue };
            assert_eq!((forecast.time_ms, forecast.leads.len()), (tick, LEADS_MIN.len()));
            let lead = &forecast.leads[5];
            assert!(lead.lead_min == 30 && lead.low <= lead.people && lead.people <= lead.high);
            let truth = mean(minute - 5 + 30);
            told += (f64::from(lead.people) - truth).abs();
            last += (mean(minute - 5) - truth).abs();
            inside += u32::from(f64::from(lead.low) <= truth && truth <= f64::from(lead.high));
            count += 1;
        }
        assert!(told < 0.7 * last, "off by {} in place of {}", told / f64::from(count), last / f64::from(count));
        assert!(inside * 10 > count * 6, "{inside} of {count} in the 80 % interval");
    }

    #[test]
    fn a_mean_is_of_what_was_counted_and_for_how_long() {
        let mut group = Group { venues: vec![Counted::default()], ..Group::default() };
        let mut take = |time_ms, people| {
            group.take(0, &PeopleNow { time_ms, venue: VenueId(0), people });
        };
        take(0, Some(100));
        take(60_000, Some(200));
        assert_eq!(group.venues[0].mean(STEP_MS), Some(180.0), "a minute of 100 and four of 200");
        group.take(0, &PeopleNow { time_ms: 330_000, venue: VenueId(0), people: None });
        assert_eq!(group.venues[0].mean(2 * STEP_MS), Some(200.0));
        assert_eq!(group.venues[0].mean(3 * STEP_MS), None);
    }

    #[test]
    fn venues_are_told_of_while_they_are_counted_and_not_after_a_gap() {
        let (machine, mut group) = (VenueForecasts::new(&city(3)), Group::default());
        let at = |seconds: u64| MONDAY_MS + seconds * 1_000;
        step(&machine, &mut group, at(0), &[state(0, at(0), Some(100)), state(1, at(0), Some(50))]);
        step(&machine, &mut group, at(60), &[state(0, at(60), Some(200)), state(1, at(60), None)]);
        let said = step(&machine, &mut group, at(301), &[state(0, at(300), Some(9_000))]);
        let venues: Vec<_> = said.iter().map(|forecast| (forecast.venue.0, forecast.time_ms)).collect();
        assert_eq!(venues, [(0, at(301)), (1, at(301))], "nobody counts at the third");
        let people = |of: &VenueForecast| of.leads.iter().map(|lead| lead.people).collect::<Vec<_>>();
        assert_eq!((people(&said[0]), people(&said[1])), (vec![180; 12], vec![50; 12]), "on the first day all stays");
        let said = step(&machine, &mut group, at(600), &[]);
        assert_eq!(said.iter().map(|forecast| forecast.venue.0).collect::<Vec<_>>(), [0]);
        assert!(step(&machine, &mut group, at(7_200), &[]).is_empty(), "after a gap");
        assert!(step(&machine, &mut group, at(7_500), &[]).is_empty(), "until they are counted again");
    }

    #[test]
    fn what_was_learned_is_there_after_a_restart() {
        let (machine, mut group) = (VenueForecasts::new(&city(2)), Group::default());
        let minute = |group: &mut Group, minute: u64| {
            let tick = MONDAY_MS + minute * MIN_MS;
            step(&machine, group, tick, &[0, 1].map(|venue| state(venue, tick, Some(people(minute) + 90 * venue))))
        };
        (0..400).for_each(|n| drop(minute(&mut group, n)));
        group.intervals = TAUGHT;
        let mut restarted: Group = postcard::from_bytes(&postcard::to_stdvec(&group).unwrap()).unwrap();
        (400..460).for_each(|n| assert_eq!(minute(&mut restarted, n), minute(&mut group, n)));
    }
}
