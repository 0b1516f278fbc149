use super::*;
use crate::decide::signal::demand::Demand;
use crate::decide::signal::field::Field;
use crate::decide::signal::shares::Shares;

/// What is done at a crossing whose stage 0 has stood for 20 s: whether it is kept, and which stage comes next.
fn done(room: [f32; 2], arrivals: &[(u32, u32, u32)]) -> (bool, usize) {
    let field = Field::crossing(room);
    let demand = Demand::given(&field, arrivals);
    let shares = Shares::of_stages(&field, &demand);
    let outlook = Outlook::new(&field, &demand, &shares);
    let draft = Horizon::new(&outlook, &Timing::given(5, 60)).best(0, 20, true, |_| true);
    (draft.keep_s > 0, draft.next)
}

const ROOMY: [f32; 2] = [30.0, 30.0];

#[test]
fn green_begins_as_the_first_one_comes() {
    assert_eq!(done(ROOMY, &[(1, 4, 1)]), (false, 1), "yellow takes 3 s");
    assert!(done(ROOMY, &[(0, 1, 1), (1, 9, 1)]).0, "there is time for another one");
}

#[test]
fn a_platoon_is_not_cut_for_one_who_waits() {
    let platoon: Vec<(u32, u32, u32)> = (1..6).map(|second| (0, 2 * second, 1)).collect();
    assert!(done(ROOMY, &[&platoon[..], &[(1, 0, 1)]].concat()).0);
    assert_eq!(done(ROOMY, &[&platoon[4..], &[(1, 0, 9)]].concat()), (false, 1), "for nine it is");
}

#[test]
fn a_full_lane_is_not_fed() {
    let queues = [(0, 0, 6), (1, 0, 4)];
    assert!(done(ROOMY, &queues).0, "the longer queue goes on");
    assert_eq!(done([0.0, 30.0], &queues), (false, 1), "unless it has nowhere to go");
}

#[test]
fn what_a_draft_costs_is_the_time_that_vehicles_wait() {
    let field = Field::crossing(ROOMY);
    let demand = Demand::given(&field, &[(1, 0, 1)]);
    let shares = Shares::of_stages(&field, &demand);
    let outlook = Outlook::new(&field, &demand, &shares);
    let timing = Timing::given(5, 60);
    let horizon = Horizon::new(&outlook, &timing);
    let at_once = horizon.best(0, 20, true, |_| true).cost;
    // Three seconds of yellow; then half of it leaves in each second.
    assert!((3.0..5.0).contains(&at_once), "{at_once}");
}
