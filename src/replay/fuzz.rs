//! Damaged tables: each row is taken or a dead letter, and nothing else happens.

use std::sync::Arc;

use proptest::prelude::*;

use super::rows::{passages, signals};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_damaged_table_is_read_row_by_row(seed: u64) {
        let city = Arc::new(nanming_simulators::town::small(2, 2, 1));
        let (camera, junction) = (&city.cameras[0].name, &city.junctions[0]);
        let lamps = "r".repeat(junction.heads.len());
        let seen = format!("time_s,lane,vehicle,class,speed_mps\n1.5,{camera},a,passenger,9.5\n").repeat(3);
        let shown = format!("time_s,junction,state\n0,{},{lamps}\n", junction.name).repeat(3);
        let dir = tempfile::tempdir().unwrap();
        for (name, whole) in [("passages.csv", &seen), ("signals.csv", &shown), ("signals.csv.gz", &shown)] {
            let (path, bytes) = (dir.path().join(name), nanming_simulators::damage::damaged(whole.as_bytes(), seed));
            std::fs::write(&path, &bytes).unwrap();
            let mut dead = Vec::new();
            let read = if name.starts_with('p') { passages(&city, &path, &mut dead) } else { signals(&city, &path, &mut dead) };
            let lines = bytes.split(|b| *b == b'\n').count();
            match read {
                Ok(rows) => prop_assert!(rows.len() + dead.len() <= lines),
                Err(error) => prop_assert!(!error.to_string().is_empty()),
            }
            prop_assert!(dead.iter().all(|letter| !letter.detail.is_empty()));
        }
    }
}
