//! Decoders of what is imported, for [`crate::fuzzing`].

use std::sync::Arc;

use super::{Rows, detectors, fcd, mapping, table};
use crate::fuzzing::{CITY, assert_says, with_file};

const ZERO_MS: i64 = 1_767_542_400_000;

/// Positions of vehicles as SUMO writes them.
pub(crate) fn positions(bytes: &[u8]) {
    with_file("fcd.xml", bytes, |path| told(assert_says(fcd::rows(path, &CITY, ZERO_MS)), bytes));
}

/// Readings of SUMO's loops, and where loops are.
pub(crate) fn loops(bytes: &[u8]) {
    with_file("loops.xml", bytes, |path| {
        let loops = assert_says(detectors::loops(&[path.to_owned()], &CITY)).unwrap_or_default();
        told(assert_says(detectors::rows(path, &CITY, &loops, ZERO_MS)), bytes);
    });
}

/// A mapping, an empty line, and a table by it; without an empty line a table by a mapping that is good.
pub(crate) fn mapped(bytes: &[u8]) {
    let apart = bytes.windows(2).position(|two| two == b"\n\n");
    let (rules, rows) = apart.map_or((MAPPING.as_bytes(), bytes), |at| (&bytes[..at], &bytes[at + 2..]));
    let Some(mapping) = with_file("mapping.toml", rules, |path| assert_says(mapping::read(path))) else { return };
    with_file("table.csv", rows, |path| told(assert_says(table::rows(path, &CITY, &mapping, "key")), rows));
}

/// Every row is an event of the city or says why not, and they end.
fn told(rows: Option<Rows>, bytes: &[u8]) {
    let mut left = 64 * (bytes.len() + 1);
    for row in rows.into_iter().flatten() {
        left = left.checked_sub(1).expect("more rows than can be");
        let Some(row) = assert_says(row) else { return };
        if let Err((_, what)) = row.what {
            assert!(!what.is_empty());
        }
    }
}

pub(crate) const MAPPING: &str = "stream = \"passages\"\n[columns]\ntime = \"t\"\ncamera = \"c\"\nspeed = \"v\"\n\
                                  vehicle = \"p\"\nclass = \"k\"\n[classes]\n\"K33\" = \"car\"\n";

pub(crate) fn seeds() -> [(u8, String); 6] {
    let city = Arc::clone(&CITY);
    let camera = &city.cameras[0].name;
    let lane = city.cameras[0].lane.map(|(lane, _)| city.lanes[lane.index()].name.clone()).unwrap_or_default();
    let vehicle = |pos: u32| {
        format!("<vehicle id=\"a\" x=\"0\" y=\"0\" type=\"passenger\" speed=\"9.5\" pos=\"{pos}\" lane=\"{lane}\"/>")
    };
    let positions = format!(
        "<fcd-export><timestep time=\"0.00\">{}</timestep><timestep time=\"1.00\">{}</timestep><timestep time=\"2\"/></fcd-export>",
        vehicle(1),
        vehicle(400)
    );
    let loops = format!("<additional><inductionLoop id=\"l\" lane=\"{lane}\" pos=\"-1\" file=\"x\"/></additional>");
    let readings = format!(
        "<detector><interval begin=\"0.00\" end=\"60.00\" id=\"{camera}\" nVehContrib=\"7\" flow=\"420\" occupancy=\"3.5\" \
         speed=\"11.2\" length=\"4.3\" nVehEntered=\"7\"/></detector>"
    );
    let passages =
        format!("t,c,v,p,k\n2026-01-05 08:00:00,{camera},36.5,贵A12345,K33\n\"2026-01-05 08:00:01.5\",x,1,,bus\n");
    let flows = "stream = \"flows\"\ndelimiter = \";\"\ninterval_s = 60\nspeed = \"m/s\"\noccupancy = \"1\"\n[time]\nformat = \
                 \"s\"\nutc = true\n[columns]\ntime = \"t\"\ncamera = \"c\"\nvehicles = \"n\"\noccupancy = \"o\"\nspeed = \"v\"\n\
                 [cameras]\n\"x\" = \"CAMERA\"";
    let flows = flows.replace("CAMERA", camera);
    [
        (0, positions),
        (1, loops),
        (1, readings),
        (2, passages.clone()),
        (2, format!("{MAPPING}\n{passages}")),
        (2, format!("{flows}\n\nt;c;n;o;v\n1767542400;x;7;0.03;9.5\n")),
    ]
}
