use std::path::PathBuf;

use nanming_dataflows::ids::*;
use nanming_dataflows::network::{Conflict, Light, Turn};

use super::*;

/// The crossing of a one-way street from the west and one from the south, with a left turn from the south.
const TINY: &str = r#"<net version="1.9">
  <location netOffset="0.00,0.00" convBoundary="0.00,0.00,200.00,200.00" origBoundary="0,0,200,200" projParameter="!"/>
  <edge id=":c_0" function="internal"><lane id=":c_0_0" index="0" speed="9" length="10" shape="95,98 105,98"/></edge>
  <edge id="w" from="west" to="c" name="Long Road">
    <lane id="w_0" index="0" allow="pedestrian" speed="2.00" length="95.00" shape="0.00,94.00 95.00,94.00"/>
    <lane id="w_1" index="1" disallow="tram" speed="13.89" length="95.00" shape="0.00,98.00 95.00,98.00"/>
  </edge>
  <edge id="s" from="south" to="c"><lane id="s_0" index="0" speed="8.33" length="95" shape="102,0 102,95"/></edge>
  <edge id="e" from="c" to="east"><lane id="e_0" index="0" speed="13.89" length="95" shape="105,98 200,98"/></edge>
  <edge id="n" from="c" to="north"><lane id="n_0" index="0" speed="8.33" length="95" shape="102,105 102,200"/></edge>
  PROGRAMS
  <junction id="c" type="traffic_light" x="100.00" y="100.00" incLanes="s_0 w_1" intLanes=":c_0_0">
    <request index="0" response="000" foes="100" cont="0"/>
    <request index="1" response="000" foes="100" cont="0"/>
    <request index="2" response="011" foes="011" cont="0"/>
  </junction>
  <junction id="west" type="dead_end" x="0.00" y="100.00" incLanes="" intLanes=""/>
  <junction id="south" type="dead_end" x="100.00" y="0.00" incLanes="" intLanes=""/>
  <junction id="east" type="dead_end" x="200.00" y="100.00" incLanes="e_0" intLanes=""/>
  <junction id="north" type="dead_end" x="100.00" y="200.00" incLanes="n_0" intLanes=""/>
  <junction id=":c_0_0" type="internal" x="100.00" y="98.00"/>
  <connection from="s" to="e" fromLane="0" toLane="0" via=":c_0_0" tl="c" linkIndex="0" dir="r" state="o"/>
  <connection from="s" to="n" fromLane="0" toLane="0" via=":c_0_0" tl="c" linkIndex="1" dir="s" state="o"/>
  <connection from="w" to="e" fromLane="1" toLane="0" via=":c_0_0" tl="c" linkIndex="2" dir="s" state="o"/>
  <connection from=":c_0" to="e" fromLane="0" toLane="0" dir="s" state="M"/>
</net>"#;

const ONE_PROGRAM: &str = r#"<tlLogic id="c" type="static" programID="0" offset="10">
    <phase duration="20" state="sGr" minDur="7"/>
    <phase duration="3" state="yyr"/>
    <phase duration="2" state="rrr"/>
    <phase duration="4" state="srG"/>
    <phase duration="4" state="yry"/>
  </tlLogic>"#;

fn tiny(programs: &str) -> Result<Import, ImportError> {
    read(&TINY.replace("PROGRAMS", programs), "tiny")
}

#[test]
fn a_tiny_net_reads_as_drawn() {
    let Import { city, warnings } = tiny(ONE_PROGRAM).unwrap();
    assert_eq!(warnings, Vec::<String>::new());
    assert_eq!((city.name.as_str(), city.origin), ("tiny", LonLat::default()));
    assert_eq!(city.nodes.iter().map(|n| n.name.as_str()).collect::<Vec<_>>(), ["c", "west", "south", "east", "north"]);
    let west = &city.links[0];
    assert_eq!(
        (west.name.as_str(), west.road.as_str(), west.length_mm, west.free_speed_mm_s),
        ("w", "Long Road", 95_000, 13_890)
    );
    assert_eq!((west.from, west.to, west.lanes.len()), (NodeId(1), NodeId(0), 2));
    assert_eq!(city.lanes.iter().map(|l| l.motor).collect::<Vec<_>>(), [false, true, true, true, true]);
    let at = |x_mm, y_mm| nanming_dataflows::network::Point { x_mm, y_mm };
    assert_eq!(west.shape, [at(-100_000, -2_000), at(-5_000, -2_000)]);
    let turns: Vec<Turn> = city.movements.iter().map(|m| m.turn).collect();
    assert_eq!(turns, [Turn::Right, Turn::Through, Turn::Through]);
    assert_eq!(city.movements[2].signal, Some((JunctionId(0), 2)));
    assert_eq!(city.cameras.iter().map(|c| c.name.as_str()).collect::<Vec<_>>(), ["w_1", "s_0", "e_0", "n_0"]);
    assert_eq!((city.cameras[0].lane, city.cameras[0].at), (Some((LaneId(1), 2_500)), at(-7_500, -2_000)));
    assert_eq!(city.grids.len(), 16);
}

#[test]
fn a_tiny_signal_reads_as_drawn() {
    use Light::{Permissive, Protected, Red};
    let city = tiny(ONE_PROGRAM).unwrap().city;
    let c = &city.junctions[0];
    assert_eq!(
        (c.name.as_str(), c.nodes.as_slice(), c.all_red_ms, c.max_red_ms),
        ("c", &[NodeId(0)][..], 2_000, 120_000)
    );
    assert_eq!(
        c.approaches.iter().map(|a| (a.link, a.heading_deg)).collect::<Vec<_>>(),
        [(LinkId(0), 90), (LinkId(1), 0)]
    );
    assert_eq!(c.heads.iter().map(|h| h.yellow_ms).collect::<Vec<_>>(), [3_000; 3], "by the speed before the lines");
    assert_eq!(
        c.stages.iter().map(|s| (s.min_green_ms, s.max_green_ms)).collect::<Vec<_>>(),
        [(7_000, 60_000), (4_000, 60_000)]
    );
    assert_eq!(c.stages[0].lights, [Permissive, Protected, Red]);
    assert_eq!(c.stages[1].lights, [Permissive, Red, Protected]);
    assert_eq!(c.conflicts.get(0, 2), Conflict::FirstYields, "right on red, whatever the row says");
    assert_eq!(c.conflicts.get(1, 2), Conflict::Hard, "never together on the map");
    assert_eq!(c.conflicts.get(0, 1), Conflict::None, "one approach");
    let plan = &c.plans[0];
    assert_eq!((plan.offset_ms, plan.cycle_ms()), (10_000, 33_000));
    assert_eq!(
        plan.steps.iter().map(|s| (s.stage, s.green_ms, s.intergreen_ms)).collect::<Vec<_>>(),
        [(0, 20_000, 5_000), (1, 4_000, 4_000)]
    );
}

#[test]
fn several_programs_share_their_stages() {
    let more = ONE_PROGRAM.to_string()
        + r#"<tlLogic id="c" type="static" programID="night" offset="-3">
          <phase duration="3" state="yyr"/><phase duration="70" state="rrG"/><phase duration="3" state="rry"/>
          <phase duration="80" state="sGr"/></tlLogic>
        <tlLogic id="c" type="static" programID="off"><phase duration="90" state="ooo"/></tlLogic>"#;
    let city = tiny(&more).unwrap().city;
    let c = &city.junctions[0];
    assert_eq!(c.stages.len(), 3);
    assert_eq!(c.plans.iter().map(|p| p.name.as_str()).collect::<Vec<_>>(), ["0", "night"]);
    assert_eq!(
        c.plans[1].steps.iter().map(|s| (s.stage, s.green_ms, s.intergreen_ms)).collect::<Vec<_>>(),
        [(2, 70_000, 3_000), (0, 80_000, 3_000)]
    );
    assert_eq!((c.plans[1].cycle_ms(), c.plans[1].offset_ms), (156_000, 0));
    assert_eq!((c.max_red_ms, c.stages[0].max_green_ms), (156_000, 80_000));
}

#[test]
fn the_last_program_of_an_additional_file_is_the_first_plan() {
    let program = |name: &str, green_s: u32| {
        format!(
            "<tlLogic id=\"c\" type=\"static\" programID=\"{name}\" offset=\"0\"><phase duration=\"{green_s}\" \
             state=\"rrG\"/><phase duration=\"3\" state=\"rry\"/><phase duration=\"80\" state=\"sGr\"/></tlLogic>"
        )
    };
    let files = [program("a", 70), program("b", 65)].map(|p| format!("\u{feff}<additional>{p}</additional>"));
    let files = [files[0].clone(), "<additional><poly id=\"p\"/></additional>".into(), files[1].clone()];
    let net = TINY.replace("PROGRAMS", ONE_PROGRAM);
    let city = read_with(&net, &files, "tiny").unwrap().city;
    let plans = &city.junctions[0].plans;
    assert_eq!(plans.iter().map(|p| p.name.as_str()).collect::<Vec<_>>(), ["b", "a", "0"]);
    assert_eq!((plans[0].steps[0].green_ms, city.junctions[0].max_red_ms), (65_000, 153_000));
    assert!(read_with(&net, &["<tlLogic".into()], "tiny").is_err());
}

#[test]
fn crossing_greens_are_repaired_and_told() {
    let Import { city, warnings } = tiny(r#"<tlLogic id="c"><phase duration="9" state="GGG"/></tlLogic>"#).unwrap();
    assert_eq!(city.junctions[0].stages[0].lights, [Light::Protected, Light::Protected, Light::Permissive]);
    assert_eq!(
        warnings,
        ["tlLogic c, stage 0: head 2 showed G beside head 0, to which it must give way; it shows g now"]
    );
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    let says = |xml: &str, expected: &str| {
        let error = read(xml, "bad").unwrap_err().to_string();
        assert!(error.contains(expected), "'{error}' does not say '{expected}'");
    };
    let with = |from: &str, to: &str| TINY.replace("PROGRAMS", ONE_PROGRAM).replace(from, to);
    says("<net><edge></net>", "not XML");
    says("<routes/>", "its root is <routes>, not <net>");
    says("<net/>", "<net> in line 1: element location is missing");
    says(
        &with("speed=\"8.33\" length=\"95\"", "length=\"95\""),
        "<lane id=\"s_0\"> in line 8: attribute speed is missing",
    );
    says(&with("length=\"95.00\"", "length=\"x\""), "in line 5: length=\"x\" is not a number");
    says(&with("from=\"south\"", "from=\"moon\""), "<edge id=\"s\"> in line 8: there is no junction moon");
    says(&with("toLane=\"0\" via", "toLane=\"4\" via"), "there is no lane 4 on edge e");
    says(&with("linkIndex=\"2\"", "linkIndex=\"3\""), "there is no character 3 in its states");
    says(&with("state=\"rrr\"", "state=\"rr\""), "state=\"rr\" is not 3 characters long");
    says(&with("state=\"rrr\"", "state=\"rxr\""), "state=\"rxr\" is not made of");
    says(&with("foes=\"011\"", "foes=\"11\""), "foes=\"11\" is not 3 bits");
    says(&with("projParameter=\"!\"", "projParameter=\"+proj=moon\""), "projection \"+proj=moon\"");
    says(&with("shape=\"102,0 102,95\"", "shape=\"102,0\""), "is not a list of at least 2 places");
}

#[test]
fn units_are_posted_on_links() {
    let mut city = tiny(ONE_PROGRAM).unwrap().city;
    with_units(&mut city, 5, 1);
    city.check().unwrap();
    assert_eq!(city.units.len(), 5);
    assert!(city.units.iter().all(|u| u.on_shift(100) && city.grids[u.grid.index()].holds(u.post)));
}

fn real(name: &str) -> Option<Import> {
    let workspace = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let data = std::env::var_os("NANMING_DATA").map_or(workspace.join("../shared/data"), PathBuf::from);
    let path = data.join(format!("signal/{name}/{name}.net.xml"));
    match std::fs::read_to_string(&path) {
        Ok(xml) => Some(read(&xml, name).unwrap()),
        Err(e) => {
            eprintln!("SKIPPED: {} cannot be read ({e}); set NANMING_DATA", path.display());
            None
        }
    }
}

fn check_real(name: &str, junctions: usize, origin: (f64, f64)) {
    let Some(Import { city, warnings }) = real(name) else { return };
    assert_eq!(city.junctions.len(), junctions, "{name}");
    assert_eq!(warnings, Vec::<String>::new(), "{name}");
    for j in &city.junctions {
        for (row, head) in j.heads.iter().enumerate() {
            assert!(!head.movements.is_empty(), "{name} {} head {row} governs nothing", j.name);
            assert!(j.stages.iter().any(|s| s.lights[row].is_green()), "{name} {} head {row} is never green", j.name);
        }
        assert!(j.approaches.len() >= 3 && j.stages.len() >= 2, "{name} {}", j.name);
    }
    let (lon, lat) = city.origin.degrees();
    assert!((lon - origin.0).abs() < 2e-6 && (lat - origin.1).abs() < 2e-6, "{name} lies at {lon} {lat}");
    assert!(city.links.iter().all(|l| l.shape.iter().all(|p| city.grid_at(*p).is_some())));
    let drawn_mm = |l: &nanming_dataflows::network::Link| crate::course::length_mm(&l.shape) as f64;
    let near = |l: &&nanming_dataflows::network::Link| (drawn_mm(l) / f64::from(l.length_mm) - 1.0).abs() < 0.2;
    assert!(city.links.iter().filter(near).count() * 10 > city.links.len() * 8, "{name} is drawn to another scale");
}

/// The places were worked out apart from the code under test, by Krüger's series in Python.
#[test]
fn the_real_nets_read_whole_and_need_no_repair() {
    check_real("cologne1", 1, (6.927299, 50.930965));
    check_real("cologne3", 3, (6.911873, 50.929408));
    check_real("ingolstadt7", 7, (11.416324, 48.768504));
    check_real("grid4x4", 16, (0.0, 0.0));
}

#[test]
fn real_plans_are_those_of_the_file() {
    let Some(Import { city, .. }) = real("cologne1") else { return };
    let j = &city.junctions[0];
    let steps: Vec<_> = j.plans[0].steps.iter().map(|s| (s.stage, s.green_ms, s.intergreen_ms)).collect();
    assert_eq!(steps, [(0, 29_000, 5_000), (1, 6_000, 5_000), (2, 29_000, 5_000), (3, 6_000, 5_000)]);
    assert_eq!((j.heads.len(), j.heads[0].yellow_ms, j.stages[1].min_green_ms), (20, 3_000, 5_000));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(1000))]

    /// A net that is read makes a city that can be checked; any other is refused with words.
    #[test]
    fn a_damaged_net_is_read_or_refused(seed: u64) {
        let whole = TINY.replace("PROGRAMS", ONE_PROGRAM);
        let bytes = crate::damage::damaged(whole.as_bytes(), seed);
        match read(&String::from_utf8_lossy(&bytes), "tiny") {
            Ok(import) => drop(import.city.check()),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
}
