//! Every decoder of what comes from outside against damaged input: never a panic, always an event that the city knows or a
//! refusal that says why. Run for seconds with every `cargo test`; `PROPTEST_CASES=1000000` runs them for long.

use nanming_simulators::damage::damaged;
use proptest::prelude::*;

use crate::fuzzing::{CITY, DECODERS, NOW_MS, VALIDATOR};
use crate::ingest::fuzzing as ingest;
use crate::ingest::viid::{self, CameraTable};

/// For each decoder, as many cases as for one.
fn cases() -> ProptestConfig {
    match std::env::var("PROPTEST_CASES") {
        Ok(_) => ProptestConfig::default(),
        Err(_) => ProptestConfig::with_cases(1500 * DECODERS.len() as u32),
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn damaged_bytes_are_read_or_refused(decoder in 0..DECODERS.len(), row: prop::sample::Index, seed: u64) {
        let decoder = &DECODERS[decoder];
        let seeds = (decoder.seeds)();
        (decoder.decode)(&damaged(&seeds[row.index(seeds.len())], seed));
    }
}

#[test]
fn what_is_damaged_here_is_good_before() {
    for line in ingest::line_seeds().iter().flat_map(|lines| lines.split(|byte| *byte == b'\n')) {
        let text = String::from_utf8_lossy(line);
        assert!(
            VALIDATOR.event(line, NOW_MS).is_ok() || text.contains("\"crowd\"") || text.contains("\"bus\""),
            "{text}"
        );
    }
    let (table, batch) = (CameraTable::plain(CITY.clone(), None), ingest::vehicle_seed());
    let batch = viid::batch(batch.as_bytes()).unwrap();
    assert!(batch.0.iter().all(|raw| viid::passage(raw.get(), &table, &VALIDATOR, NOW_MS).1.is_ok()));
}

#[test]
fn every_decoder_takes_its_seeds_nothing_and_noise() {
    for decoder in DECODERS {
        let seeds = (decoder.seeds)();
        assert!(!seeds.is_empty() && seeds.iter().all(|seed| seed.len() <= decoder.longest), "{}", decoder.name);
        seeds.iter().for_each(|seed| (decoder.decode)(seed));
        (0..=u8::MAX).for_each(|first| (decoder.decode)(&[first, first.rotate_left(3), 0xff, 0, b'{', b'<']));
        (decoder.decode)(&[]);
    }
}
