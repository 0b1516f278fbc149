use std::collections::BTreeSet;
use std::sync::OnceLock;

use nanming_dataflows::ids::*;
use nanming_dataflows::network::{CameraKind, City, Junction, Light, Turn};

use super::*;

fn guiyang() -> &'static City {
    static CITY: OnceLock<City> = OnceLock::new();
    CITY.get_or_init(|| generate(7))
}

#[test]
fn the_reference_city_has_the_promised_numbers() {
    let city = guiyang();
    city.check().unwrap();
    assert_eq!(city.junctions.len(), 499);
    assert_eq!(city.cameras.len(), 105_000);
    assert_eq!(city.grids.len(), 240);
    assert_eq!(city.units.len(), 1200);
    assert_eq!(city.sites.len(), 1300);
    assert_eq!(city.supervisors.len(), 145);
    assert_eq!(city.bus_lines.len(), 120);
    assert_eq!(city.venues.len(), 150);
    assert_eq!(city.districts.len(), 10);
    assert!((1900..2600).contains(&city.links.len()), "{} links", city.links.len());
    assert_eq!((city.origin.lon_e7, city.origin.lat_e7, city.utc_offset_min), (1_066_300_000, 266_500_000, 480));
}

#[test]
fn every_seed_gives_a_sound_city() {
    for seed in 0..4 {
        let city = generate(seed);
        city.check().unwrap();
        assert_eq!((city.junctions.len(), city.cameras.len()), (499, 105_000), "seed {seed}");
        assert_eq!(unreachable(&city), BTreeSet::new(), "seed {seed}");
    }
}

#[test]
fn same_seed_same_city_other_seed_another() {
    assert_eq!(guiyang(), &generate(7));
    assert_ne!(guiyang().links, generate(8).links);
}

#[test]
fn the_table_of_numbers_is_for_people() {
    assert_eq!(numbers(guiyang()).to_string(), TABLE);
}

/// Links that some link of the city cannot be reached from, or that cannot reach it, by lanes and movements.
fn unreachable(city: &City) -> BTreeSet<LinkId> {
    let onward = buses::following(city);
    let mut backward = vec![Vec::new(); city.links.len()];
    for (from, all) in onward.iter().enumerate() {
        all.iter().for_each(|to| backward[to.index()].push(LinkId::from_index(from)));
    }
    let all: BTreeSet<LinkId> = city.links.iter().map(|l| l.id).collect();
    let both = &reached(&onward) & &reached(&backward);
    &all - &both
}

fn reached(next: &[Vec<LinkId>]) -> BTreeSet<LinkId> {
    let mut seen = BTreeSet::from([LinkId(0)]);
    let mut open = vec![LinkId(0)];
    while let Some(link) = open.pop() {
        open.extend(next[link.index()].iter().filter(|l| seen.insert(**l)));
    }
    seen
}

#[test]
fn nobody_turns_back_but_at_dead_ends() {
    let city = guiyang();
    let out = city.links_out();
    for m in &city.movements {
        let dead_end = out[city.link_of(m.from).to.index()].len() == 1;
        assert_eq!(m.turn == Turn::UTurn, dead_end, "movement {}", m.id);
    }
}

#[test]
fn junctions_have_three_to_five_legs() {
    let all: usize = guiyang().junctions.iter().map(|j| j.approaches.len()).sum();
    assert!((3.5..4.0).contains(&(all as f64 / 499.0)), "mean degree {}", all as f64 / 499.0);
    let legs = |n: usize| guiyang().junctions.iter().filter(|j| j.approaches.len() == n).count();
    assert_eq!(legs(3) + legs(4) + legs(5), 499);
    assert!(legs(3) > 20 && legs(4) > 300 && legs(5) >= 3, "{} {} {}", legs(3), legs(4), legs(5));
}

#[test]
fn every_head_is_served_and_knows_its_movements() {
    let city = guiyang();
    for j in &city.junctions {
        for (row, head) in j.heads.iter().enumerate() {
            assert!(j.stages.iter().any(|s| s.lights[row].is_green()), "{} head {row}", j.name);
            assert!(!head.movements.is_empty());
            let signal = Some((j.id, row as u16));
            assert!(head.movements.iter().all(|m| city.movements[m.index()].signal == signal));
        }
        for a in &j.approaches {
            let through = city.links[a.link.index()].lanes.iter().flat_map(|l| &city.lanes[l.index()].movements);
            assert!(through.clone().count() > 0 && through.clone().all(|m| city.movements[m.index()].signal.is_some()));
        }
    }
}

#[test]
fn every_motor_lane_into_a_signal_has_its_stop_line_camera() {
    let city = guiyang();
    let cameras = city.cameras.iter().filter(|c| c.kind == CameraKind::StopLine);
    let watched: BTreeSet<LaneId> = cameras.filter_map(|c| c.lane).map(|(lane, _)| lane).collect();
    let into_signal = |l: LaneId| city.nodes[city.link_of(l).to.index()].junction.is_some();
    let lanes: BTreeSet<LaneId> = city.lanes.iter().map(|l| l.id).filter(|l| into_signal(*l)).collect();
    assert_eq!(watched, lanes);
    let names: BTreeSet<&str> = city.cameras.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names.len(), city.cameras.len());
    assert!(names.iter().all(|n| n.len() == 20 && n.starts_with("5201") && n.bytes().all(|b| b.is_ascii_digit())));
}

#[test]
fn plans_keep_minimum_greens_and_bounded_reds() {
    for j in &guiyang().junctions {
        assert_eq!(j.plans.len(), Period::ALL.len());
        for p in &j.plans {
            assert!((70_000..=125_000).contains(&p.cycle_ms()), "{} {} {}", j.name, p.name, p.cycle_ms());
            assert!(p.offset_ms < p.cycle_ms());
            for step in &p.steps {
                let stage = &j.stages[usize::from(step.stage)];
                assert!((stage.min_green_ms..=stage.max_green_ms).contains(&step.green_ms), "{} {}", j.name, p.name);
            }
            assert!((0..j.heads.len()).all(|h| longest_red_ms(j, p, h) <= j.max_red_ms));
        }
    }
}

#[test]
fn plans_let_every_head_go_and_leave_single_legs_to_those_who_count() {
    let lone = |s: &nanming_dataflows::network::Stage| s.name.ends_with(" alone") && s.walk_ms == 0;
    for j in &guiyang().junctions {
        for p in &j.plans {
            let shown = || p.steps.iter().map(|step| &j.stages[usize::from(step.stage)]);
            assert!((0..j.heads.len()).all(|h| shown().any(|s| s.lights[h].is_green())), "{} {}", j.name, p.name);
            assert!(!shown().any(lone), "{} {}", j.name, p.name);
        }
    }
    assert!(guiyang().junctions.iter().filter(|j| j.stages.iter().any(lone)).count() > 400);
}

fn longest_red_ms(j: &Junction, plan: &nanming_dataflows::network::Plan, head: usize) -> u32 {
    let green = |s: &nanming_dataflows::network::PlanStep| j.stages[usize::from(s.stage)].lights[head] != Light::Red;
    plan.cycle_ms() - plan.steps.iter().filter(|s| green(s)).map(|s| s.green_ms).sum::<u32>()
}

#[test]
fn enough_units_are_on_shift_at_any_time_and_in_every_grid() {
    let city = guiyang();
    for minute in 0..24 * 60 {
        let on: Vec<_> = city.units.iter().filter(|u| u.on_shift(minute)).collect();
        let grids: BTreeSet<GridId> = on.iter().map(|u| u.grid).collect();
        assert!(on.len() >= 350 && grids.len() == 240, "minute {minute}: {} in {}", on.len(), grids.len());
    }
    assert!(city.units.iter().all(|u| city.grids[u.grid.index()].holds(u.post)));
}

#[test]
fn every_place_lies_in_one_grid() {
    let city = guiyang();
    let places = city.links.iter().flat_map(|l| l.shape.iter().copied());
    let places = places.chain(city.sites.iter().map(|s| s.at)).chain(city.venues.iter().map(|v| v.at));
    for at in places.chain(city.cameras.iter().map(|c| c.at)) {
        assert_eq!(city.grids.iter().filter(|g| g.holds(at)).count(), 1, "{at:?}");
    }
}

#[test]
fn supervisors_have_eight_to_ten_sites_each() {
    let city = guiyang();
    let mut loads = vec![0; city.supervisors.len()];
    city.sites.iter().for_each(|s| loads[s.supervisor.index()] += 1);
    assert!(loads.iter().all(|n| (8..=10).contains(n)), "{loads:?}");
}

#[test]
fn bus_routes_can_be_driven() {
    let city = guiyang();
    let next = buses::following(city);
    for b in &city.bus_lines {
        assert!(b.route.windows(2).all(|w| next[w[0].index()].contains(&w[1])), "{}", b.name);
        assert!(b.stops.len() >= 2 && b.stops.iter().all(|(l, at_mm)| *at_mm < city.links[l.index()].length_mm));
    }
}

#[test]
fn districts_all_have_links_and_junctions() {
    let city = guiyang();
    for d in &city.districts {
        assert!(city.links.iter().filter(|l| l.district == d.id).count() > 20, "{}", d.name_en);
        assert!(city.junctions.iter().any(|j| j.district == d.id), "{}", d.name_en);
    }
}

#[test]
fn small_towns_come_in_all_shapes() {
    for (rows, cols) in [(1, 1), (1, 4), (2, 2), (3, 3), (5, 4)] {
        let town = crate::town::small(rows, cols, 3);
        town.check().unwrap();
        assert_eq!(town.junctions.len(), rows * cols);
        assert_eq!(unreachable(&town), BTreeSet::new());
    }
}

#[test]
fn the_wave_runs_along_the_most_important_road() {
    let town = crate::town::small(3, 6, 1);
    let estimate = demand::estimate(&town, 1);
    let night = |m: MovementId| f64::from(estimate[m.index()][Period::Night as usize]);
    let chain = &offsets::heavier_chains(&town, &night)[0];
    let green = |link: &LinkId| offsets::green_start(&town, *link).map(|(_, plan, start_ms)| (plan, start_ms));
    let waves: Vec<_> = chain.iter().filter_map(|link| green(link).map(|g| (link, g))).collect();
    assert!(waves.len() >= 4, "{}", waves.len());
    for pair in waves.windows(2) {
        let [(_, (plan, start_ms)), (link, (next, next_start_ms))] = pair else { unreachable!() };
        assert_eq!(plan.cycle_ms(), next.cycle_ms());
        let arrives_ms = plan.offset_ms + start_ms + town.links[link.index()].free_travel_ms() as u32;
        assert_eq!(arrives_ms % plan.cycle_ms(), (next.offset_ms + next_start_ms) % plan.cycle_ms());
    }
}

/// What `numbers` says of seed 7. A change here is a change of the reference city.
const TABLE: &str = "\
guiyang
  signalised junctions          499
  nodes                         606
  links                        2116
  link length, km               836
  lanes                        5924
  movements                    7968
  signal heads                 5210
  stages                       2889
  plans                        2495
  cameras                    105000
    at stop lines              5589
    along links               68713
    counting crowds           15098
    at building sites         15600
  districts                      10
  patrol grids                  240
  patrol units                 1200
    on shift at least           400
  venues                        150
  building sites               1300
  site supervisors              145
  bus lines                     120
  bus stops                    1566
";
