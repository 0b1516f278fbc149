//! `nanming sumo` with the real SUMO: a small town that its netgenerate makes, some minutes in a closed loop. What lights really
//! showed is what SUMO writes of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use nanming_dataflows::event::Lamp;
use nanming_dataflows::network::City;
use serde_json::Value;

use crate::envelope::Checker;

/// The program sumo, or none with a loud word.
fn sumo() -> Option<PathBuf> {
    let found = nanming::sumo::find(None);
    found.map_err(|error| eprintln!("SKIPPED: {error}")).ok()
}

/// A town of 2 x 2 junctions with streets that lead out of it, and 20 minutes of traffic; SUMO writes what its lights show.
fn scenario(sumo: &Path, dir: &Path) -> PathBuf {
    let mut netgenerate = Command::new(sumo.with_file_name("netgenerate"));
    netgenerate.args(["--grid", "--grid.number", "2", "--grid.length", "300", "--grid.attach-length", "300"]);
    netgenerate.args(["--default-junction-type", "traffic_light", "--default.lanenumber", "2"]);
    netgenerate.args(["--no-turnarounds", "true", "--seed", "1", "-o"]).arg(dir.join("town.net.xml"));
    assert!(netgenerate.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success());
    let ways = [("left0A0", "B0right0"), ("left1A1", "B1right1"), ("bottom0A0", "A1top0"), ("top1B1", "B0bottom1")];
    let ways = ways.iter().chain(&[("left0A0", "A1top0"), ("right1B1", "B0bottom1")]).enumerate();
    let flow = |(n, (from, to)): (usize, &(&str, &str))| {
        format!("<flow id=\"{n}\" from=\"{from}\" to=\"{to}\" begin=\"0\" end=\"1200\" probability=\"0.08\"/>")
    };
    let flows: String = ways.map(flow).collect();
    std::fs::write(dir.join("town.rou.xml"), format!("<routes>{flows}</routes>")).unwrap();
    let states = "<additional><timedEvent type=\"SaveTLSStates\" dest=\"states.xml\"/></additional>";
    std::fs::write(dir.join("town.add.xml"), states).unwrap();
    let config = "<configuration><input><net-file value=\"town.net.xml\"/><route-files value=\"town.rou.xml\"/>\
                  <additional-files value=\"town.add.xml\"/></input>\
                  <time><begin value=\"0\"/><end value=\"1200\"/></time></configuration>";
    let path = dir.join("town.sumocfg");
    std::fs::write(&path, config).unwrap();
    path
}

fn nanming(scenario: &Path, options: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nanming"));
    command.arg("sumo").arg(scenario).args(options.split_whitespace()).env("NANMING_LOG", "warn").output().unwrap()
}

fn figures(scenario: &Path, options: &str) -> Value {
    let done = nanming(scenario, &format!("{options} --json"));
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    serde_json::from_slice(&done.stdout).unwrap()
}

/// Every state that SUMO's lights showed is one that may follow; how many changes there were.
fn check_states(city: &City, dir: &Path) -> usize {
    let text = std::fs::read_to_string(dir.join("states.xml")).unwrap();
    let document = roxmltree::Document::parse(&text).unwrap();
    let mut checkers: BTreeMap<&str, Checker<'_>> =
        city.junctions.iter().map(|j| (j.name.as_str(), Checker::new(j))).collect();
    let (mut changes, mut last) = (0, BTreeMap::new());
    for state in document.descendants().filter(|e| e.has_tag_name("tlsState")) {
        let (id, shown) = (state.attribute("id").unwrap(), state.attribute("state").unwrap());
        let at_s: f64 = state.attribute("time").unwrap().parse().unwrap();
        let lamps: Vec<Lamp> = shown.chars().map(|c| Lamp::from_char(c).unwrap()).collect();
        checkers.get_mut(id).unwrap().see(1_000_000 + (at_s * 1000.0) as u64, &lamps);
        changes += usize::from(last.insert(id, shown).is_some_and(|before| before != shown));
    }
    changes
}

#[test]
fn sumos_lights_obey_the_engine_inside_their_envelope_and_vehicles_arrive() {
    let Some(sumo) = sumo() else { return };
    let dir = tempfile::tempdir().unwrap();
    let scenario = scenario(&sumo, dir.path());
    let city = nanming::city_file::load(Some(&dir.path().join("town.net.xml")), 0).unwrap();
    let failing = "--seeds 2 --sensing detectors --misses 0.1 --dead 0.2";
    for (options, least_percent) in [("--seeds 1", 80), ("--seeds 1 --mode plan", 80), (failing, 60)] {
        let told = figures(&scenario, options);
        let (arrived, loaded) = (told["arrived"].as_u64().unwrap(), told["loaded"].as_u64().unwrap());
        assert!(loaded > 400 && arrived * 100 > loaded * least_percent, "{told}");
        let delay_s = told["median_delay_s"].as_f64().unwrap();
        assert!(delay_s > 0.0 && delay_s < 200.0 && told["worst_delay_s"] == delay_s, "{told}");
        assert!(told["seeds"][0]["refusals"] == 0 && told["decide_ms_per_city_s"].as_f64() > Some(0.0), "{told}");
        let changes = check_states(&city, dir.path());
        assert!(changes > 200, "{changes}");
    }
}

#[test]
fn the_same_seed_gives_the_same_and_another_controller_another() {
    let Some(sumo) = sumo() else { return };
    let dir = tempfile::tempdir().unwrap();
    let scenario = scenario(&sumo, dir.path());
    let seeds = |options: &str| {
        let mut told = figures(&scenario, &format!("--end 300 {options}"));
        let seeds = told["seeds"].as_array_mut().unwrap();
        seeds.iter_mut().for_each(|run| drop(run.as_object_mut().unwrap().remove("decide_ms_per_city_s")));
        seeds.clone()
    };
    let engine = seeds("--seeds 4,3 --jobs 2");
    assert_eq!((engine[0]["seed"].as_u64(), engine[1]["seed"].as_u64()), (Some(4), Some(3)));
    assert_eq!(seeds("--seeds 3 --jobs 1"), engine[1..]);
    assert!(["seed-3.states.xml", "seed-4.states.xml"].iter().all(|name| dir.path().join(name).is_file()));
    let fixed = seeds("--seeds 3 --controller fixed");
    assert!(fixed[0]["commands"] == 0 && fixed[0]["delay_s"] != engine[1]["delay_s"], "{fixed:?}");
    let said = String::from_utf8(nanming(&scenario, "--end 60 --seeds 1").stdout).unwrap();
    assert!(said.contains("seed   1: delay") && said.contains("in all: median delay"), "{said}");
}

#[test]
fn a_packed_scenario_is_played_in_the_full_envelope_and_drawn() {
    let Some(sumo) = sumo() else { return };
    let dir = tempfile::tempdir().unwrap();
    let scenario = scenario(&sumo, dir.path());
    for name in ["town.net.xml", "town.rou.xml"] {
        let file = std::fs::File::create(dir.path().join(format!("{name}.gz"))).unwrap();
        let mut packed = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
        std::io::copy(&mut std::fs::File::open(dir.path().join(name)).unwrap(), &mut packed).unwrap();
        packed.finish().unwrap();
        std::fs::remove_file(dir.path().join(name)).unwrap();
    }
    let config = std::fs::read_to_string(&scenario).unwrap();
    std::fs::write(&scenario, config.replace(".net.xml", ".net.xml.gz").replace(".rou.xml", ".rou.xml.gz")).unwrap();
    let plots = dir.path().join("plots");
    let told =
        figures(&scenario, &format!("--seeds 1 --end 600 --all-red 2 --pedestrians --plots {}", plots.display()));
    let asked = (told["all_red_s"].as_f64(), told["pedestrians"].as_bool(), told["without_walk"].as_u64());
    assert_eq!(asked, (Some(2.0), Some(true), Some(0)), "{told}");
    assert!(told["arrived"].as_u64() > Some(100) && told["seeds"][0]["refusals"] == 0, "{told}");
    for (name, holds) in
        [("delay", "its own programs"), ("time-space-engine", "seed 1"), ("time-space-fixed", "seed 1")]
    {
        let drawn = std::fs::read_to_string(plots.join(format!("{name}.svg"))).unwrap();
        assert!(drawn.contains(holds) && drawn.contains("<polyline"), "{name}: {drawn}");
    }
    // The lights of the programs were the last to be written: those of the engine once more.
    figures(&scenario, "--seeds 1 --end 600 --all-red 2 --pedestrians");
    let mut city = nanming::city_file::load(Some(&dir.path().join("town.net.xml.gz")), 0).unwrap();
    nanming_simulators::sumo_net::with_all_red(&mut city, 2_000);
    nanming_simulators::sumo_net::with_pedestrians(&mut city);
    assert!(city.junctions.iter().all(|j| j.all_red_ms >= 2_000 && j.stages.iter().any(|s| s.walk_ms > 0)));
    assert!(check_states(&city, dir.path()) > 100);
}

#[test]
fn errors_say_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let scenario = dir.path().join("x.sumocfg");
    let refused = |options: &str, code: i32, words: &str| {
        let done = nanming(&scenario, options);
        let said = String::from_utf8(done.stderr).unwrap();
        assert!(done.status.code() == Some(code) && said.contains(words), "{said}");
    };
    refused("--seeds 3-1", 2, "such as 1-8");
    refused("--dead 2", 2, "share from 0 to 1");
    refused("--upstream-m 2", 2, "from 5 to 1000 m");
    refused("--delay 61", 2, "from 0 to 60 s");
    refused("--noise x", 2, "from 0 to 5000 ms");
    refused("--all-red 99", 2, "from 0 to 20 s");
    refused("--jobs 0", 2, "--jobs");
    refused("--controller fixed --pedestrians", 1, "leave out --controller fixed");
    refused("--sumo /nowhere", 1, "give --sumo the program");
    let without = Command::new(env!("CARGO_BIN_EXE_nanming")).arg("sumo").arg(&scenario).env("PATH", "").output();
    let mut without = without.unwrap();
    if std::env::var_os("SUMO_HOME").is_none() {
        let said = String::from_utf8(std::mem::take(&mut without.stderr)).unwrap();
        assert!(said.contains("pip install eclipse-sumo==1.28.0"), "{said}");
    }
    let Some(sumo) = sumo() else { return };
    refused("", 1, "x.sumocfg");
    let town = self::scenario(&sumo, dir.path());
    std::fs::write(dir.path().join("town.rou.xml"), "<routes><flow id=\"0\" from=\"nowhere\"/></routes>").unwrap();
    std::fs::rename(town, &scenario).unwrap();
    refused("--end 60", 1, "it says:");
}
