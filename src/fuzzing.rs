//! Every decoder of bytes that come from outside, in one list. Each takes whatever it is given: it panics where something is
//! wrong with the code, and nowhere else. `src/fuzz.rs` sends damaged bytes through each of them with every `cargo test`;
//! `tests/fuzz.sh` has libFuzzer look for worse. This is no part of the engine.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use nanming_dataflows::event::{CallChange, Event};
use nanming_dataflows::network::City;

use crate::classify::Classifier;
use crate::ingest::validate::MAX_SPEED_MM_S;
use crate::ingest::{Callers, Plates, Unfit, Validator};
use crate::{controllers, gat1049, http, ingest, recording, rosters, snapshots};

mod files;

/// A decoder, or a close family of them, of which the first byte chooses one.
pub struct Decoder {
    /// Its name.
    pub name: &'static str,
    /// Longest input that is tried, bytes.
    pub longest: usize,
    /// The process may take so much memory, MiB.
    pub memory_mib: usize,
    /// Decodes, and checks what comes out.
    pub decode: fn(&[u8]),
    /// Good inputs to begin with.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

const KIB: usize = 1024;

/// All of them: first those that hear a network.
#[rustfmt::skip]
pub const DECODERS: &[Decoder] = &[
    Decoder { name: "bodies", longest: 4 * KIB, memory_mib: 512, decode: http::fuzzing::bodies, seeds: http::fuzzing::body_seeds },
    Decoder { name: "heads", longest: KIB, memory_mib: 512, decode: http::fuzzing::heads, seeds: http::fuzzing::head_seeds },
    Decoder { name: "sockets", longest: 4 * KIB, memory_mib: 512, decode: http::fuzzing::sockets, seeds: http::fuzzing::socket_seeds },
    Decoder { name: "lines", longest: 4 * KIB, memory_mib: 512, decode: ingest::fuzzing::lines, seeds: ingest::fuzzing::line_seeds },
    Decoder { name: "viid", longest: 4 * KIB, memory_mib: 512, decode: http::fuzzing::viid, seeds: http::fuzzing::viid_seeds },
    Decoder { name: "wechat", longest: 4 * KIB, memory_mib: 512, decode: http::fuzzing::wechat, seeds: http::fuzzing::wechat_seeds },
    Decoder { name: "gat1049", longest: 16 * KIB, memory_mib: 512, decode: gat1049::fuzzing::messages, seeds: gat1049::fuzzing::message_seeds },
    Decoder { name: "controllers", longest: 4 * KIB, memory_mib: 512, decode: controllers::fuzzing::frames, seeds: controllers::fuzzing::frame_seeds },
    Decoder { name: "protobuf", longest: 4 * KIB, memory_mib: 512, decode: ingest::fuzzing::protobuf, seeds: ingest::fuzzing::protobuf_seeds },
    // A block may unpack to 256 MiB, and what comes out of it takes a few times that.
    Decoder { name: "recording", longest: 16 * KIB, memory_mib: 2048, decode: recording::fuzzing::segments, seeds: recording::fuzzing::segment_seeds },
    Decoder { name: "snapshots", longest: 4 * KIB, memory_mib: 512, decode: snapshots::fuzzing::records, seeds: snapshots::fuzzing::record_seeds },
    Decoder { name: "files", longest: 8 * KIB, memory_mib: 512, decode: files::files, seeds: files::file_seeds },
];

/// The decoder of a name.
pub fn decoder(name: &str) -> Option<&'static Decoder> {
    DECODERS.iter().find(|decoder| decoder.name == name)
}

/// What time it is in the city.
pub(crate) const NOW_MS: u64 = 1_767_657_600_000;

/// The city that is told of things.
pub(crate) static CITY: LazyLock<Arc<City>> = LazyLock::new(|| {
    let mut city = nanming_simulators::town::small(2, 2, 1);
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("lanes.toml");
    std::fs::write(&file, files::ROSTER).expect("a file");
    rosters::load(&mut city, &[file]).expect("a roster");
    Arc::new(city)
});

/// Checks against it.
pub(crate) static VALIDATOR: LazyLock<Validator> = LazyLock::new(|| {
    let rules = Classifier::built_in().expect("the rules are in the program");
    let (plates, callers) = (Plates::new("key"), Callers::new("key"));
    Validator::new(Arc::clone(&CITY), plates, callers, 5_000, 600_000).with_rules(Arc::new(rules))
});

/// A refusal says why.
pub(crate) fn assert_told(read: Result<(), Unfit>) {
    if let Err(unfit) = read {
        assert!(!unfit.detail.is_empty(), "{unfit:?}");
    }
}

/// An error says what is wrong.
pub(crate) fn assert_says<T, E: std::fmt::Display>(read: Result<T, E>) -> Option<T> {
    read.inspect_err(|error| assert!(!error.to_string().is_empty())).ok()
}

/// What an event names is in the city, its numbers are such as can be, and a recording gives it back.
pub(crate) fn assert_known(event: &Event) {
    let city = &CITY;
    match event {
        Event::Passage(p) => {
            assert!(p.camera.index() < city.cameras.len() && f64::from(p.speed_mm_s) <= MAX_SPEED_MM_S);
            assert!((NOW_MS - 600_000..=NOW_MS + 5_000).contains(&p.time_ms));
        }
        Event::Flow(f) => assert!(f.camera.index() < city.cameras.len() && f.occupancy_milli <= 1000),
        Event::Crowd(c) => assert!(c.camera.index() < city.cameras.len()),
        Event::Gate(g) => assert!(g.venue.index() < city.venues.len() && g.interval_ms <= 3_600_000),
        Event::Weather(w) => {
            assert!(w.district.is_none_or(|of| of.index() < city.districts.len()) && w.rain_mm_h_milli <= 500_000);
        }
        Event::Unit(u) => assert!(u.unit.index() < city.units.len()),
        Event::Ack(a) => assert!(a.unit.index() < city.units.len()),
        Event::Signal(s) => assert_eq!(s.lamps.len(), city.junctions[s.junction.index()].heads.len()),
        Event::Bus(b) => assert!(b.line.index() < city.bus_lines.len() && b.link.index() < city.links.len()),
        Event::Violation(v) => assert!(v.camera.index() < city.cameras.len()),
        Event::Case(c) => assert!(c.by.index() < city.units.len()),
        Event::Roster(e) => assert!(e.roster.index() < city.rosters.len()),
        Event::Site(s) => assert!(s.site.index() < city.sites.len()),
        Event::Hold(h) => {
            let stages = city.junctions[h.junction.index()].stages.len();
            assert!(h.stage.is_none_or(|stage| usize::from(stage) < stages) && h.until_ms <= h.time_ms + 3_600_000);
        }
        Event::Call(c) => {
            if let CallChange::Opened(facts) | CallChange::Updated(facts) = c.change {
                assert_eq!(city.grid_at(facts.at), Some(facts.grid));
            }
        }
    }
    let written = serde_json::to_string(event).expect("an event has a JSON");
    assert_eq!(serde_json::from_str::<Event>(&written).ok().as_ref(), Some(event), "{written}");
}

/// The first byte, which chooses, and the rest.
pub(crate) fn chosen(bytes: &[u8]) -> (usize, &[u8]) {
    bytes.split_first().map_or((0, bytes), |(first, rest)| (usize::from(*first), rest))
}

/// Seeds of a family: each behind the number of its decoder.
pub(crate) fn choosing<B: AsRef<[u8]>>(seeds: impl IntoIterator<Item = (u8, B)>) -> Vec<Vec<u8>> {
    seeds.into_iter().map(|(which, seed)| [&[which], seed.as_ref()].concat()).collect()
}

/// A file with these bytes, for decoders that open their files themselves.
pub(crate) fn with_file<T>(name: &str, bytes: &[u8], read: impl FnOnce(&Path) -> T) -> T {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join(name);
    std::fs::write(&path, bytes).expect("a file");
    read(&path)
}
