use proptest::prelude::*;

use super::*;
use crate::decide::dispatch::tests::streets;
use crate::decision::EndReason;
use crate::event::{CallChange, CallEvent, CallFacts, Category, Needs, Priority};
use crate::ids::{CallId, DistrictId};
use crate::network::{Grid, Unit};

const KM: i32 = 1_000_000;
const MINUTE_MS: u64 = 60_000;

fn at_km(km: i32) -> Point {
    Point { x_mm: km * KM, y_mm: 0 }
}

/// A street of 30 km at 10 m/s, in three grids whose middles are 10 km, 1000 s, apart; four units, all of one region.
fn city() -> City {
    let mut city = streets(&[0, 5, 15, 25, 30].map(at_km));
    let (district, region) = (DistrictId(0), RegionId(0));
    for row in 0..3 {
        let corner = |x_km: i32, y_km: i32| Point { x_mm: x_km * KM, y_mm: y_km * KM };
        let (min, max) = (corner(10 * row, -1), corner(10 * row + 10, 1));
        city.grids.push(Grid { id: GridId(row as u16), name: String::new(), min, max, district, region });
    }
    for row in 0..4 {
        let (id, grid, post, shift_min) = (UnitId(row), GridId(0), at_km(5), (0, 0));
        let (name, skills) = (String::new(), crate::event::Skills::NONE);
        city.units.push(Unit { id, name, grid, region, post, shift_min, skills });
    }
    city
}

/// The rules, with a drive to the next grid allowed.
fn rules() -> Rules {
    Rules { most_drive_ms: 1_200_000, ..Rules::default() }
}

/// The region's machine.
struct Test {
    covers: Covers,
    now: RegionNow,
    tick: Time,
}

impl Test {
    fn new(demand: [u64; 3]) -> Test {
        let covers = Covers { rules: rules(), ..Covers::new(Arc::new(city())) };
        let mut test = Test { covers, now: RegionNow::default(), tick: 0 };
        test.step(0, &[CoverNews::Demand(demand.to_vec())]);
        test
    }

    /// So long later it hears this; what it says of the region, if anything.
    fn step(&mut self, later_ms: u64, news: &[CoverNews]) -> Option<CoverState> {
        self.tick += later_ms;
        let event = |what: &CoverNews| (RegionId(0), CoverEvent { time_ms: self.tick, what: what.clone() });
        let mut events: Vec<_> = news.iter().map(event).collect();
        events.sort();
        let mut out = Outbox::new();
        self.covers.step(RegionId(0), &mut self.now, self.tick, &events, &mut out);
        out.said().pop()
    }

    /// A minute later.
    fn advised(&mut self, news: &[CoverNews]) -> Vec<(u32, u16)> {
        let state = self.step(MINUTE_MS, news).unwrap();
        state.advice.iter().map(|advice| (advice.unit.0, advice.to.0)).collect()
    }
}

fn here(unit: u32, km: i32) -> CoverNews {
    CoverNews::UnitHere(UnitId(unit), UnitPlace { at: at_km(km), available: true })
}

fn assignment(call: u64) -> AssignmentId {
    AssignmentId { call: CallId(call), attempt: 1 }
}

fn engaged(unit: u32, call: u64) -> CoverNews {
    CoverNews::Engaged(UnitId(unit), assignment(call))
}

fn free(unit: u32, call: u64) -> CoverNews {
    CoverNews::Free(UnitId(unit), assignment(call))
}

#[test]
fn one_unit_goes_where_most_is_expected_and_it_is_said_what_that_gains() {
    let mut test = Test::new([100, 300, 0]);
    let state = test.step(MINUTE_MS, &[here(0, 2)]).unwrap();
    assert_eq!((state.covered_ppm, state.busy_ppm, state.idle_units), (250_000, 0, 1));
    let said = state.advice[0];
    assert_eq!((said.unit, said.from, said.to, said.at), (UnitId(0), GridId(0), GridId(1), at_km(15)));
    assert_eq!((said.drive_ms, said.gain_ppm), (1_000_000, 500_000), "a quarter is left, three are reached");
    assert_eq!(test.advised(&[here(0, 12)]), [], "it is there");
    assert_eq!(Test::new([300, 100, 0]).advised(&[here(0, 2)]), [], "it is there already");
}

#[test]
fn two_units_do_not_both_go() {
    let mut test = Test::new([100, 300, 0]);
    assert_eq!(test.advised(&[here(0, 2), here(1, 3)]), [(0, 1)]);
    assert_eq!(test.advised(&[]), [(0, 1)], "the second one stays while the first is on its way");
}

#[test]
fn where_units_are_busy_a_second_one_is_wanted_where_most_is_expected() {
    let demand = [1, 1_000, 150];
    let mut test = Test::new(demand);
    assert_eq!(test.advised(&[here(0, 15), here(1, 15)]), [(0, 2)], "nobody is busy: one is enough there");
    // Two of four are engaged: the second unit in the middle adds a quarter of 1000, more than half of 150.
    let mut test = Test::new(demand);
    let news = [here(0, 15), here(1, 15), here(2, 15), here(3, 15), engaged(2, 8), engaged(3, 9)];
    assert_eq!(test.advised(&news), []);
}

#[test]
fn nobody_is_sent_to_wait_where_most_units_are_engaged() {
    let mut test = Test::new([100, 300, 0]);
    let news = [here(0, 2), here(1, 2), here(2, 2), engaged(1, 8), engaged(2, 9)];
    assert_eq!(test.advised(&news), []);
}

#[test]
fn advice_is_withdrawn_at_once_when_its_unit_is_engaged_and_it_is_left_in_peace_afterwards() {
    let mut test = Test::new([100, 300, 0]);
    assert_eq!(test.advised(&[here(0, 2)]), [(0, 1)]);
    let state = test.step(1_000, &[engaged(0, 9)]).unwrap();
    assert_eq!((state.advice.len(), state.idle_units, state.covered_ppm), (0, 0, 0));
    assert_eq!(test.advised(&[free(0, 8)]), [], "of another assignment");
    assert_eq!(test.advised(&[free(0, 9)]), [], "it is left in peace");
    test.tick += rules().rest_ms;
    assert_eq!(test.advised(&[]), [(0, 1)]);
}

#[test]
fn who_does_not_go_is_not_pressed() {
    let mut test = Test::new([100, 300, 0]);
    let said = test.step(MINUTE_MS, &[here(0, 2)]).unwrap().advice[0];
    test.tick = said.until_ms - 2 * MINUTE_MS;
    assert_eq!(test.advised(&[]), [(0, 1)]);
    assert_eq!(test.advised(&[]), []);
}

#[test]
fn advice_that_gains_nothing_any_more_is_withdrawn() {
    let mut test = Test::new([100, 300, 0]);
    assert_eq!(test.advised(&[here(0, 2)]), [(0, 1)]);
    assert_eq!(test.advised(&[CoverNews::Demand(vec![400, 300, 0])]), []);
}

#[test]
fn nothing_is_said_of_a_region_without_units() {
    let mut test = Test::new([1, 1, 1]);
    assert_eq!(test.step(MINUTE_MS, &[]), None);
    assert!(test.step(MINUTE_MS, &[here(0, 2)]).is_some());
    let left = test.step(MINUTE_MS, &[CoverNews::UnitGone(UnitId(0))]).unwrap();
    assert_eq!((left.idle_units, left.covered_ppm), (0, 0));
    assert_eq!(test.step(MINUTE_MS, &[]), None);
}

#[test]
fn an_assignment_engages_its_unit_until_it_ends() {
    let status = |phase| AssignmentStatus { id: assignment(9), seq: 1, unit: UnitId(0), time_ms: 0, phase };
    assert_eq!(CoverNews::of(&status(AssignmentPhase::Assigned)), engaged(0, 9));
    assert_eq!(CoverNews::of(&status(AssignmentPhase::Arrived)), engaged(0, 9));
    assert_eq!(CoverNews::of(&status(AssignmentPhase::Ended(EndReason::Done))), free(0, 9));
}

#[test]
fn demand_is_of_calls_that_units_come_to() {
    let city = Arc::new(city());
    let facts =
        |category| CallFacts { priority: Priority::A, category, at: at_km(15), grid: GridId(1), needs: Needs::ONE };
    let said = |change| raised(&city, &CallEvent { time_ms: 5, call: CallId(1), change });
    let opened = said(CallChange::Opened(facts(Category::Crime))).unwrap();
    assert_eq!(said(CallChange::Opened(facts(Category::Community))), None);
    assert_eq!(said(CallChange::Updated(facts(Category::Crime))), None, "it was counted when it was raised");
    let (demands, mut rates, mut out) = (Demands::new(&city), CallRates::default(), Outbox::new());
    demands.step(RegionId(0), &mut rates, MINUTE_MS, &[opened], &mut out);
    assert_eq!(out.due(), Some(2 * MINUTE_MS));
    let expected = out.said().pop().unwrap().demand;
    assert!(expected[1] > expected[0] && expected[0] == expected[2], "{expected:?}");
}

proptest! {
    #[test]
    fn only_units_at_hand_are_advised_and_each_gains(
        places in prop::collection::vec((0..4_u32, 0..30), 1..12),
        busy in prop::collection::vec(0..4_u32, 0..4),
        demand in prop::array::uniform3(0..1_000_u64),
    ) {
        let run = || {
            let mut test = Test::new(demand);
            let mut news: Vec<CoverNews> = busy.iter().map(|unit| engaged(*unit, u64::from(*unit))).collect();
            let mut said = Vec::new();
            for (unit, km) in &places {
                news.push(here(*unit, *km));
                said.extend(test.step(MINUTE_MS, &std::mem::take(&mut news)));
            }
            said
        };
        let said = run();
        prop_assert_eq!(&said, &run());
        for state in &said {
            for advice in &state.advice {
                prop_assert!(!busy.contains(&advice.unit.0));
                prop_assert!(advice.gain_ppm > 0 && advice.from != advice.to);
                prop_assert!(advice.until_ms > state.time_ms && advice.gain_ppm <= 1_000_000);
            }
        }
    }
}
