//! Days at a venue that holds 10,000, minute by minute.

use super::*;
use crate::decide::dispatch::tests::streets;
use crate::event::{CrowdCount, GateCount};
use crate::ids::LinkId;
use crate::keyed::{Vault, keyed};
use crate::network::{Camera, CameraKind, Point, Venue as Place};
use crate::observe::observe;

mod egress;

const VENUE: VenueId = VenueId(0);
const DAY_MIN: u64 = 1_440;
/// A Monday.
const MONDAY_MS: u64 = 4 * 86_400_000;

/// A city with a venue that two cameras watch.
fn city() -> City {
    let at = Point { x_mm: 0, y_mm: 0 };
    let mut city = streets(&[at, Point { x_mm: 500_000, ..at }]);
    city.venues.push(Place { id: VENUE, name: "hall".into(), at, link: LinkId(0), capacity: 10_000 });
    let (kind, venue) = (CameraKind::Crowd, Some(VENUE));
    let camera = |row| Camera { id: CameraId(row), name: String::new(), kind, at, lane: None, venue, site: None };
    city.cameras.extend((0..2).map(camera));
    city
}

/// A venue at a minute.
struct Hall {
    machine: Crowds,
    venue: Venue,
    minute: u64,
    last: Option<CrowdState>,
}

impl Hall {
    fn new() -> Hall {
        Hall { machine: Crowds::new(Arc::new(city())), venue: Venue::default(), minute: 0, last: None }
    }

    /// The next minute, with what is counted in it.
    fn minute(&mut self, counted: &[Counted]) -> CrowdState {
        let time_ms = MONDAY_MS + self.minute * LOOK_MS;
        let mut events: Vec<_> = counted.iter().map(|what| (VENUE, CrowdEvent { time_ms, what: *what })).collect();
        events.sort();
        let mut out = Outbox::new();
        self.machine.step(VENUE, &mut self.venue, time_ms, &events, &mut out);
        self.minute += 1;
        self.last = out.said().pop().or(self.last.take());
        self.last.clone().unwrap()
    }

    fn seen(&mut self, people: u32) -> CrowdState {
        self.minute(&[Counted::InView(CameraId(0), people)])
    }

    /// Goes on until a minute of a day, with as many people as are usual; whether there was a surge.
    fn ordinary_until(&mut self, day: u64, minute: u64) -> bool {
        let mut surge = false;
        while self.minute < day * DAY_MIN + minute {
            surge |= self.seen(usual(self.minute)).surge;
        }
        surge
    }
}

/// People on a usual day: most of them, 3500, in the middle of the afternoon; more on some days than on others, and counted
/// with errors.
fn usual(minute: u64) -> u32 {
    let (day, hour_10) = (minute / DAY_MIN, (minute % DAY_MIN) as i64 / 6);
    let curve = 100 + (3_400 - (hour_10 - 150).pow(2) * 3_400 / 3_600).max(0);
    let percent = 95 + (day * 7 % 11) as i64 + (minute * 13 % 9) as i64 - 4;
    (curve * percent / 100) as u32
}

#[test]
fn a_venue_is_told_at_once_and_each_minute_when_it_changed() {
    let from = MONDAY_MS + 59_990;
    let crowd = |time_ms, camera, people| Event::Crowd(CrowdCount { time_ms, camera: CameraId(camera), people });
    let gate = |time_ms, left| Event::Gate(GateCount { time_ms, venue: VENUE, interval_ms: 60_000, entered: 0, left });
    let events = vec![
        (from + 1, crowd(from + 1, 0, 900)),
        (from + 2, crowd(from + 2, 1, 600)),
        (from + 11, gate(from + 10, 500)),
        (from + 60_009, crowd(from + 60_000, 0, 9_000)),
    ];
    let seen = observe(from..=from + 120_020, move |scope, ticks| {
        let city = Arc::new(city());
        let venues = Arc::clone(&city);
        let events = scope.given(events.into_iter().filter_map(|(at, e)| Some((at, counted(&venues, &e)?))).collect());
        keyed(events, ticks, Crowds::new(city), &Vault::default())
    });
    let state = |time_ms, people| CrowdState {
        venue: VENUE,
        time_ms,
        people,
        usual: 0,
        capacity_share_milli: people / 10,
        surge: false,
        outflow: [0; OUTFLOWS],
        observed: true,
    };
    let minute = MONDAY_MS + 60_000;
    // The gates begin with the 1500 in view, less 500; then their balance is drawn to what the cameras see.
    let expected = [(from + 1, 900), (minute, 1_500), (minute + 60_000, 2_075), (minute + 120_000, 3_015)];
    assert_eq!(seen, expected.map(|(time_ms, people)| state(time_ms, people)));
}

#[test]
fn a_usual_peak_is_no_surge_and_more_than_usual_is_one_within_minutes() {
    let mut hall = Hall::new();
    assert!(!hall.ordinary_until(4, 15 * 60), "a usual day, the first as the others");
    let now = hall.last.clone().unwrap();
    assert!((3_200..3_800).contains(&now.usual), "{now:?}");
    let began = (1..=10).find(|_| hall.seen(6_500).surge);
    assert!(began.is_some_and(|minutes| (2..=5).contains(&minutes)), "{began:?}");
    (0..20).for_each(|_| assert!(hall.seen(6_500).surge, "it lasts"));
    let ended = (1..=30).find(|_| !hall.seen(3_500).surge);
    assert_eq!(ended, Some(10), "and is over when it has been calm for ten minutes");
    assert!(!hall.ordinary_until(5, 0));
}

#[test]
fn one_wrong_count_or_a_few_people_more_are_no_surge() {
    let mut hall = Hall::new();
    hall.ordinary_until(2, 3 * 60);
    assert!(!hall.seen(7_900).surge, "one count");
    assert!(!hall.ordinary_until(2, 4 * 60));
    (0..60)
        .for_each(|_| assert!(!hall.seen(1_400).surge, "many more than the usual 100, and the hall is all but empty"));
}

#[test]
fn on_the_first_day_only_a_full_venue_has_a_surge() {
    let mut hall = Hall::new();
    hall.ordinary_until(0, 600);
    (0..60).for_each(|_| assert!(!hall.seen(7_900).surge));
    assert!(hall.seen(8_000).surge);
    assert!(hall.seen(3_100).surge);
    assert_eq!((1..=30).find(|_| !hall.seen(2_000).surge), Some(10));
}

#[test]
fn a_weekend_that_was_not_seen_is_taken_to_be_as_other_days() {
    let mut hall = Hall::new();
    assert!(!hall.ordinary_until(5, 15 * 60), "until Saturday afternoon");
    assert!((3_200..3_800).contains(&hall.last.clone().unwrap().usual));
    assert!((0..15).all(|_| !hall.seen(5_500).surge), "on a day that is known it would be one");
    assert!(!hall.ordinary_until(5, 15 * 60 + 30));
    assert!((0..30).any(|_| hall.seen(7_900).surge));
}

#[test]
fn weekends_are_not_learned_from_working_days_once_they_were_seen() {
    let mut hall = Hall::new();
    hall.ordinary_until(5, 0);
    while hall.minute < 7 * DAY_MIN {
        hall.seen(300);
    }
    hall.ordinary_until(7, 15 * 60);
    assert!((3_200..3_800).contains(&hall.last.clone().unwrap().usual), "Monday");
    hall.ordinary_until(12, 0);
    while hall.minute < 12 * DAY_MIN + 15 * 60 {
        hall.seen(300);
    }
    assert!((280..1_000).contains(&hall.last.clone().unwrap().usual), "Saturday: {:?}", hall.last);
}

#[test]
fn a_holiday_is_as_days_off_are_and_a_week_end_that_is_made_up_for_is_not() {
    let mut city = city();
    (city.holidays, city.working_weekends) = (vec![18], vec![16]);
    let mut hall = Hall { machine: Crowds::new(Arc::new(city)), ..Hall::new() };
    hall.ordinary_until(5, 0);
    while hall.minute < 7 * DAY_MIN {
        hall.seen(300);
    }
    hall.ordinary_until(12, 15 * 60);
    assert!((3_200..3_800).contains(&hall.last.clone().unwrap().usual), "a Saturday: {:?}", hall.last);
    hall.ordinary_until(13, 0);
    while hall.minute < 14 * DAY_MIN + 15 * 60 {
        hall.seen(300);
    }
    assert!((280..1_000).contains(&hall.last.clone().unwrap().usual), "a Monday: {:?}", hall.last);
}

#[test]
fn a_look_is_of_its_minute_however_late_the_tick_comes() {
    let mut hall = Hall::new();
    let mut told = |after_ms: u64, people| {
        let time_ms = MONDAY_MS + after_ms;
        let event = CrowdEvent { time_ms, what: Counted::InView(CameraId(0), people) };
        let mut out = Outbox::new();
        hall.machine.step(VENUE, &mut hall.venue, time_ms, &[(VENUE, event)], &mut out);
        out.said().iter().map(|state| (state.time_ms - MONDAY_MS, state.people)).collect::<Vec<_>>()
    };
    assert_eq!(told(30_000, 500), [(30_000, 500)]);
    assert_eq!(told(59_999, 600), []);
    assert_eq!(told(61_234, 700), [(60_000, 700)]);
    assert_eq!(told(119_999, 800), []);
}

#[test]
fn others_stand_for_a_camera_that_is_silent_until_all_are() {
    let (mut hall, [a, b]) = (Hall::new(), [CameraId(0), CameraId(1)]);
    (0..5).for_each(|_| assert!(hall.minute(&[Counted::InView(a, 600), Counted::InView(b, 200)]).people <= 800));
    (0..10).for_each(|_| assert_eq!(hall.minute(&[Counted::InView(a, 600)]).people, 800));
    assert_eq!(hall.minute(&[Counted::InView(a, 300)]).people, 400);
    (0..5).for_each(|_| assert!(hall.minute(&[]).observed));
    let lost = hall.minute(&[]);
    assert_eq!((lost.observed, lost.people, lost.surge, lost.outflow), (false, 400, false, [0; OUTFLOWS]));
    assert!(hall.minute(&[Counted::InView(b, 300)]).observed, "and is seen again at once");
}

#[test]
fn gates_alone_tell_who_is_there_and_what_they_missed_is_gone_by_morning() {
    let mut hall = Hall::new();
    hall.minute = 20 * 60;
    for _ in 0..100 {
        hall.minute(&[Counted::AtGates(50, 10)]);
    }
    assert_eq!(hall.last.clone().unwrap().people, 4_000);
    for _ in 0..100 {
        hall.minute(&[Counted::AtGates(0, 37)]);
    }
    assert_eq!(hall.last.clone().unwrap().people, 300);
    while hall.minute < DAY_MIN + 120 {
        assert_eq!(hall.minute(&[Counted::AtGates(0, 0)]).people, 300);
    }
    while hall.minute < DAY_MIN + 300 {
        hall.minute(&[Counted::AtGates(0, 0)]);
    }
    assert_eq!(hall.last.clone().unwrap().people, 0);
    assert_eq!(hall.minute(&[Counted::AtGates(0, 5)]).people, 0, "nobody leaves an empty hall");
}

#[test]
fn what_gates_miscount_is_corrected_by_cameras() {
    let mut hall = Hall::new();
    for _ in 0..600 {
        // Two in a hundred leave unseen.
        let state = hall.minute(&[Counted::InView(CameraId(0), 2_000), Counted::AtGates(100, 98)]);
        assert!((1_950..=2_050).contains(&state.people), "{state:?}");
    }
}

#[test]
fn what_was_learned_is_there_after_a_restart() {
    let mut hall = Hall::new();
    hall.ordinary_until(3, 15 * 60);
    let bytes = postcard::to_stdvec(&hall.venue).unwrap();
    assert!(bytes.len() < 4_096, "{} bytes", bytes.len());
    let venue = postcard::from_bytes(&bytes).unwrap();
    let mut restarted = Hall { venue, last: hall.last.clone(), ..Hall::new() };
    restarted.minute = hall.minute;
    for people in [6_500; 20].into_iter().chain([3_500; 20]) {
        assert_eq!(restarted.seen(people), hall.seen(people));
    }
}
