use std::sync::Arc;

use nanming_dataflows::ids::JunctionId;
use nanming_simulators::gbt20999::LampState;

use super::*;
use crate::config::ControllersConfig;

mod conflicts;
mod takers;

/// A session, and what the controller of the test would answer.
struct Scene {
    session: Session,
    now_ms: u64,
    mode: Mode,
    plan: u8,
    stage: u8,
    lamps: Vec<u8>,
}

fn site() -> Site {
    let city = Arc::new(nanming_simulators::town::small(2, 2, 1));
    let (stages, heads) = (city.junctions[0].stages.len() as u8, city.junctions[0].heads.len() as u8);
    let (stages, lamp_groups) = ((1..=stages).collect(), (1..=heads).collect());
    Site {
        city,
        junction: JunctionId(0),
        address: "x:1".into(),
        controller: 17,
        road: 1,
        stages,
        lamp_groups,
        plan_slots: None,
    }
}

fn rules() -> Rules {
    Rules::of(&ControllersConfig::default())
}

fn lamps(stage: usize) -> Vec<u8> {
    let lights = site().of().stages[stage].lights.clone();
    let state = |go: bool| if go { LampState::Green } else { LampState::Red };
    lights.iter().map(|light| state(light.is_green()) as u8).collect()
}

impl Scene {
    fn new(rules: Rules) -> Scene {
        Scene::of(site(), rules)
    }

    fn of(site: Site, rules: Rules) -> Scene {
        let mut session = Session::new(site, rules);
        session.connected(1_000);
        Scene { session, now_ms: 1_000, mode: Mode::LOCAL_FIXED, plan: 1, stage: 1, lamps: lamps(0) }
    }

    fn turn(&mut self, ms: u64) -> (Line, Vec<Frame>) {
        self.now_ms += ms;
        let line = self.session.turn(self.now_ms);
        (line, self.session.frames())
    }

    fn hear(&mut self, frame: Frame) {
        self.session.hear(Ok(frame), self.now_ms);
    }

    fn status(&mut self, asked: &Frame) {
        let values = [vec![self.mode.0], vec![0, self.plan], vec![self.stage], self.lamps.clone()];
        let items = asked.items.iter().cloned().zip(values).map(|(item, data)| Item { data, ..item });
        self.hear(asked.reply(Kind::QueryReply, items.collect()));
    }

    /// Answers what is asked, as a controller that obeys in telling, until nothing more is asked; the orders among it.
    fn play(&mut self, ms: u64) -> Vec<(Ask, u8)> {
        let mut orders = Vec::new();
        let (_, mut frames) = self.turn(ms);
        while !frames.is_empty() {
            for frame in frames {
                match frame.kind {
                    Kind::Query => self.status(&frame),
                    Kind::Heartbeat => self.hear(frame.reply(Kind::HeartbeatReply, Vec::new())),
                    Kind::Set => {
                        let (at, value) = (frame.items[0].at, frame.items[0].data[0]);
                        if at == self.session.controls.mode {
                            self.mode = Mode(value);
                            orders.push((Ask::Mode(Mode(value)), value));
                        } else if let Some(row) = PlanRow::read(&frame) {
                            orders.push((Ask::Write(row), value));
                        } else if at == self.session.controls.plan {
                            self.plan = value;
                            orders.push((Ask::Plan(value), value));
                        } else {
                            self.stage = value;
                            orders.push((Ask::Stage(value), value));
                        }
                        self.hear(frame.reply(Kind::SetReply, frame.items.clone()));
                    }
                    _ => {}
                }
            }
            frames = self.turn(0).1;
        }
        orders
    }

    fn alarms(&mut self) -> Vec<Alarm> {
        let said = self.session.said();
        said.into_iter().filter_map(|said| if let Said::Alarm(alarm, _) = said { Some(alarm) } else { None }).collect()
    }
}

#[test]
fn it_asks_first_then_takes_over_and_then_orders_the_stage_once() {
    let mut scene = Scene::new(rules());
    scene.session.wish(Some(1), 1_000);
    let first = scene.session.frames();
    assert_eq!((first.len(), first[0].kind, first[0].items.len()), (1, Kind::Query, 4));
    scene.status(&first[0]);
    let orders = scene.play(10);
    let taken = Ask::Mode(Mode::CENTRE_ADAPTIVE);
    assert_eq!(orders.iter().map(|o| o.0.clone()).collect::<Vec<_>>(), [taken, Ask::Stage(2)]);
    scene.lamps = lamps(1);
    scene.session.wish(Some(1), scene.now_ms);
    assert_eq!(scene.play(1_000), [], "it was accepted a second ago");
    (0..25).for_each(|_| drop(scene.play(1_000)));
    scene.session.wish(Some(1), scene.now_ms);
    assert_eq!(scene.play(10), [(Ask::Stage(2), 2)], "the engine orders it anew: so is it told");
    assert_eq!(scene.session.state().reach, Reach::Centre);
    assert_eq!(scene.alarms(), []);
}

#[test]
fn what_is_shown_is_fed_back_as_it_is_shown() {
    let mut scene = Scene::new(rules());
    let first = scene.session.frames().remove(0);
    scene.status(&first);
    let lights = site().of().stages[0].lights.iter().map(|light| light.lamp()).collect();
    assert!(scene.session.said().contains(&Said::Feedback(ControlMode::Local, lights)));
    scene.play(1_000);
    let fed_back = |said: &Said| matches!(said, Said::Feedback(..));
    assert!(!scene.session.said().iter().any(fed_back), "nothing has changed");
    (0..30).for_each(|_| drop(scene.play(1_000)));
    assert!(scene.session.said().iter().any(fed_back), "at the latest after half a minute");
}

#[test]
fn an_order_is_repeated_and_then_the_controller_is_gone() {
    let mut scene = Scene::new(rules());
    scene.session.wish(Some(1), 1_000);
    let first = scene.session.frames().remove(0);
    scene.status(&first);
    let (_, frames) = scene.turn(10);
    let order = frames.into_iter().find(|frame| frame.kind == Kind::Set).unwrap();
    for _ in 1..rules().tries {
        let (line, frames) = scene.turn(rules().reply_ms);
        assert!(line != Line::Dead && frames.contains(&order), "the same frame again");
    }
    assert_eq!(scene.turn(rules().reply_ms).0, Line::Dead);
    scene.session.gone("it does not answer", scene.now_ms);
    let said = scene.session.said();
    let count = |of: &Outcome| said.iter().filter(|said| **said == Said::Order(*of)).count();
    assert_eq!((count(&Outcome::Repeated), count(&Outcome::Unanswered)), (2, 1));
    let dark = vec![Lamp::Off; site().lamp_groups.len()];
    assert!(said.contains(&Said::Feedback(ControlMode::Fault, dark)), "what it shows is not known any more");
    assert_eq!(scene.session.state().reach, Reach::Unreachable);
}

#[test]
fn a_refusal_is_not_answered_by_the_same_order_at_once() {
    let mut scene = Scene::new(rules());
    scene.mode = Mode::CENTRE_ADAPTIVE;
    scene.session.wish(Some(1), 1_000);
    let first = scene.session.frames().remove(0);
    scene.status(&first);
    let refuse = |scene: &mut Scene| {
        let order = scene.turn(10).1.into_iter().find(|frame| frame.kind == Kind::Set).unwrap();
        let items = vec![Item { data: vec![Refused::Control as u8], ..order.items[0].clone() }];
        scene.hear(order.reply(Kind::SetError, items));
    };
    refuse(&mut scene);
    assert!(scene.session.said().contains(&Said::Order(Outcome::Refused)));
    assert_eq!(scene.play(100), []);
    scene.session.wish(Some(1), scene.now_ms);
    refuse(&mut scene);
    assert_eq!(scene.play(100), []);
    assert_eq!((0..5).flat_map(|_| scene.play(1_000)).count(), 1, "and once more after a while");
}

#[test]
fn a_mode_that_is_accepted_and_not_taken_is_not_ordered_without_end() {
    let mut scene = Scene::new(rules());
    scene.session.wish(Some(1), 1_000);
    let first = scene.session.frames().remove(0);
    scene.status(&first);
    let mut orders = 0;
    for _ in 0..40 {
        for frame in scene.turn(100).1 {
            match frame.kind {
                Kind::Set => {
                    orders += 1;
                    scene.hear(frame.reply(Kind::SetReply, frame.items.clone()));
                }
                Kind::Query => scene.status(&frame),
                _ => {}
            }
        }
    }
    assert_eq!(orders, 1, "in four seconds");
}

#[test]
fn a_lie_is_found_and_the_junction_given_back_and_left_alone() {
    let mut scene = Scene::new(rules());
    scene.session.wish(Some(1), 1_000);
    let first = scene.session.frames().remove(0);
    scene.status(&first);
    // It tells stage 2, and the lamps stay those of stage 1.
    assert_eq!(scene.play(10).len(), 2);
    (0..14).for_each(|_| drop(scene.play(1_000)));
    assert_eq!(scene.alarms(), [], "it has time to change");
    let orders: Vec<_> = (0..3).flat_map(|_| scene.play(1_000)).collect();
    assert_eq!(orders, [(Ask::Mode(Mode::LOCAL_FIXED), 0x21)]);
    assert_eq!((scene.alarms(), scene.session.state().reach), (vec![Alarm::Lie], Reach::Distrusted));
    scene.session.wish(Some(0), scene.now_ms);
    assert_eq!((0..500).flat_map(|_| scene.play(1_000)).count(), 0, "it is left alone");
    scene.session.wish(Some(0), scene.now_ms);
    assert!((0..120).flat_map(|_| scene.play(1_000)).count() > 0, "for ten minutes");
}

#[test]
fn greens_that_conflict_are_an_alarm_at_once() {
    let mut scene = Scene::new(rules());
    scene.lamps.fill(LampState::Green as u8);
    let first = scene.session.frames().remove(0);
    scene.status(&first);
    assert_eq!(scene.alarms(), [Alarm::Conflict]);
}

#[test]
fn a_stage_accepted_and_not_shown_is_an_alarm() {
    let mut scene = Scene::new(rules());
    scene.mode = Mode::CENTRE_ADAPTIVE;
    scene.session.wish(Some(1), 1_000);
    let first = scene.session.frames().remove(0);
    scene.status(&first);
    scene.play(10);
    scene.stage = 1;
    (0..92).for_each(|_| drop(scene.play(1_000)));
    assert_eq!(scene.alarms(), [Alarm::Disobeyed]);
}

#[test]
fn a_silent_engine_gives_the_junction_back_and_a_person_is_left_alone() {
    let mut scene = Scene::new(rules());
    scene.session.wish(Some(0), 1_000);
    let first = scene.session.frames().remove(0);
    scene.status(&first);
    assert_eq!(scene.play(10).len(), 2);
    let orders: Vec<_> = (0..200).flat_map(|_| scene.play(1_000)).collect();
    assert_eq!(orders, [(Ask::Mode(Mode::LOCAL_FIXED), 0x21)]);
    assert_eq!(scene.alarms(), [Alarm::EngineSilent]);
    scene.mode = Mode(0x25);
    scene.play(1_000);
    scene.session.wish(Some(0), scene.now_ms);
    assert_eq!((scene.play(1_000), scene.session.state().reach), (vec![], Reach::Manual));
}

#[test]
fn frames_of_others_and_faults_are_told_and_a_heartbeat_is_answered() {
    let mut scene = Scene::new(rules());
    let first = scene.session.frames().remove(0);
    scene.status(&first);
    let trap = |kind, items| Frame { kind, items, ..first.clone() };
    scene.hear(Frame { controller: 18, ..trap(Kind::Trap, Vec::new()) });
    let fault = nanming_simulators::gbt20999::Address(address::FAULTS, 2, 2, 1);
    scene.hear(trap(Kind::Trap, Frame::rows([(fault, vec![1])])));
    scene.session.hear(Err(FrameError::Short), scene.now_ms);
    assert_eq!(scene.alarms(), [Alarm::Frame, Alarm::Trouble, Alarm::Frame]);
    scene.hear(trap(Kind::Heartbeat, Vec::new()));
    assert_eq!(scene.session.frames().remove(0).kind, Kind::HeartbeatReply);
    assert_eq!(scene.turn(rules().silent_ms).0, Line::Dead, "who says nothing is gone");
}

#[test]
fn plans_are_written_before_anything_is_ordered() {
    let mut scene = Scene::new(Rules { download_plans: true, ..rules() });
    scene.session.wish(Some(1), 1_000);
    let first = scene.session.frames().remove(0);
    scene.status(&first);
    let mut heard = Vec::new();
    for _ in 0..site().of().plans.len() {
        let order = scene.turn(10).1.into_iter().find(|frame| frame.kind == Kind::Set).unwrap();
        heard.push(PlanRow::read(&order).unwrap());
        scene.hear(order.reply(Kind::SetReply, order.items.clone()));
    }
    let cycles_s: Vec<u32> = site().of().plans.iter().map(|plan| plan.cycle_ms() / 1000).collect();
    assert_eq!(heard.iter().map(|row| u32::from(row.cycle_s())).collect::<Vec<_>>(), cycles_s);
    assert_eq!(scene.play(10)[0].0, Ask::Mode(Mode::CENTRE_ADAPTIVE));
}

#[test]
fn one_that_leaves_the_centre_is_not_ordered_until_the_engine_orders_anew() {
    let mut scene = Scene::new(rules());
    scene.session.wish(Some(1), 1_000);
    let first = scene.session.frames().remove(0);
    scene.status(&first);
    assert_eq!(scene.play(10).len(), 2);
    scene.lamps = lamps(1);
    scene.mode = Mode::LOCAL_FIXED;
    assert_eq!((0..60).flat_map(|_| scene.play(1_000)).count(), 0);
    let told = |said: &Said| matches!(said, Said::Feedback(ControlMode::Local, _));
    assert!(scene.session.said().iter().any(told), "the engine hears of it");
    scene.session.wish(Some(1), scene.now_ms);
    assert_eq!(scene.play(10).len(), 2, "mode and stage");
    scene.mode = Mode(0x15);
    scene.play(1_000);
    let told = |said: &Said| matches!(said, Said::Feedback(ControlMode::Manual, _));
    assert!(scene.session.said().iter().any(told), "a person has it");
}

#[test]
fn one_that_is_found_in_the_centre_s_hands_is_given_back_when_the_engine_orders_nothing() {
    let mut scene = Scene::new(rules());
    scene.mode = Mode::CENTRE_ADAPTIVE;
    let first = scene.session.frames().remove(0);
    scene.status(&first);
    assert_eq!((0..14).flat_map(|_| scene.play(1_000)).count(), 0, "the engine may still be hearing of it");
    assert_eq!((0..3).flat_map(|_| scene.play(1_000)).count(), 1);
}

#[test]
fn one_that_is_found_in_a_change_goes_on_by_itself_until_a_stage_stands() {
    use ControlMode::{Centre, Local, Manual};
    let turned = |into: LampState| {
        let turn = |lamp: &u8| if *lamp == LampState::Green as u8 { into as u8 } else { *lamp };
        lamps(0).iter().map(turn).collect::<Vec<u8>>()
    };
    let told = |scene: &mut Scene, (stage, lamps): (u8, Vec<u8>), ms: u64| {
        (scene.stage, scene.lamps) = (stage, lamps);
        let orders = scene.play(ms);
        let modes = scene.session.said().into_iter().filter_map(|said| match said {
            Said::Feedback(mode, _) => Some(mode),
            _ => None,
        });
        (modes.collect::<Vec<_>>(), orders.len())
    };
    let mut scene = Scene::new(rules());
    let first = scene.session.frames().remove(0);
    (scene.mode, scene.lamps) = (Mode::CENTRE_ADAPTIVE, turned(LampState::GreenFlash));
    scene.status(&first);
    assert_eq!(told(&mut scene, (1, turned(LampState::GreenFlash)), 1_000), (vec![Local], 0), "a green that ends");
    assert_eq!(told(&mut scene, (2, turned(LampState::Yellow)), 3_000), (vec![Local], 0));
    assert_eq!(told(&mut scene, (2, turned(LampState::Red)), 3_000), (vec![Local], 0));
    assert_eq!(told(&mut scene, (2, lamps(1)), 3_000), (vec![Centre], 0), "it is taken over as its stage begins");
    scene.session.wish(Some(1), scene.now_ms);
    assert_eq!(told(&mut scene, (2, lamps(1)), 1_000).1, 1, "it is ordered to hold it");
    assert_eq!(told(&mut scene, (1, turned(LampState::Red)), 1_000), (vec![Centre], 0), "and followed from then on");
    // A person takes it, and gives it to the centre in a change, long after.
    scene.mode = Mode(0x15);
    assert_eq!(told(&mut scene, (1, lamps(0)), 1_000), (vec![Manual], 0));
    (0..20).for_each(|_| drop(scene.play(1_000)));
    scene.mode = Mode::CENTRE_ADAPTIVE;
    assert_eq!(told(&mut scene, (2, turned(LampState::Yellow)), 1_000), (vec![Local], 0), "it is left to it");
    assert_eq!(told(&mut scene, (2, lamps(1)), 3_000), (vec![Centre], 0));
    scene.session.wish(None, scene.now_ms);
    assert_eq!(scene.play(10), [(Ask::Mode(Mode::LOCAL_FIXED), 0x21)], "at the end of the engine it is given back");
}
