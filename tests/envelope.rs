//! No signal command outside its envelope, whatever the detectors and the optimiser say. The checker here shares no code
//! with the envelope: it keeps what each head has shown, run by run, and reads the rules off that.

use std::sync::Arc;

use nanming::engine::Engine;
use nanming_dataflows::decide::envelope::{Shown, admit};
use nanming_dataflows::decision::{EnvelopeRule, Interval};
use nanming_dataflows::event::{Batch, Lamp, Passage, VehicleClass};
use nanming_dataflows::ids::{CameraId, VehicleId};
use nanming_dataflows::network::{City, Junction};
use nanming_simulators::town;
use nanming_simulators::world::{World, WorldSettings};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

mod checker;
pub(crate) use checker::{Checker, below};

const DAY_S: u64 = 24 * 3600;
const LONGEST_TICK_MS: u64 = 2_000;

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
    let mut engine = Engine::start(&city, 1);
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
        let mut engine = Engine::start(&city, 1);
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
