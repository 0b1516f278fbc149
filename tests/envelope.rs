//! No signal command outside its envelope, whatever the detectors and the optimiser say. The checker here shares no code
//! with the envelope: it keeps what each head has shown, run by run, and reads the rules off that.

use std::sync::Arc;

use nanming::engine::Engine;
use nanming_dataflows::decide::envelope::{Shown, admit};
use nanming_dataflows::decision::{EnvelopeRule, Interval};
use nanming_dataflows::event::{Batch, Lamp, Passage, VehicleClass};
use nanming_dataflows::ids::{CameraId, VehicleId};
use nanming_dataflows::network::{City, Conflict, Junction};
use nanming_simulators::town;
use nanming_simulators::world::{World, WorldSettings};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

const DAY_S: u64 = 24 * 3600;
const LONGEST_TICK_MS: u64 = 2_000;

/// What a head has shown: the lamp, and from when.
type Run = (Lamp, u64);

/// Watches one junction. What it sees first is taken as given.
pub(crate) struct Checker<'a> {
    junction: &'a Junction,
    runs: Vec<Vec<Run>>,
    last_ms: u64,
    /// By stage: when it last stood, ms.
    stood_ms: Vec<u64>,
    /// The longest time that people on foot had to wait for a stage, ms.
    longest_walk_ms: u64,
}

impl<'a> Checker<'a> {
    pub(crate) fn new(junction: &'a Junction) -> Self {
        let (runs, stood_ms) = (vec![Vec::new(); junction.heads.len()], vec![0; junction.stages.len()]);
        Checker { junction, runs, last_ms: 0, stood_ms, longest_walk_ms: 0 }
    }

    pub(crate) fn lamps(&self) -> Vec<Lamp> {
        self.runs.iter().filter_map(|run| run.last().map(|(lamp, _)| *lamp)).collect()
    }

    /// Stages whose lights are exactly what is shown.
    fn standing(&self) -> Option<usize> {
        let lamps = self.lamps();
        self.junction.stages.iter().position(|s| s.lights.iter().map(|l| l.lamp()).eq(lamps.iter().copied()))
    }

    /// Panics when these lamps may not follow.
    pub(crate) fn see(&mut self, at_ms: u64, lamps: &[Lamp]) {
        assert_eq!(lamps.len(), self.junction.heads.len());
        assert!(at_ms >= self.last_ms, "time runs backwards");
        assert!(!lamps.contains(&Lamp::Off), "a lamp is switched off");
        self.note_stages(at_ms);
        if !self.runs[0].is_empty() {
            self.check_people_on_foot(at_ms, lamps);
        }
        self.last_ms = at_ms;
        for (head, lamp) in lamps.iter().enumerate() {
            if self.runs[head].last().map(|run| run.0) != Some(*lamp) {
                self.runs[head].push((*lamp, at_ms));
            }
        }
        (0..lamps.len()).for_each(|head| self.check_turn(head, at_ms));
        for a in 0..lamps.len() {
            (0..lamps.len()).filter(|b| *b != a).for_each(|b| self.check_pair(a, b, at_ms));
        }
    }

    /// People on foot wait for every stage that they walk in, except while it stands.
    fn note_stages(&mut self, at_ms: u64) {
        let standing = self.standing();
        for (stage, stood_ms) in self.stood_ms.iter_mut().enumerate() {
            if Some(stage) == standing || *stood_ms == 0 {
                *stood_ms = at_ms;
            } else if self.junction.stages[stage].walk_ms > 0 {
                self.longest_walk_ms = self.longest_walk_ms.max(at_ms - *stood_ms);
            }
        }
    }

    fn check_people_on_foot(&self, at_ms: u64, lamps: &[Lamp]) {
        let Some(stage) = self.standing().filter(|_| self.lamps() != lamps) else { return };
        let since_ms = self.runs.iter().filter_map(|run| run.last()).map(|(_, from)| *from).max().unwrap_or(0);
        let needs_ms = u64::from(self.junction.stages[stage].walk_ms + self.junction.stages[stage].clearance_ms);
        let stood_ms = at_ms - since_ms;
        assert!(stood_ms >= needs_ms, "stage {stage} ends after {stood_ms} ms, people on foot need {needs_ms} ms");
    }

    fn check_turn(&self, head: usize, at_ms: u64) {
        let runs = &self.runs[head];
        let [.., (before, since_ms), (now, from_ms)] = runs[..] else { return };
        if from_ms != at_ms {
            return;
        }
        let times = &self.junction.heads[head];
        match (before.is_green(), before, now) {
            (true, _, next) if next.is_green() => {}
            (true, _, Lamp::Yellow) => {
                let green_ms = at_ms - green_since(runs);
                assert!(green_ms >= u64::from(times.min_green_ms), "head {head}: green of only {green_ms} ms");
            }
            (false, Lamp::Yellow, Lamp::Red) => {
                assert!(at_ms - since_ms >= u64::from(times.yellow_ms), "head {head}: yellow too short");
            }
            (false, Lamp::Red, next) => assert!(next.is_green(), "head {head}: red to {next:?}"),
            (_, from, next) => panic!("head {head}: {from:?} to {next:?}"),
        }
    }

    /// `a` against another that conflicts: what both show now, and the time between the end of `b` and the start of `a`.
    fn check_pair(&self, a: usize, b: usize, at_ms: u64) {
        let conflict = self.junction.conflicts.get(a, b);
        let (lamp_a, from_a) = *self.runs[a].last().unwrap();
        let (lamp_b, from_b) = *self.runs[b].last().unwrap();
        let clears = |lamp: Lamp| lamp.is_green() || lamp == Lamp::Yellow;
        if conflict == Conflict::None || !clears(lamp_a) {
            return;
        }
        if clears(lamp_b) {
            assert_ne!(conflict, Conflict::Hard, "heads {a} and {b} go together");
            let yields = if conflict == Conflict::FirstYields { lamp_a } else { lamp_b };
            assert_ne!(yields, Lamp::Protected, "heads {a} and {b} go together and neither yields");
        }
        let before = |head: usize| self.runs[head].iter().rev().nth(1).map(|run| run.0);
        let turned = from_a == at_ms && self.runs[a].len() > 1;
        let starts = turned && lamp_a.is_green() && (lamp_a == Lamp::Protected || before(a) == Some(Lamp::Red));
        if starts && lamp_b == Lamp::Red && self.runs[b].len() > 1 {
            let all_red_ms = u64::from(self.junction.all_red_ms);
            assert!(at_ms - from_b >= all_red_ms, "head {a} starts {} ms after {b} went red", at_ms - from_b);
        }
        let exposed = from_b == at_ms && before(b) == Some(Lamp::Protected) && lamp_b == Lamp::Permissive;
        assert!(!(starts && exposed), "head {b} must give way to {a} from one moment to the next");
    }
}

/// Since when a head's last green runs, protected and permissive as one.
fn green_since(runs: &[Run]) -> u64 {
    let greens = runs.iter().rev().skip_while(|(lamp, _)| !lamp.is_green());
    greens.take_while(|(lamp, _)| lamp.is_green()).map(|(_, from)| *from).last().unwrap_or(0)
}

pub(crate) fn below(random: &mut ChaCha8Rng, n: usize) -> usize {
    (random.next_u64() % n as u64) as usize
}

/// What a mad optimiser asks for: any lamps, a stage out of the blue, or the next step of a change, at any moment.
fn wish(random: &mut ChaCha8Rng, junction: &Junction, shown: &[Lamp], to: usize) -> Vec<Lamp> {
    let lights = &junction.stages[to].lights;
    let any = [Lamp::Red, Lamp::Yellow, Lamp::Protected, Lamp::Permissive, Lamp::Off];
    match below(random, 10) {
        0 => (0..shown.len() + usize::from(below(random, 4) == 0)).map(|_| any[below(random, 5)]).collect(),
        1 | 2 => lights.iter().map(|light| light.lamp()).collect(),
        3 => vec![Lamp::Red; shown.len()],
        4..=6 => shown
            .iter()
            .zip(lights)
            .map(|(lamp, light)| if lamp.is_green() && !light.is_green() { Lamp::Yellow } else { *lamp })
            .collect(),
        7 | 8 => shown.iter().map(|lamp| if *lamp == Lamp::Yellow { Lamp::Red } else { *lamp }).collect(),
        _ => {
            let mut lamps = shown.to_vec();
            lamps[below(random, shown.len())] = any[below(random, 5)];
            lamps
        }
    }
}

#[test]
fn a_day_of_mad_wishes_never_gets_a_junction_outside_its_envelope() {
    let mut cities = vec![town::small(3, 3, 7)];
    if let Some(data) = crate::replay::data() {
        let imported = nanming::city_file::load(Some(&data.join("signal/cologne3/cologne3.net.xml")), 0);
        cities.push(imported.unwrap());
    }
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let mut refused = Vec::new();
    for junction in cities.iter().flat_map(|city| &city.junctions) {
        wish_for_a_day(junction, &mut random, &mut refused);
    }
    use EnvelopeRule::*;
    for rule in [HeadCount, Conflict, MinGreen, Pedestrian, Yellow, AllRed, Order, Dark] {
        assert!(refused.contains(&rule), "{rule:?} never had to refuse anything");
    }
}

fn wish_for_a_day(junction: &Junction, random: &mut ChaCha8Rng, refused: &mut Vec<EnvelopeRule>) {
    let (mut shown, mut checker) = (Shown::dark(junction.heads.len()), Checker::new(junction));
    let (mut at_ms, mut taken, mut greens, mut to) = (1_000, 0, 0, 0);
    while at_ms < DAY_S * 1000 {
        at_ms += random.next_u64() % 3_000;
        if below(random, 20) == 0 {
            to = below(random, junction.stages.len());
        }
        let lamps = wish(random, junction, shown.lamps(), to);
        let before = shown.clone();
        let back_ms = if below(random, 50) == 0 { 4_000 } else { 0 };
        match admit(junction, &mut shown, at_ms - back_ms.min(at_ms), &lamps) {
            Ok(()) => {
                checker.see(at_ms - back_ms, &lamps);
                taken += 1;
                greens += usize::from(lamps.iter().any(|l| l.is_green()) && lamps != before.lamps());
            }
            Err((rule, _)) => {
                assert_eq!(shown, before, "a refusal leaves everything as it was");
                if !refused.contains(&rule) {
                    refused.push(rule);
                }
            }
        }
    }
    assert!(
        taken > 1_000 && greens > 100,
        "{}: {taken} taken, {greens} with green: the test must get somewhere",
        junction.name
    );
}

/// Vehicles that no street has seen: any camera, any plate, in bursts and silences.
pub(crate) fn noise(random: &mut ChaCha8Rng, city: &City, tick: u64) -> Batch {
    let mut batch = Batch::default();
    let burst = [0, 0, 1, 3, 20][below(random, 5)];
    for _ in 0..burst {
        batch.passages.push(Passage {
            time_ms: tick - random.next_u64() % 2_000,
            camera: CameraId::from_index(below(random, city.cameras.len())),
            vehicle: VehicleId(random.next_u64() % 400),
            speed_mm_s: (random.next_u64() % 40_000) as u32,
            class: VehicleClass::Car,
        });
    }
    batch
}

#[test]
fn a_day_of_mad_detectors_never_gets_a_command_outside_its_envelope() {
    let city = Arc::new(town::small(2, 2, 3));
    let mut random = ChaCha8Rng::seed_from_u64(2);
    let mut engine = Engine::start(&city, 1, &[]);
    let mut checkers: Vec<_> = city.junctions.iter().map(Checker::new).collect();
    let mut commands = 0;
    let mut tick = 1_000_000;
    let end = tick + DAY_S * 1000;
    while tick < end {
        tick += 100 + random.next_u64() % LONGEST_TICK_MS;
        let batch = noise(&mut random, &city, tick);
        let decisions = engine.step(tick, batch).unwrap();
        assert_eq!(decisions.refusals, [], "the controller asks for nothing that its envelope must refuse");
        for command in &decisions.commands {
            checkers[command.junction.index()].see(command.at_ms, &command.lamps);
            commands += 1;
        }
    }
    assert!(commands > 1_000, "{commands}");
    for (checker, junction) in checkers.iter().zip(&city.junctions) {
        // Each of the steps of a change comes with the first tick after its time.
        let slack_ms = 20 * LONGEST_TICK_MS;
        let (longest_ms, may_ms) = (checker.longest_walk_ms, u64::from(junction.max_red_ms) + slack_ms);
        assert!(longest_ms > 0 && longest_ms <= may_ms, "{}: people wait {longest_ms} ms", junction.name);
    }
}

#[test]
fn a_new_engine_takes_over_without_a_jump_of_any_lamp() {
    let city = Arc::new(town::small(3, 3, 5));
    let mut world = World::new(Arc::clone(&city), WorldSettings::default());
    let mut tick = world.now_ms();
    for _ in 0..4 {
        let mut engine = Engine::start(&city, 1, &[]);
        let mut greens = 0;
        for _ in 0..150 {
            tick += 1_000;
            let mut batch = Batch::default();
            batch.extend(world.step(tick));
            let decisions = engine.step(tick, batch).unwrap();
            greens += decisions.commands.iter().filter(|c| c.interval == Interval::Green).count();
            world.obey(&decisions);
        }
        assert!(greens > city.junctions.len(), "{greens}: every junction is taken over and goes on");
    }
    assert_eq!(world.summary().unsafe_commands, 0);
}
