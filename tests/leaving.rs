//! Controllers that leave the centre at random moments: whatever they fell back to, the orders that take them over again fit
//! what their lamps really show. The street here shares no code with the engine's: controllers with plans of their own, reports
//! that are under way for a while, and a checker over every lamp.

use std::sync::Arc;

use nanming::engine::Engine;
use nanming_dataflows::decide::envelope::Witness;
use nanming_dataflows::decision::{SignalCommand, StageReason};
use nanming_dataflows::event::{ControlMode, Event, Lamp, SignalFeedback};
use nanming_dataflows::network::Junction;
use nanming_simulators::town;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::envelope::{Checker, below, noise};

/// A report is under way for so long at most, ms; orders that cross it are not followed.
const UNDER_WAY_MS: usize = 2_000;
const DEAF_MS: u64 = 4_000;
/// The engine believes reports of another's orders when so long has passed since it took over, ms.
const TRUSTED_MS: u64 = 10_000;
/// The engine leads again so long after a controller that runs its own plan could be led, ms: a whole stage, and a change.
const LED_AGAIN_MS: u64 = 200_000;
const REPORT_MS: u64 = 30_000;

/// What a controller that is on its own does next.
#[derive(Clone, Copy, Debug)]
enum Step {
    Yellow,
    Red,
    Stage,
}

struct Controller<'a> {
    junction: &'a Junction,
    mode: ControlMode,
    lamps: Vec<Lamp>,
    /// None while the lights are off.
    checker: Option<Checker<'a>>,
    step: Step,
    due_ms: u64,
    stage: usize,
    /// When a person goes away, or a fault is mended, ms.
    back_ms: u64,
    left_ms: u64,
    led_ms: u64,
    told_ms: u64,
    /// How often it was taken over.
    taken: u32,
    followed: u32,
}

impl<'a> Controller<'a> {
    fn new(junction: &'a Junction, now_ms: u64) -> Self {
        let (lamps, checker) = (vec![Lamp::Red; junction.heads.len()], Some(Checker::new(junction)));
        let (mode, step, due_ms) = (ControlMode::Local, Step::Stage, now_ms + 10_000);
        let (stage, back_ms, left_ms, led_ms, told_ms, taken, followed) = Default::default();
        Controller {
            junction,
            mode,
            lamps,
            checker,
            step,
            due_ms,
            stage,
            back_ms,
            left_ms,
            led_ms,
            told_ms,
            taken,
            followed,
        }
    }

    /// So long everything that is lit may be left, ms.
    fn settled_ms(&self) -> u64 {
        let heads = self.junction.heads.iter().map(|head| head.min_green_ms.max(head.yellow_ms));
        let stages = self.junction.stages.iter().map(|s| s.min_green_ms.max(s.walk_ms + s.clearance_ms));
        u64::from(heads.chain(stages).max().unwrap_or(0))
    }

    fn show(&mut self, lamps: Vec<Lamp>, now_ms: u64) {
        self.told_ms = 0;
        self.lamps = lamps;
        self.checker.as_mut().unwrap().see(now_ms, &self.lamps);
    }

    /// Somebody else decides from now on.
    fn leave(&mut self, random: &mut ChaCha8Rng, now_ms: u64) {
        self.mode = [ControlMode::Local, ControlMode::Manual, ControlMode::Fault][below(random, 3)];
        (self.left_ms, self.told_ms) = (now_ms, 0);
        self.back_ms = now_ms + 5_000 + below(random, 300_000) as u64;
        (self.step, self.due_ms) = (Step::Yellow, now_ms + self.settled_ms());
        if self.mode == ControlMode::Fault {
            (self.lamps, self.checker) = (vec![Lamp::Off; self.lamps.len()], None);
        }
    }

    /// Goes on by itself.
    fn go_on(&mut self, random: &mut ChaCha8Rng, now_ms: u64) {
        if self.mode == ControlMode::Centre {
            return;
        }
        if self.mode != ControlMode::Local && now_ms >= self.back_ms {
            (self.mode, self.left_ms, self.told_ms) = (ControlMode::Local, now_ms, 0);
            if self.checker.is_none() {
                self.checker = Some(Checker::new(self.junction));
                self.show(vec![Lamp::Red; self.lamps.len()], now_ms);
                (self.step, self.due_ms) = (Step::Stage, now_ms + 10_000);
            }
        }
        if self.mode == ControlMode::Fault || now_ms < self.due_ms {
            return;
        }
        let yellow_ms = self.junction.heads.iter().map(|head| u64::from(head.yellow_ms)).max().unwrap_or(0);
        match self.step {
            Step::Yellow => {
                let yellow = |lamp: &Lamp| if *lamp == Lamp::Red { Lamp::Red } else { Lamp::Yellow };
                self.show(self.lamps.iter().map(yellow).collect(), now_ms);
                (self.step, self.due_ms) = (Step::Red, now_ms + yellow_ms);
            }
            Step::Red => {
                self.show(vec![Lamp::Red; self.lamps.len()], now_ms);
                (self.step, self.due_ms) = (Step::Stage, now_ms + u64::from(self.junction.all_red_ms) + 1_000);
            }
            Step::Stage => {
                self.stage = (self.stage + 1) % self.junction.stages.len();
                let lights = &self.junction.stages[self.stage].lights;
                self.show(lights.iter().map(|light| light.lamp()).collect(), now_ms);
                (self.step, self.due_ms) = (Step::Yellow, now_ms + self.settled_ms() + below(random, 20_000) as u64);
            }
        }
    }

    /// One that is on its own can only be taken over; orders that follow from what it has left are not for it any more.
    fn obey(&mut self, command: &SignalCommand, now_ms: u64) {
        let mode = self.mode;
        let is_taken = mode == ControlMode::Local && command.reason == StageReason::Start;
        if mode != ControlMode::Centre && !is_taken {
            let crossing = now_ms < self.left_ms.max(self.led_ms) + TRUSTED_MS + DEAF_MS;
            return assert!(crossing, "{} is ordered while it says {mode:?}", self.junction.name);
        }
        if is_taken {
            (self.mode, self.told_ms, self.led_ms) = (ControlMode::Centre, 0, now_ms);
            self.taken += 1;
        }
        self.followed += 1;
        self.show(command.lamps.clone(), now_ms);
    }

    fn report(&mut self, now_ms: u64) -> Option<SignalFeedback> {
        if now_ms < self.told_ms + REPORT_MS {
            return None;
        }
        self.told_ms = now_ms;
        Some(SignalFeedback { time_ms: now_ms, junction: self.junction.id, mode: self.mode, lamps: self.lamps.clone() })
    }
}

#[test]
fn controllers_that_leave_at_random_are_taken_over_from_what_they_really_show() {
    let city = Arc::new(town::small(2, 2, 3));
    let mut random = ChaCha8Rng::seed_from_u64(11);
    let (mut engine, mut witness) = (Engine::start(&city, 1), Witness::new(&city));
    let begin_ms = 1_000_000_000;
    let mut street: Vec<_> = city.junctions.iter().map(|j| Controller::new(j, begin_ms)).collect();
    let (mut tick, mut lies, mut under_way) = (begin_ms, 0, Vec::<(u64, Event)>::new());
    while tick < begin_ms + 3 * 3_600_000 {
        tick += 200 + below(&mut random, 1_000) as u64;
        let mut batch = noise(&mut random, &city, tick);
        let (here, later) = under_way.into_iter().partition(|(at_ms, _)| *at_ms <= tick);
        under_way = later;
        let here: Vec<(u64, Event)> = here;
        batch.extend(here.into_iter().map(|(_, event)| event));
        let decisions = engine.step(tick, batch).unwrap();
        for command in &decisions.commands {
            assert_eq!(witness.see(&city, command), Ok(()), "the street would hold it back");
            street[command.junction.index()].obey(command, tick);
        }
        for controller in &mut street {
            if controller.mode != ControlMode::Fault && below(&mut random, 500) == 0 {
                controller.leave(&mut random, tick);
            }
            controller.go_on(&mut random, tick);
            let is_led = controller.mode == ControlMode::Centre;
            let waited_ms = tick - controller.left_ms.max(begin_ms);
            let on_its_own = controller.mode == ControlMode::Local;
            assert!(!on_its_own || waited_ms < LED_AGAIN_MS, "{} is forgotten", controller.junction.name);
            let mut told = controller.report(tick);
            if is_led && told.is_none() && below(&mut random, 1_000) == 0 {
                // A false word on who decides.
                let mode = [ControlMode::Local, ControlMode::Manual, ControlMode::Fault][below(&mut random, 3)];
                let (junction, lamps) = (controller.junction.id, controller.lamps.clone());
                told = Some(SignalFeedback { time_ms: tick, junction, mode, lamps });
                lies += 1;
            }
            under_way.extend(told.map(|told| (tick + below(&mut random, UNDER_WAY_MS) as u64, Event::Signal(told))));
        }
    }
    let counts: Vec<_> = street.iter().map(|c| (c.taken, c.followed)).collect();
    assert!(lies > 8 && counts.iter().all(|(taken, followed)| *taken > 10 && *followed > 150), "{lies} {counts:?}");
}
