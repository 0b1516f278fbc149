use nanming_dataflows::network::Conflict;

use super::desk::Answer;
use super::*;
use crate::gbt20999::{Address, Frame, Kind, PlanRow, PlanStep, Refused, VERSION, address};

fn junction() -> Junction {
    crate::town::small(2, 2, 1).junctions.remove(0)
}

fn settings() -> Settings {
    Settings { boot_ms: 1_000, ..Settings::default() }
}

fn frame(kind: Kind, values: impl IntoIterator<Item = (Address, Vec<u8>)>) -> Frame {
    Frame { version: VERSION, centre: 1, controller: 1, road: 1, seq: 9, kind, items: Frame::rows(values) }
}

fn mode(mode: Mode) -> Frame {
    frame(Kind::Set, [(ControlLayout::Table.controls(1).mode, vec![mode.0])])
}

fn stage(number: u8) -> Frame {
    frame(Kind::Set, [(ControlLayout::Table.controls(1).stage, vec![number])])
}

/// A desk that has started, at 2 s.
fn started(settings: Settings) -> Desk {
    let mut desk = Desk::new(junction(), settings);
    run(&mut desk, 0, 2_100);
    desk
}

fn run(desk: &mut Desk, from_ms: u64, to_ms: u64) {
    (from_ms..=to_ms).step_by(100).for_each(|now_ms| drop(desk.advance(now_ms)));
}

fn heard(desk: &mut Desk, frame: &Frame, now_ms: u64) -> (Kind, Vec<u8>) {
    match desk.hear(frame, now_ms) {
        Answer::Frame(answer) => (answer.kind, answer.items.into_iter().flat_map(|item| item.data).collect()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn it_flashes_then_is_red_and_then_runs_its_plan() {
    let mut desk = Desk::new(junction(), settings());
    run(&mut desk, 0, 900);
    assert!(desk.seen().mode == Mode::FLASH && desk.seen().lamps.iter().all(|lamp| *lamp == Lamp::Off));
    run(&mut desk, 1_000, 1_900);
    assert!(desk.seen().mode == Mode::ALL_RED && desk.seen().lamps.iter().all(|lamp| *lamp == Lamp::Red));
    let mut stages = std::collections::BTreeSet::new();
    for now_ms in (2_000..200_000).step_by(100) {
        desk.advance(now_ms);
        stages.insert(desk.seen().stage);
    }
    let planned = junction().plans[0].steps.iter().map(|step| step.stage).collect();
    assert_eq!((desk.seen().mode, stages), (Mode::LOCAL_FIXED, planned));
}

#[test]
fn it_takes_stages_only_from_a_centre_in_charge_and_makes_its_own_way() {
    let mut desk = started(settings());
    assert_eq!(heard(&mut desk, &stage(2), 2_100), (Kind::SetError, vec![Refused::Control as u8]));
    assert_eq!(heard(&mut desk, &mode(Mode::CENTRE_ADAPTIVE), 2_100).0, Kind::SetReply);
    assert_eq!(heard(&mut desk, &stage(2), 2_100), (Kind::SetReply, vec![2]));
    assert_eq!(heard(&mut desk, &stage(99), 2_100), (Kind::SetError, vec![Refused::Range as u8]));
    let (mut yellow_ms, mut shown) = (0, desk.seen().lamps);
    for now_ms in (2_100..40_000).step_by(100) {
        drop(desk.hear(&frame(Kind::Heartbeat, []), now_ms));
        desk.advance(now_ms);
        let lamps = desk.seen().lamps;
        for (before, after) in shown.iter().zip(&lamps) {
            assert!(!(before.is_green() && *after == Lamp::Red), "a green ends through yellow");
        }
        yellow_ms += u64::from(lamps.contains(&Lamp::Yellow)) * 100;
        shown = lamps;
    }
    let wanted: Vec<Lamp> = junction().stages[1].lights.iter().map(|light| light.lamp()).collect();
    assert_eq!((desk.seen().stage, desk.seen().obeyed, desk.seen().lamps), (1, 1, wanted));
    assert!(yellow_ms >= u64::from(junction().heads[0].yellow_ms));
}

#[test]
fn its_own_table_of_conflicts_has_the_last_word() {
    let junction = junction();
    let mut conflicts = junction.conflicts.clone();
    let green: Vec<usize> = (0..junction.heads.len()).filter(|h| junction.stages[1].lights[*h].is_green()).collect();
    conflicts.set(green[0], green[1], Conflict::Hard);
    let mut desk = started(Settings { conflicts: Some(conflicts), ..settings() });
    heard(&mut desk, &mode(Mode::CENTRE_ADAPTIVE), 2_100);
    assert_eq!(heard(&mut desk, &stage(2), 2_100), (Kind::SetError, vec![Refused::Control as u8]));
}

#[test]
fn without_the_centre_it_goes_back_to_its_plan() {
    let mut desk = started(settings());
    heard(&mut desk, &mode(Mode::CENTRE_ADAPTIVE), 2_100);
    run(&mut desk, 2_200, 32_000);
    assert!(desk.seen().mode.is_centre() && desk.seen().lost == 0);
    run(&mut desk, 32_000, 32_300);
    assert_eq!((desk.seen().mode, desk.seen().lost), (Mode::LOCAL_FIXED, 1));
}

#[test]
fn a_lie_tells_the_stage_ordered_and_shows_the_old_one() {
    let mut desk = started(settings());
    heard(&mut desk, &mode(Mode::CENTRE_ADAPTIVE), 2_100);
    let shown = desk.seen().lamps;
    desk.behave(Manner::Lie);
    assert_eq!(heard(&mut desk, &stage(2), 2_200).0, Kind::SetReply);
    run(&mut desk, 2_200, 20_000);
    let asked = frame(Kind::Query, [(address::RUN_STAGE.element(1), Vec::new())]);
    assert_eq!((heard(&mut desk, &asked, 20_000).1, desk.seen().lamps), (vec![2], shown));
    desk.behave(Manner::Refuse);
    assert_eq!(heard(&mut desk, &stage(2), 20_000).0, Kind::SetError);
    desk.behave(Manner::Silent);
    assert_eq!(desk.hear(&stage(2), 20_000), Answer::Nothing);
    desk.behave(Manner::Reboot);
    assert_eq!((desk.hear(&stage(2), 20_000), desk.seen().boots), (Answer::HangUp, 2));
}

#[test]
fn plans_are_taken_when_each_stage_stands_for_long_enough() {
    let mut desk = started(settings());
    let plan = |time_s: u16| {
        let steps = vec![PlanStep { stage: 1, time_s }, PlanStep { stage: 2, time_s }];
        frame(Kind::Set, []).reply(Kind::Set, PlanRow { number: 7, road: 1, offset_s: 0, steps }.items().unwrap())
    };
    assert_eq!(heard(&mut desk, &plan(5), 2_100).0, Kind::SetError);
    assert_eq!(heard(&mut desk, &plan(60), 2_100).0, Kind::SetReply);
    assert_eq!(desk.seen().plans, [1, 7]);
    let late = |offset_s: u16| plan_of(7, offset_s, [60, 60]);
    assert_eq!(heard(&mut desk, &late(119), 2_100).0, Kind::SetReply);
    assert_eq!(heard(&mut desk, &late(120), 2_100).0, Kind::SetError, "it begins within its cycle");
}

fn plan_of(number: u8, offset_s: u16, times_s: [u16; 2]) -> Frame {
    let steps = (1..).zip(times_s).map(|(stage, time_s)| PlanStep { stage, time_s }).collect();
    let items = PlanRow { number, road: 1, offset_s, steps }.items().unwrap();
    Frame { items, ..frame(Kind::Set, []) }
}

fn order(number: u8) -> Frame {
    frame(Kind::Set, [(ControlLayout::Table.controls(1).plan, vec![number])])
}

/// Runs it, and says when each first stage began, ms.
fn cycles_ms(desk: &mut Desk, from_ms: u64, to_ms: u64) -> Vec<u64> {
    let (mut begun_ms, mut was_green) = (Vec::new(), true);
    for now_ms in (from_ms..to_ms).step_by(100) {
        drop(desk.hear(&frame(Kind::Heartbeat, []), now_ms));
        desk.advance(now_ms);
        let seen = desk.seen();
        let is_green =
            seen.stage == 0 && !seen.lamps.contains(&Lamp::Yellow) && seen.lamps.iter().any(|l| l.is_green());
        begun_ms.extend((is_green && !was_green).then_some(now_ms));
        was_green = is_green;
    }
    begun_ms
}

#[test]
fn a_plan_whose_cycle_is_not_the_sum_of_its_times_is_refused() {
    let mut desk = started(settings());
    let mut plan = plan_of(7, 0, [40, 40]);
    let cycle = plan.items.iter_mut().find(|item| item.at.2 == 3).unwrap();
    cycle.data = 81_u16.to_be_bytes().to_vec();
    assert_eq!(heard(&mut desk, &plan, 2_100), (Kind::SetError, vec![Refused::Value as u8; plan.items.len()]));
    assert_eq!(desk.seen().plans, [1]);
    assert_eq!(heard(&mut desk, &order(7), 2_100).0, Kind::SetError, "there is none to be run");
}

#[test]
fn a_plan_of_the_centre_is_run_by_its_clock_and_the_next_one_begins_with_a_cycle() {
    let mut desk = started(Settings { clock_ms: 7_000, ..settings() });
    for order in [plan_of(31, 20, [40, 40]), plan_of(32, 0, [50, 50]), order(31), mode(Mode::CENTRE_COORDINATED)] {
        assert_eq!(heard(&mut desk, &order, 2_100).0, Kind::SetReply);
    }
    let begun_ms = cycles_ms(&mut desk, 2_100, 900_000);
    let lengths_ms: Vec<u64> = begun_ms.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(lengths_ms.iter().all(|ms| (66_000..=94_500).contains(ms)), "it comes by and by: {lengths_ms:?}");
    let on_clock = |ms: &u64, cycle_ms: u64, offset_ms: u64| {
        let late_ms = (ms + 7_000 + cycle_ms - offset_ms) % cycle_ms;
        late_ms < 1_000 || late_ms > cycle_ms - 1_000
    };
    assert!(begun_ms[5..].iter().all(|ms| on_clock(ms, 80_000, 20_000)), "{begun_ms:?}");
    assert_eq!((desk.seen().plan.number, desk.seen().obeyed), (31, 0));
    assert_eq!(heard(&mut desk, &order(32), 900_000).0, Kind::SetReply);
    assert_eq!(desk.seen().plan.number, 31, "until its cycle ends");
    let begun_ms = cycles_ms(&mut desk, 900_000, 1_800_000);
    assert!(desk.seen().plan.number == 32 && begun_ms[6..].iter().all(|ms| on_clock(ms, 100_000, 0)), "{begun_ms:?}");
    assert_eq!(heard(&mut desk, &stage(2), 1_800_000).0, Kind::SetError, "it takes no stages meanwhile");
}

#[test]
fn it_flashes_when_told_until_another_mode_is_set_and_is_red_first() {
    let mut desk = started(settings());
    assert_eq!(heard(&mut desk, &mode(Mode::FLASH), 2_100).0, Kind::SetReply);
    run(&mut desk, 2_100, 90_000);
    assert!(desk.seen().mode == Mode::FLASH && desk.seen().lamps.iter().all(|lamp| *lamp == Lamp::Off));
    assert_eq!(heard(&mut desk, &mode(Mode::LOCAL_FIXED), 90_000).0, Kind::SetReply);
    desk.advance(90_100);
    assert!(desk.seen().lamps.iter().all(|lamp| *lamp == Lamp::Red));
    run(&mut desk, 90_200, 95_000);
    assert!(desk.seen().mode == Mode::LOCAL_FIXED && desk.seen().lamps.iter().any(|lamp| lamp.is_green()));
}

#[test]
fn with_a_fault_in_its_lamps_all_greens_show_together() {
    let mut desk = started(settings());
    desk.behave(Manner::Clash);
    assert!(desk.seen().lamps.iter().all(|lamp| lamp.is_green()));
    heard(&mut desk, &mode(Mode::FLASH), 2_100);
    assert!(desk.seen().lamps.iter().all(|lamp| *lamp == Lamp::Off));
}

#[test]
fn whatever_it_is_told_no_forbidden_heads_go_together() {
    for seed in 0..20 {
        let mut desk = started(Settings { script: Script::seeded(seed), ..settings() });
        for (row, now_ms) in (2_200..200_000).step_by(700).enumerate() {
            drop(desk.hear(&mode(Mode::CENTRE_ADAPTIVE), now_ms));
            drop(desk.hear(&stage((row as u64 * 7 + seed) as u8 % 6), now_ms));
            run(&mut desk, now_ms, now_ms + 600);
            assert!(!desk.clashes(), "seed {seed} at {now_ms}");
        }
    }
}

#[test]
fn a_script_goes_act_by_act() {
    let script = Script::of([(Manner::Refuse, 2), (Manner::Silent, 1), (Manner::Obey, 1)]);
    let acts: Vec<Manner> = (0..6).map(|order| script.manner(order)).collect();
    assert_eq!(acts, [Manner::Refuse, Manner::Refuse, Manner::Silent, Manner::Obey, Manner::Obey, Manner::Obey]);
    assert_eq!(Script::seeded(3), Script::seeded(3));
}
