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
