//! Decoders of recorded hours, for [`crate::fuzzing`].

use super::calls::calls;
use super::rows::{passages, signals};
use super::tally::LeftOut;
use crate::fuzzing::{CITY, assert_says, with_file};

/// Tables of passages, signals and calls. Each row is taken or a dead letter.
pub(crate) fn tables(bytes: &[u8]) {
    let lines = bytes.split(|byte| *byte == b'\n').count();
    for name in ["passages.csv", "signals.csv", "signals.csv.gz", "calls.csv"] {
        with_file(name, bytes, |path| {
            let (mut dead, mut left_out) = (Vec::new(), LeftOut::new());
            let taken = match name {
                "passages.csv" => assert_says(passages(&CITY, path, &mut dead)).map(|rows| rows.len()),
                "calls.csv" => {
                    assert_says(calls(&CITY, path, (0, u64::MAX), &mut left_out, &mut dead)).map(|calls| calls.len())
                }
                _ => assert_says(signals(&CITY, path, &mut dead)).map(|rows| rows.len()),
            };
            assert!(name.ends_with(".gz") || taken.unwrap_or_default() + dead.len() <= lines);
            assert!(dead.iter().all(|letter| !letter.detail.is_empty()));
        });
    }
}

pub(crate) fn seeds() -> [String; 3] {
    let (camera, junction) = (&CITY.cameras[0].name, &CITY.junctions[0]);
    let lamps = "r".repeat(junction.heads.len());
    let row = "2024-03-05T08:01:00,BRAWL,A,N,-90.10,30.01\n";
    [
        format!("time_s,lane,vehicle,class,speed_mps\n{}", format!("1.5,{camera},a,passenger,9.5\n").repeat(3)),
        format!("time_s,junction,state\n{}", format!("0,{},{lamps}\n", junction.name).repeat(3)),
        format!("id,received_at,description,priority,on_view,lon,lat\n1,{row}2,{row}3,{row}"),
    ]
}
