use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use nanming_dataflows::event::VehicleClass;
use nanming_dataflows::event::{Batch, FlowReading, Passage};
use nanming_dataflows::ids::{LaneId, VehicleId};
use nanming_dataflows::network::CameraKind;
use tempfile::TempDir;

use super::*;
use crate::recording::Recording;

/// 2026-01-05 at midnight in the town, which keeps Guiyang's time.
const MIDNIGHT_MS: u64 = 1_767_542_400_000;

struct Scene {
    dir: TempDir,
    city: Arc<City>,
}

impl Scene {
    fn new() -> Scene {
        let dir = tempfile::tempdir().unwrap();
        let city = nanming_simulators::town::small(2, 2, 1);
        assert_eq!(city.utc_offset_min, 480);
        city_file::write(&city, &dir.path().join("town.json")).unwrap();
        Scene { dir, city: Arc::new(city) }
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn args(&self) -> ImportArgs {
        ImportArgs {
            city: Some(self.dir.path().join("town.json")),
            seed: 1,
            units: 0,
            fcd: Vec::new(),
            detectors: Vec::new(),
            loops: Vec::new(),
            csv: Vec::new(),
            mapping: None,
            day: NaiveDate::from_ymd_opt(2026, 1, 5).unwrap(),
            out: self.dir.path().join("out"),
            json: false,
        }
    }

    fn import(&self, args: &ImportArgs) -> Result<Imported, ImportError> {
        import(args, "key", &AtomicBool::new(false))
    }

    /// All events of the recording.
    fn events(&self) -> Batch {
        let recording = Recording::open(&self.dir.path().join("out"), &self.city).unwrap();
        let mut all = Batch::default();
        for recorded in recording.ticks(0, u64::MAX).flat_map(Result::unwrap) {
            all.passages.extend(recorded.batch.passages);
            all.flows.extend(recorded.batch.flows);
        }
        all
    }

    /// Line and reason of the dead letters.
    fn letters(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.dir.path().join("out/dead_letters.jsonl")).unwrap();
        let letters = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        letters.map(|letter| format!("{} {}", letter["line"], letter["reason"].as_str().unwrap())).collect()
    }

    /// The stop-line camera of a lane, its place from the lane's beginning in m, and a lane that follows.
    fn stop_line(&self) -> (CameraAt, LaneId) {
        let cameras = self.city.cameras.iter().filter(|c| c.kind == CameraKind::StopLine);
        let with_next = cameras.filter_map(|camera| {
            let (lane, before_mm) = camera.lane?;
            let row = &self.city.lanes[lane.index()];
            let next = self.city.movements[row.movements.first()?.index()].to;
            let at_m = f64::from(row.length_mm - before_mm) / 1000.0;
            Some((CameraAt { name: camera.name.clone(), lane: row.name.clone(), id: camera.id, at_m }, next))
        });
        with_next.into_iter().next().unwrap()
    }
}

struct CameraAt {
    name: String,
    lane: String,
    id: nanming_dataflows::ids::CameraId,
    at_m: f64,
}

#[test]
fn a_vehicle_that_goes_by_a_camera_between_two_steps_is_a_passage_in_between() {
    let scene = Scene::new();
    let (camera, next) = scene.stop_line();
    let next = &scene.city.lanes[next.index()].name;
    let step = |s: f64, lane: &str, pos: f64, speed: f64| {
        format!(
            r#"<timestep time="{s:.2}"><vehicle id="v&amp;1" lane="{lane}" pos="{pos:.3}" speed="{speed}" type="bus" x="1"/></timestep>"#
        )
    };
    let fcd = [
        r#"<?xml version="1.0"?><!-- generated --><fcd-export>"#.to_owned(),
        step(25_200.0, &camera.lane, camera.at_m - 6.0, 10.0),
        step(25_201.0, &camera.lane, camera.at_m - 3.0, 4.0),
        // Through the junction: three of ten metres before the camera.
        step(25_202.0, next, 0.5, 16.0),
        step(25_203.0, "no_such_lane", 0.5, 16.0),
        "</fcd-export>".to_owned(),
    ];
    let mut args = scene.args();
    args.fcd = vec![scene.file("fcd.xml", &fcd.join("\n"))];
    let imported = scene.import(&args).unwrap();
    let at = |p: &Passage| (p.camera, p.vehicle == VehicleId(0), p.class);
    let passages = scene.events().passages;
    let first = passages.first().unwrap_or_else(|| panic!("{imported:?}"));
    assert_eq!(at(first), (camera.id, false, VehicleClass::Bus));
    assert_eq!(first.time_ms, MIDNIGHT_MS + 25_201_300);
    assert_eq!(first.speed_mm_s, 7_600);
    assert_eq!(scene.letters(), ["5 unknown_name"]);
    assert_eq!(imported.dead_letters, [("unknown_name", 1)].into());
}

#[test]
fn a_vehicle_that_is_put_elsewhere_passes_nothing_and_one_that_stands_passes_once() {
    let scene = Scene::new();
    let (camera, _) = scene.stop_line();
    let crossings = crossings::Crossings::new(&scene.city);
    let lane = scene.city.lanes.iter().find(|l| l.name == camera.lane).unwrap();
    let look = |s: f64, lane: Option<LaneId>, at_m: f64| crossings::Look {
        time_ms: s * 1000.0,
        lane,
        at_mm: at_m * 1000.0,
        speed_mm_s: 1_000.0,
    };
    let here = |s: f64, at_m: f64| look(s, Some(lane.id), at_m);
    let n = |before, now| crossings.between(&before, &now).len();
    assert_eq!(n(here(0.0, camera.at_m - 1.0), here(1.0, camera.at_m)), 1);
    assert_eq!(n(here(1.0, camera.at_m), here(2.0, camera.at_m)), 0);
    assert_eq!(n(here(1.0, camera.at_m), look(2.0, None, 1.0)), 0);
    assert_eq!(n(here(1.0, camera.at_m - 1.0), look(2.0, None, 1.0)), 1);
    assert_eq!(n(here(1.0, camera.at_m - 1.0), here(1.0, camera.at_m + 1.0)), 0, "no time went by");
    let far = scene.city.lanes.iter().find(|l| {
        let link = scene.city.link_of(l.id);
        link.from != scene.city.link_of(lane.id).to && link.id != lane.link
    });
    assert_eq!(n(here(0.0, 1.0), look(1.0, Some(far.unwrap().id), 1e6)), 0);
}

#[test]
fn readings_of_loops_come_by_the_name_of_their_camera_or_by_their_place_packed_or_not() {
    let scene = Scene::new();
    let (camera, _) = scene.stop_line();
    let interval = |id: &str, rest: &str| format!(r#"<interval begin="60.00" end="120.00" id="{id}" {rest}/>"#);
    let good = r#"nVehContrib="7" flow="420" occupancy="12.5" speed="8.25" length="5""#;
    let xml = [
        "<detector>".to_owned(),
        interval(&camera.name, good),
        interval("loop_1", r#"nVehContrib="0" flow="0" occupancy="0" speed="-1""#),
        interval("nobody", good),
        interval(&camera.name, r#"nVehContrib="7" occupancy="120" speed="1""#),
        interval(&camera.name, r#"nVehContrib="7" occupancy="1" speed="90""#),
        interval(&camera.name, r#"nVehContrib="many" occupancy="1" speed="9""#),
        interval(&camera.name, r#"occupancy="1" speed="9""#),
        "</detector>".to_owned(),
    ];
    let path = scene.dir.path().join("loops.xml.gz");
    let mut packed = GzEncoder::new(std::fs::File::create(&path).unwrap(), Compression::fast());
    packed.write_all(xml.join("\n").as_bytes()).unwrap();
    packed.finish().unwrap();
    let additional =
        format!(r#"<additional><inductionLoop id="loop_1" lane="{}" pos="-1" file="x"/></additional>"#, camera.lane);
    let mut args = scene.args();
    (args.detectors, args.loops) = (vec![path], vec![scene.file("add.xml", &additional)]);
    scene.import(&args).unwrap();
    let reading = FlowReading {
        time_ms: MIDNIGHT_MS + 120_000,
        camera: camera.id,
        interval_ms: 60_000,
        vehicles: 7,
        speed_mm_s: 8_250,
        occupancy_milli: 125,
    };
    let nobody = FlowReading { vehicles: 0, speed_mm_s: 0, occupancy_milli: 0, ..reading };
    assert_eq!(scene.events().flows, [reading, nobody]);
    let letters = ["4 unknown_camera", "5 out_of_range", "6 impossible_speed", "7 malformed", "8 malformed"];
    assert_eq!(scene.letters(), letters);
}

const MAPPING: &str = r#"
stream = "passages"
delimiter = ";"
speed = "m/s"
columns = { time = "通过时间", camera = "设备", vehicle = "号牌", class = "车型", speed = "速度" }
time = { format = "%Y/%m/%d %H:%M:%S%.f" }
cameras = { "K12+300" = "CAMERA" }
classes = { "大型客车" = "bus" }
"#;

#[test]
fn a_table_is_read_by_its_mapping_and_what_does_not_fit_is_told_with_its_line() {
    let scene = Scene::new();
    let (camera, _) = scene.stop_line();
    let rows = [
        "\u{feff}设备;通过时间;号牌;速度;车型;备注".to_owned(),
        "K12+300;2026/01/05 08:00:00.250;贵A12345;12.5;大型客车;x".into(),
        format!("{};2026/01/05 08:00:01;\"贵A·12345\";10;car;\"a;b\"", camera.name),
        String::new(),
        "K12+300;yesterday;;1;car;".into(),
        "K12+301;2026/01/05 08:00:02;;1;car;".into(),
        "K12+300;2026/01/05 08:00:02;;700;car;".into(),
        "K12+300;2026/01/05 08:00:02;;1;boat;".into(),
        "K12+300;2026/01/05".into(),
        "K12+300;2026/01/05 07:59:59;;1;car;out of order, a little".into(),
        "K12+300;2036/01/05 08:00:03;;1;car;ten years".into(),
        "K12+300;2026/01/05 08:02:03;;1;car;".into(),
        "K12+300;2026/01/05 07:58:30;;1;car;out of order, too much".into(),
        "K12+300;2026/01/05 08:02:04;\";1;car;no end".into(),
        format!("K12+300;2026/01/05 08:02:05;{};1;car;", "x".repeat(70_000)),
        "K12+300;2026/01/05 08:02:06;;1;car;no newline".into(),
    ];
    let mut args = scene.args();
    args.csv = vec![scene.file("gate.csv", &rows.join("\r\n"))];
    args.mapping = Some(scene.file("gate.toml", &MAPPING.replace("CAMERA", &camera.name)));
    scene.import(&args).unwrap();
    let passages = scene.events().passages;
    let eight_ms = MIDNIGHT_MS + 8 * 3_600_000;
    let times: Vec<i64> = passages.iter().map(|p| p.time_ms as i64 - eight_ms as i64).collect();
    assert_eq!(times, [-1_000, 250, 1_000, 123_000, 126_000]);
    assert_eq!((passages[1].speed_mm_s, passages[1].class), (12_500, VehicleClass::Bus));
    assert!(
        passages[1].vehicle == passages[2].vehicle && passages[1].vehicle != VehicleId(0),
        "one plate, one vehicle"
    );
    let letters = [
        "5 malformed",
        "6 unknown_camera",
        "7 impossible_speed",
        "8 malformed",
        "9 malformed",
        "11 out_of_range",
        "13 too_late",
        "14 malformed",
        "15 out_of_range",
    ];
    assert_eq!(scene.letters(), letters);
    let written = std::fs::read(scene.dir.path().join("out/dead_letters.jsonl")).unwrap();
    assert!(!String::from_utf8(written).unwrap().contains("12345"), "a clear plate");
}

#[test]
fn what_cannot_be_imported_at_all_is_said_with_what_to_do() {
    let scene = Scene::new();
    let said = |args: &ImportArgs| scene.import(args).unwrap_err().to_string();
    assert!(said(&scene.args()).contains("--fcd"));
    let fcd = |name: &str, text: &str| {
        let args = ImportArgs { fcd: vec![scene.file(name, text)], ..scene.args() };
        scene.import(&args).unwrap_err().to_string()
    };
    assert!(fcd("a.xml", "<routes/>").contains("--fcd-output"), "{}", fcd("a.xml", "<routes/>"));
    let cut = fcd("b.xml", "<fcd-export><timestep time=\"1\">\n<vehicle id=\"1\"");
    assert!(cut.contains("line 2"), "{cut}");
    assert!(fcd("c.xml", "<fcd-export><timestep time=\"1\">").contains("cut off"));
    assert!(fcd("d.xml", "<fcd-export></timestep>").contains("line 1"));
    assert!(fcd("e.xml", "<fcd-export></fcd-export>").contains("dead_letters"));
    let endless = fcd("f.xml", &format!("<fcd-export><vehicle id=\"{}\"/></fcd-export>", "x".repeat(2 << 20)));
    assert!(endless.contains("too long"), "{endless}");
    let csv = |mapping: &str, table: &str| {
        let (csv, mapping) = (vec![scene.file("t.csv", table)], Some(scene.file("m.toml", mapping)));
        said(&ImportArgs { csv, mapping, ..scene.args() })
    };
    assert!(csv(MAPPING, "a;b").contains("no column '通过时间'"), "{}", csv(MAPPING, "a;b"));
    assert!(csv("stream = \"weather\"", "a").contains("m.toml, line 1"), "{}", csv("stream = \"weather\"", "a"));
    let flows = "stream = \"flows\"\ncolumns = { time = \"a\", camera = \"b\", vehicles = \"c\" }";
    assert!(csv(flows, "a").contains("interval_s"), "{}", csv(flows, "a"));
}

#[test]
fn several_files_are_laid_side_by_side_by_their_times() {
    let scene = Scene::new();
    let (camera, _) = scene.stop_line();
    let mapping =
        "stream = \"passages\"\ncolumns = { time = \"t\", camera = \"c\", speed = \"v\" }\ntime = { format = \"s\" }";
    let table = |name: &str, times: &[u64]| {
        let rows: String = times.iter().map(|t| format!("{t},{},30\n", camera.name)).collect();
        scene.file(name, &format!("t,c,v\n{rows}"))
    };
    let csv = vec![table("a.csv", &[1_000, 1_200, 1_400]), table("b.csv", &[1_100, 1_300, 9_000_000_000])];
    let imported =
        scene.import(&ImportArgs { csv, mapping: Some(scene.file("m.toml", mapping)), ..scene.args() }).unwrap();
    let times: Vec<u64> = scene.events().passages.iter().map(|p| p.time_ms / 1000).collect();
    assert_eq!(times, [1_000, 1_100, 1_200, 1_300, 1_400]);
    assert_eq!((imported.ticks, imported.span_ms), (801, (1_000_000, 1_400_000)), "with a tick each half second");
    assert_eq!(scene.letters(), ["4 out_of_range"]);
}
