//! The world as a whole, on small towns.

use nanming_dataflows::decision::{
    Assignment, AssignmentPhase, AssignmentStatus, CallPhase, Interval, PickReason, SignalCommand, StageReason,
};
use nanming_dataflows::event::{Answer, AssignmentId, CallChange, CallFacts, Lamp, Needs, Passage, Priority, Standing};
use nanming_dataflows::ids::{CallId, LaneId};
use nanming_dataflows::network::{CameraKind, Light};

use super::*;
use crate::town;

const EIGHT_MS: u64 = 1_767_657_600_000; // Tuesday 2026-01-06, 08:00 in Guiyang

fn settings() -> WorldSettings {
    WorldSettings { start_ms: EIGHT_MS, control: Control::FixedPlans, incidents: false, ..Default::default() }
}

fn world(settings: WorldSettings) -> World {
    World::new(Arc::new(town::small(3, 3, 1)), settings)
}

#[test]
fn same_settings_same_events_however_it_is_stepped() {
    let run = |step_ms: u64| {
        let mut w = world(WorldSettings { incidents: true, ..settings() });
        let ends =
            (1..).map(|n| EIGHT_MS + (n * step_ms).min(1_200_000)).take(1_200_000_usize.div_ceil(step_ms as usize));
        ends.flat_map(|until| w.step(until)).collect::<Vec<Event>>()
    };
    let by_second = run(1_000);
    assert!(by_second.len() > 10_000, "{}", by_second.len());
    assert_eq!(by_second, run(7_300));
    assert!(by_second.windows(2).all(|e| e[0].time_ms() <= e[1].time_ms()));
}

#[test]
fn another_seed_is_another_day() {
    let run = |seed| world(WorldSettings { seed, ..settings() }).step(EIGHT_MS + 60_000);
    assert_ne!(run(1), run(2));
}

#[test]
fn no_vehicle_is_lost_and_none_stands_in_another() {
    let mut w = world(WorldSettings { demand_scale: 2.5, incidents: true, ..settings() });
    for minute in 1..=60 {
        w.step(EIGHT_MS + minute * 60_000);
        let s = w.summary();
        assert_eq!(s.loaded, s.arrived + s.on_road + s.waiting);
        for (lane, queue) in w.traffic.lanes.iter().enumerate() {
            let road = &w.traffic.roads.lanes[lane];
            assert!(queue.cars.len() as i32 <= road.length_mm / traffic::SPACING_MM + 1);
            assert!(queue.cars.iter().all(|c| (0..=road.length_mm).contains(&c.x_mm)));
            let apart = |(a, b): (&car::Car, &car::Car)| a.x_mm - b.x_mm >= traffic::SPACING_MM;
            assert!(queue.cars.iter().zip(queue.cars.iter().skip(1)).all(apart));
            assert!(queue.cars.iter().all(|c| w.traffic.vehicles[c.vehicle as usize].lane == lane as u32));
        }
    }
    assert!(w.summary().arrived > 1_000);
}

#[test]
fn a_gridlock_dissolves() {
    let mut w = world(WorldSettings { demand_scale: 4.0, ..settings() });
    w.step(EIGHT_MS + 3_600_000);
    assert!(w.summary().on_road + w.summary().waiting > 500);
    w.demand.peak_veh_h = 0.0;
    w.step(EIGHT_MS + 4 * 3_600_000);
    let s = w.summary();
    assert!(s.on_road + s.waiting < 60, "{s:?}"); // buses go on
}

#[test]
fn nobody_passes_a_red() {
    let mut w = world(WorldSettings { miss_share: 0.0, ..settings() });
    let city = w.city().clone();
    let mut seen = 0;
    for step in 1..=2_400 {
        for event in w.step(EIGHT_MS + step * 500) {
            let Event::Passage(Passage { camera, .. }) = event else { continue };
            let camera = &city.cameras[camera.index()];
            let Some((lane, _)) = camera.lane.filter(|_| camera.kind == CameraKind::StopLine) else { continue };
            let signals = city.lanes[lane.index()].movements.iter().map(|m| city.movements[m.index()].signal);
            let red = |s: Option<(JunctionId, u16)>| s.is_some_and(|(j, h)| w.lamps(j)[usize::from(h)] == Lamp::Red);
            assert!(!signals.clone().all(red), "camera {} saw a vehicle pass a red", camera.name);
            seen += 1;
        }
    }
    assert!(seen > 500, "{seen}");
}

#[test]
fn junctions_follow_their_plans() {
    let mut w = world(settings());
    let city = w.city().clone();
    for step in 1..=400 {
        let now_ms = EIGHT_MS + step * 500;
        w.step(now_ms);
        for j in &city.junctions {
            let plan = &j.plans[plans::plan_in_force(j, city.minute_of_day(now_ms))];
            let day_ms = (now_ms + city.utc_offset_min as u64 * 60_000) % plans::DAY_MS;
            assert_eq!(w.lamps(j.id), plans::lamps_at(j, plan, plans::moment(plan, day_ms)));
        }
    }
}

#[test]
fn a_junction_obeys_the_centre_until_it_is_silent_for_three_minutes() {
    let mut w = world(WorldSettings { control: Control::Engine, ..settings() });
    w.step(EIGHT_MS + 10_000);
    let junction = w.city().junctions[0].clone();
    let lamps = plans::lamps_of(&junction.stages[1].lights);
    let command = SignalCommand {
        junction: junction.id,
        at_ms: EIGHT_MS + 11_000,
        stage: 1,
        interval: Interval::Green,
        lamps: lamps.clone(),
        reason: StageReason::Start,
    };
    w.obey(&Decisions { commands: vec![command], ..Default::default() });
    w.step(EIGHT_MS + 30_000);
    assert_eq!((w.mode(junction.id), w.lamps(junction.id)), (ControlMode::Centre, &lamps[..]));
    w.step(EIGHT_MS + 190_000);
    assert_eq!(w.mode(junction.id), ControlMode::Centre);
    let events = w.step(EIGHT_MS + 260_000);
    assert_eq!(w.mode(junction.id), ControlMode::Local);
    let told = |e: &Event| matches!(e, Event::Signal(s) if s.junction == junction.id && s.mode == ControlMode::Local);
    assert!(events.iter().any(told));
    assert_eq!(w.summary().unsafe_commands, 0);
}

#[test]
fn orders_that_arrive_at_once_are_followed_one_by_one_and_no_yellow_is_short() {
    let mut w = world(WorldSettings { control: Control::Engine, ..settings() });
    let mut now_ms = EIGHT_MS + 60_000;
    w.step(now_ms);
    let junction = w.city().junctions[0].clone();
    // From the stage that stands to another: the whole change is told at one moment, as by a link that held it up.
    let lit = |lights: &[Light]| plans::lamps_of(lights);
    let stage = (0..junction.stages.len()).find(|s| lit(&junction.stages[*s].lights) == w.lamps(junction.id));
    let from = stage.expect("the plan shows a stage a minute into the cycle");
    let (green, to) = (lit(&junction.stages[from].lights), (from + 1) % junction.stages.len());
    let next = lit(&junction.stages[to].lights);
    let ends = |h: usize| green[h].is_green() && !next[h].is_green();
    let with = |lamp| (0..green.len()).map(|h| if ends(h) { lamp } else { green[h] }).collect::<Vec<Lamp>>();
    let (yellow, red) = (with(Lamp::Yellow), with(Lamp::Red));
    let told_ms = now_ms + 30_000;
    for lamps in [green.clone(), yellow.clone(), red.clone(), next.clone()] {
        let (junction, at_ms, stage, interval, reason) =
            (junction.id, told_ms, to as u16, Interval::Green, StageReason::Plan);
        w.switch(&SignalCommand { junction, at_ms, stage, interval, lamps, reason });
    }
    let mut shown: Vec<(Vec<Lamp>, u64)> = Vec::new();
    while now_ms < told_ms + 60_000 {
        now_ms += 500;
        w.step(now_ms);
        let lamps = w.lamps(junction.id).to_vec();
        if now_ms >= told_ms && shown.last().is_none_or(|(before, _)| *before != lamps) {
            shown.push((lamps, now_ms));
        }
    }
    let rows = shown.len();
    let [(_, yellow_ms), (_, red_ms), (_, next_ms)] = &shown[rows - 3..] else { panic!("{shown:?}") };
    assert_eq!([&shown[rows - 3].0, &shown[rows - 2].0, &shown[rows - 1].0], [&yellow, &red, &next]);
    let longest = (0..yellow.len()).filter(|h| yellow[*h] == Lamp::Yellow).map(|h| junction.heads[h].yellow_ms).max();
    assert!(red_ms - yellow_ms >= u64::from(longest.unwrap()), "{shown:?}");
    assert!(next_ms - red_ms >= u64::from(junction.all_red_ms), "{shown:?}");
    assert_eq!(w.summary().unsafe_commands, 0);
}

/// Sends every unit in turn to the first call of the day; what they answer.
fn answers(manned: bool) -> Vec<(UnitId, Answer)> {
    let mut w = world(WorldSettings { seed: 2, calls_scale: 40.0, ..settings() });
    let events = w.step(EIGHT_MS + 600_000);
    let call = events.iter().find_map(|e| match e {
        Event::Call(c) if matches!(c.change, CallChange::Opened(_)) && w.calls.open.contains_key(&c.call) => {
            Some(c.call)
        }
        _ => None,
    });
    let unit = w.city().units.iter().find(|u| u.on_shift(500)).unwrap().id;
    w.man(unit, manned);
    let id = AssignmentId { call: call.unwrap(), attempt: 1 };
    w.obey(&Decisions { assignments: vec![assigned(&w, id, unit)], ..Default::default() });
    let time_ms = w.now_ms();
    let accepted = AssignmentStatus { id, seq: 1, unit, time_ms, phase: AssignmentPhase::Accepted };
    if manned {
        w.obey(&Decisions { assignment_statuses: vec![accepted], ..Default::default() });
    }
    said_to(&mut w, id, 2 * 3_600_000)
}

fn assigned(w: &World, id: AssignmentId, unit: UnitId) -> Assignment {
    Assignment {
        id,
        call: id.call,
        unit,
        time_ms: w.now_ms(),
        priority: Priority::A,
        eta_ms: 60_000,
        candidates: vec![],
        reason: PickReason::Nearest,
    }
}

/// What units say to an assignment until so long after eight.
fn said_to(w: &mut World, id: AssignmentId, until_ms: u64) -> Vec<(UnitId, Answer)> {
    let acks = w.step(EIGHT_MS + until_ms).into_iter().filter_map(|e| match e {
        Event::Ack(a) if a.assignment == id => Some((a.unit, a.answer)),
        _ => None,
    });
    acks.collect()
}

/// A world that begins with a call restored to a unit on duty.
fn restored(phase: CallPhase) -> (World, AssignmentId, UnitId) {
    let mut w = world(settings());
    let city = w.city().clone();
    let unit = city.units.iter().find(|u| u.on_shift(500)).unwrap();
    let (at, grid) = (city.units[0].post, city.units[0].grid);
    let facts = CallFacts { priority: Priority::A, category: Category::Help, at, grid, needs: Needs::ONE };
    let change = CallChange::Restored(facts, Standing { phase, attempts: 3, unit: Some(unit.id) });
    w.note_call(&CallEvent { time_ms: EIGHT_MS - 600_000, call: CallId(5), change });
    (w, AssignmentId { call: CallId(5), attempt: 3 }, unit.id)
}

#[test]
fn units_go_on_with_the_calls_that_they_were_on_before() {
    let all = [Answer::Accept, Answer::Arrived, Answer::Closed];
    for (phase, left) in [(CallPhase::Assigned, 3), (CallPhase::Accepted, 2), (CallPhase::Arrived, 1)] {
        let (mut w, id, unit) = restored(phase);
        let said = said_to(&mut w, id, 2 * 3_600_000);
        assert_eq!(said, all[3 - left..].iter().map(|a| (unit, *a)).collect::<Vec<_>>(), "{phase:?}");
    }
}

#[test]
fn a_unit_that_has_a_task_says_that_it_cannot_take_another() {
    let (mut w, _, unit) = restored(CallPhase::Arrived);
    let id = AssignmentId { call: CallId(6), attempt: 1 };
    w.obey(&Decisions { assignments: vec![assigned(&w, id, unit)], ..Default::default() });
    assert_eq!(said_to(&mut w, id, 60_000), [(unit, Answer::Decline)]);
}

#[test]
fn a_unit_whose_person_leaves_it_ends_its_call_itself() {
    let (mut w, id, unit) = restored(CallPhase::Arrived);
    w.man(unit, true);
    assert_eq!(said_to(&mut w, id, 3_600_000), []);
    w.man(unit, false);
    assert_eq!(said_to(&mut w, id, 2 * 3_600_000), [(unit, Answer::Closed)]);
}

#[test]
fn a_unit_accepts_arrives_and_closes() {
    let all = answers(false);
    assert_eq!(all.iter().map(|a| a.1).collect::<Vec<_>>(), [Answer::Accept, Answer::Arrived, Answer::Closed]);
}

#[test]
fn a_manned_unit_leaves_the_answers_to_its_person() {
    assert_eq!(answers(true), []);
}

#[test]
fn call_ids_start_where_they_are_told_to() {
    let mut w = world(WorldSettings { calls_scale: 100.0, first_call_id: 7_000, ..settings() });
    let ids: Vec<CallId> = w
        .step(EIGHT_MS + 3_600_000)
        .iter()
        .filter_map(|e| match e {
            Event::Call(c) if matches!(c.change, CallChange::Opened(_)) => Some(c.call),
            _ => None,
        })
        .collect();
    assert!(ids.len() > 50);
    assert_eq!(ids.iter().min(), Some(&CallId(7_000)));
}

#[test]
fn collisions_lower_the_discharge_of_their_link() {
    let run = |block: bool| {
        let mut w = world(WorldSettings { demand_scale: 5.0, ..settings() });
        w.step(EIGHT_MS + 1_200_000);
        let roads = &w.traffic.roads;
        let signalised = |l: &usize| roads.links[*l].exits.iter().any(|e| e.head != roads::NONE);
        let busiest = (0..roads.links.len()).filter(signalised).max_by_key(|l| (w.truth().left[*l], *l)).unwrap();
        let lanes = w.traffic.roads.links[busiest].full.clone();
        for lane in lanes.iter().skip(1).filter(|_| block) {
            let until_ms = EIGHT_MS + 3_000_000;
            let at_mm = w.city().lanes[*lane as usize].length_mm - 12_000;
            let incident = Incident { lane: LaneId(*lane), at_mm, from_ms: w.now_ms(), until_ms };
            w.incidents.block(&mut w.traffic, incident);
        }
        let before = w.truth().left[busiest];
        w.step(EIGHT_MS + 3_000_000);
        w.truth().left[busiest] - before
    };
    let (free, blocked) = (run(false), run(true));
    assert!(blocked * 100 < free * 80, "{blocked} of {free}");
}

#[test]
fn every_stream_speaks() {
    let mut w = world(WorldSettings { calls_scale: 50.0, ..settings() });
    let mut batch = nanming_dataflows::event::Batch::default();
    batch.extend(w.step(EIGHT_MS + 3_600_000));
    let silent: Vec<_> = batch.counts().into_iter().filter(|(_, n)| *n == 0).map(|(name, _)| name).collect();
    // Acks need assignments, rosters tasks, cases closed crimes, holds somebody at a desk, and a small town may have no loop.
    assert!(
        silent.iter().all(|s| ["acks", "rosters", "cases", "violations", "flows", "holds"].contains(s)),
        "{:?}",
        batch.counts()
    );
    let unreadable = batch.passages.iter().filter(|p| p.vehicle.0 == 0).count() as f64 / batch.passages.len() as f64;
    assert!((0.03..0.07).contains(&unreadable), "{unreadable}");
}

#[test]
fn an_event_that_ends_fills_the_link_of_its_venue() {
    let run = |people: f64| {
        let mut w = world(settings());
        w.step(EIGHT_MS + 500);
        // It began two hours ago and ends in ten minutes.
        w.crowds.hold(0, (EIGHT_MS as i64 / 60_000 + i64::from(w.city().utc_offset_min)) + 10, 120, people);
        let link = w.city().venues[0].link;
        let events = w.step(EIGHT_MS + 600_000);
        let before = w.link(link).left;
        let mut batch = nanming_dataflows::event::Batch::default();
        batch.extend(events.into_iter().chain(w.step(EIGHT_MS + 3_000_000)));
        let gates = batch.gates.iter().filter(|gate| gate.venue.0 == 0);
        (w.link(link).left - before, gates.map(|gate| gate.left).sum::<u32>())
    };
    let (quiet, busy) = (run(0.0), run(10_000.0));
    assert!(busy.0 > quiet.0 + 200, "{busy:?} vehicles and people, {quiet:?} without");
    assert!((8_600..9_000).contains(&(busy.1 - quiet.1)), "{busy:?} vehicles and people, {quiet:?} without");
}

/// A world in which a unit sets out to the call that is furthest from it.
fn far_call() -> (World, AssignmentId, UnitId) {
    let mut w = world(settings());
    let city = w.city().clone();
    let unit = city.units.iter().find(|u| u.on_shift(500)).unwrap();
    let there = city.units.iter().max_by_key(|u| u.post.distance_mm(unit.post)).unwrap();
    let facts = CallFacts {
        priority: Priority::A,
        category: Category::Help,
        at: there.post,
        grid: there.grid,
        needs: Needs::ONE,
    };
    let standing = Standing { phase: CallPhase::Accepted, attempts: 1, unit: Some(unit.id) };
    let change = CallChange::Restored(facts, standing);
    w.note_call(&CallEvent { time_ms: EIGHT_MS - 600_000, call: CallId(5), change });
    (w, AssignmentId { call: CallId(5), attempt: 1 }, unit.id)
}

#[test]
fn a_unit_drives_in_the_traffic_and_waits_at_its_reds() {
    let (mut w, _, unit) = far_call();
    let city = w.city().clone();
    let (mut stood, mut moved, mut last) = (0, 0, None);
    for step in 1..=1_200 {
        w.step(EIGHT_MS + step * 500);
        let Some(units::Whereabouts::Here(spot)) = w.traffic.whereabouts(unit.0) else { continue };
        let before: Option<streets::Spot> = last.replace(spot);
        let Some(before) = before else { continue };
        let leaves = before.link != spot.link;
        if leaves {
            let from = &city.links[before.link as usize];
            let ways = city.movements.iter().filter(|m| city.lanes[m.from.index()].link == from.id);
            let mut way = ways.filter(|m| city.lanes[m.to.index()].link.0 == spot.link);
            let red = |s: Option<(JunctionId, u16)>| s.is_some_and(|(j, h)| w.lamps(j)[usize::from(h)] == Lamp::Red);
            assert!(way.any(|m| !red(m.signal)), "it passed a red, or went where no way leads");
        }
        let at_line = city.links[spot.link as usize].length_mm - spot.at_mm < 1_000;
        stood += usize::from(at_line && spot == before);
        moved += usize::from(spot != before);
    }
    let drive = w.truth().drives[0];
    assert!(stood > 10 && moved > 60, "{stood} steps at a line, {moved} on the move: {drive:?}");
    assert!(drive.unit == unit && drive.took_ms > drive.alone_ms, "{drive:?}");
}

#[test]
fn a_unit_takes_the_way_that_it_is_shown() {
    let (mut w, _, unit) = far_call();
    let mut now_ms = EIGHT_MS;
    let here = loop {
        now_ms += 500;
        w.step(now_ms);
        if let Some(units::Whereabouts::Here(spot)) = w.traffic.whereabouts(unit.0) {
            break spot.link;
        }
    };
    let home = w.city().units[unit.index()].post;
    let there = w.city().units.iter().max_by_key(|u| u.post.distance_mm(home)).unwrap().post;
    let end = streets::nearest_spot(w.city(), &w.traffic.roads, there).link;
    // By another exit than the quickest way takes.
    let exits: Vec<u32> = w.traffic.roads.links[here as usize].exits.iter().map(|e| e.link).collect();
    let quickest = streets::quickest(&w.traffic.roads, &w.traffic.travel_ms, here, end);
    let other = exits.iter().copied().find(|link| Some(link) != quickest.get(1)).expect("a way to turn off");
    let mut shown = vec![LinkId(here)];
    shown.extend(streets::quickest(&w.traffic.roads, &w.traffic.travel_ms, other, end).into_iter().map(LinkId));
    let route = nanming_dataflows::decision::UnitRoute { unit, time_ms: now_ms, links: shown.clone() };
    w.obey(&Decisions { routes: vec![route], ..Default::default() });
    let mut driven = vec![here];
    for _ in 0..2_400 {
        now_ms += 500;
        w.step(now_ms);
        if let Some(units::Whereabouts::Here(spot)) = w.traffic.whereabouts(unit.0) {
            driven.push(spot.link);
        }
        if w.truth().drives.len() == 1 {
            break;
        }
    }
    driven.dedup();
    assert!(driven.len() > 2 && driven[1] == other, "{driven:?}, shown {shown:?}");
}
