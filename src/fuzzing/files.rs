//! Files: settings, cities, tables, what others recorded.

use std::path::Path;
use std::sync::Arc;

use nanming_dataflows::network::City;

use super::{CITY, assert_says, choosing, chosen, with_file};
use crate::classify::{Classifier, Told};
use crate::cluster::Cluster;
use crate::controllers::Table as Controllers;
use crate::dispatch_eval::Calls;
use crate::forecast_eval::{Table, near};
use crate::ingest::Names;
use crate::ingest::viid::CameraTable;
use crate::recording::fingerprint;
use crate::{city_file, config, import, replay, rosters};

/// A roster of two points, and a desk.
pub(super) const ROSTER: &str = r#"name = "lanes"
speed_km_h = 4
roles = [{ name = "desk" }]
kinds = [{ name = "missed" }]
ladder = [{ role = "desk", accept_min = 1, done_min = 2 }]
points = [{ from = "sites" }, { placed = 2 }]
persons = [{ role = "desk", placed = 2, tasks = 9, shift = "08:00-18:00" }]
"#;

/// A file of some kind.
pub(super) fn files(bytes: &[u8]) {
    let (which, rest) = chosen(bytes);
    match which % 13 {
        0 => import::fuzzing::positions(rest),
        1 => import::fuzzing::loops(rest),
        2 => import::fuzzing::mapped(rest),
        3 => replay::fuzzing::tables(rest),
        4 => settings(rest),
        5 => rules(rest),
        6 => drop(with_file("c.toml", rest, |path| assert_says(Controllers::load(&CITY, path)))),
        7 => drop(with_file("v.toml", rest, |path| assert_says(CameraTable::load(Arc::clone(&CITY), None, path)))),
        8 => roster(rest),
        9 => city("city.json", rest),
        10 => city("city.net.xml", rest),
        11 => drop(with_file("hosts", rest, |path| assert_says(Cluster::read(path, 0)))),
        _ => measured(rest),
    }
}

fn settings(bytes: &[u8]) {
    // What it names is not looked at here.
    with_file("nanming.toml", bytes, |path| assert_says(config::load(Some(path))));
}

fn rules(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Some(rules) = assert_says(Classifier::read(text, Path::new("rules.toml"))) {
        let words = rules.rules().iter().map(|rule| rule.name.as_str()).collect::<String>();
        for words in [text, &words] {
            let _any_call = rules.classify(words, Told { priority: None, category: None, needs: None });
        }
    }
}

fn roster(bytes: &[u8]) {
    let mut city = City::clone(&CITY);
    city.rosters.clear();
    with_file("lanes.toml", bytes, |path| {
        if assert_says(rosters::load(&mut city, &[path.to_owned()])).is_some() {
            assert_says(city.check());
        }
    });
}

/// A city that is taken can be asked.
fn city(name: &str, bytes: &[u8]) {
    let Some(city) = with_file(name, bytes, |path| assert_says(city_file::load(Some(path), 1))) else { return };
    assert_eq!(fingerprint(&city).len(), 32);
    let _names = Names::new(&city);
    let places = city.units.iter().map(|unit| unit.post).chain(city.cameras.iter().map(|camera| camera.at));
    for at in places.take(9) {
        let _any_grid = (city.grid_at(at), at.to_lon_lat(city.origin));
    }
}

fn measured(bytes: &[u8]) {
    with_file("table.csv", bytes, |path| {
        for (header, zero_is_missing) in [(false, true), (true, false)] {
            if let Some(table) = assert_says(Table::read(path, header, zero_is_missing)) {
                assert!((0..table.rows()).all(|row| table.row(row).len() == table.sensors()));
                assert_says(near(path, table.sensors()));
            }
        }
        assert_says(Calls::read(path, None, "P"));
    });
}

/// A net of two streets that cross under a light.
const NET: &str = r#"<net version="1.20"><location netOffset="0.00,0.00" convBoundary="-100,-100,100,100" origBoundary="0,0,0,0" projParameter="!"/>
<edge id="w" from="a" to="j" priority="1"><lane id="w_0" index="0" speed="13.89" length="90.00" shape="-100.00,-2.00 -10.00,-2.00"/></edge>
<edge id="e" from="j" to="b" priority="1"><lane id="e_0" index="0" speed="13.89" length="90.00" shape="10.00,-2.00 100.00,-2.00"/></edge>
<edge id="s" from="c" to="j" priority="1"><lane id="s_0" index="0" speed="13.89" length="90.00" shape="2.00,-100.00 2.00,-10.00"/></edge>
<edge id="n" from="j" to="d" priority="1"><lane id="n_0" index="0" speed="13.89" length="90.00" shape="2.00,10.00 2.00,100.00"/></edge>
<tlLogic id="j" type="static" programID="0" offset="0"><phase duration="30" state="Gr"/><phase duration="3" state="yr"/><phase duration="30" state="rG"/><phase duration="3" state="ry"/></tlLogic>
<junction id="a" type="dead_end" x="-100" y="0" incLanes="" intLanes="" shape="0,0"/><junction id="b" type="dead_end" x="100" y="0" incLanes="e_0" intLanes="" shape="0,0"/>
<junction id="c" type="dead_end" x="0" y="-100" incLanes="" intLanes="" shape="0,0"/><junction id="d" type="dead_end" x="0" y="100" incLanes="n_0" intLanes="" shape="0,0"/>
<junction id="j" type="traffic_light" x="0" y="0" incLanes="w_0 s_0" intLanes=":j_0_0 :j_1_0" shape="-10,-10 10,10"><request index="0" response="00" foes="10" cont="0"/><request index="1" response="00" foes="01" cont="0"/></junction>
<connection from="w" to="e" fromLane="0" toLane="0" tl="j" linkIndex="0" dir="s" state="O"/><connection from="s" to="n" fromLane="0" toLane="0" tl="j" linkIndex="1" dir="s" state="O"/></net>"#;

pub(super) fn file_seeds() -> Vec<Vec<u8>> {
    let junction = &CITY.junctions[1].name;
    let controller =
        format!("[[controller]]\njunction = \"{junction}\"\naddress = \"10.20.0.17:5435\"\nid = 17\nroad = 2\n");
    let camera =
        format!("[[camera]]\ndevice = \"52010000011315000000\"\nlane = 1\ncamera = \"{}\"\n", CITY.cameras[0].name);
    let settings = "[http]\nlisten = \"127.0.0.1:8080\"\nbody_bytes = 4096\n[clock]\nspeed = 2.0\n[signals]\n[kafka]\n[access]\n\
                    login_min = 30\n[[webhooks]]\nname = \"x\"\nurl = \"http://127.0.0.1/x\"\n";
    let rules = "[[rule]]\nname = \"brawl\"\nwords = [\"打架\", \"a fight\"]\nunless = [\"打架子\"]\ncategory = \"crime\"\n\
                 priority = \"A\"\nneeds = { units = 2 }\n[merging]\ndistance_m = 200\nwithin_s = 600\nalike = [{ categories = \
                 [\"crime\"], at_least = \"B\" }]\n";
    let calls = "received_at,entry_at,onscene_at,close_at,priority,on_view,lon,lat,agency\n2024-03-05 08:01:00,2024-03-05 08:02:00,\
                 2024-03-05 08:12:00,2024-03-05 09:00:00,1A,N,-90.1,30.0,P\n";
    let empty = serde_json::to_vec(&City { name: "x".into(), ..City::default() }).unwrap_or_default();
    let texts = [
        (4, settings.to_owned()),
        (5, rules.to_owned()),
        (6, controller),
        (7, camera),
        (8, ROSTER.to_owned()),
        (10, NET.to_owned()),
        (11, "# the city\n10.0.0.7:2101  # leads\ncity-2:2101\n".to_owned()),
        (12, "a,b\n1,2.5\n,nan\n0,1e3\n".to_owned()),
        (12, calls.to_owned()),
    ];
    let imports = import::fuzzing::seeds().into_iter().chain(replay::fuzzing::seeds().map(|text| (3, text)));
    choosing(imports.chain(texts).map(|(which, text)| (which, text.into_bytes())).chain([(9, empty)]))
}
