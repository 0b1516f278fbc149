use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_buffer::Buffer;
use nanming_dataflows::event::*;
use nanming_dataflows::ids::*;
use nanming_dataflows::network::City;
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::metrics::Metrics;

const BOUNDS: Bounds = Bounds { segment_bytes: u64::MAX, keep_ms: None };

fn town() -> Arc<City> {
    Arc::new(nanming_simulators::town::small(2, 2, 1))
}

fn passage(n: u64) -> Passage {
    let class = [VehicleClass::Car, VehicleClass::Bus, VehicleClass::Other][n as usize % 3];
    let (vehicle, speed_mm_s) = (VehicleId(n.wrapping_mul(0x9E37_79B9_7F4A_7C15)), n as u32 % 20_000);
    Passage { time_ms: 1_000_000 + n, camera: CameraId(n as u32 % 8), vehicle, speed_mm_s, class }
}

/// A batch with an event of every stream.
fn every_stream(city: &City) -> Batch {
    let (time_ms, camera, unit, at) = (5, CameraId(1), UnitId(0), city.units[0].post);
    let facts = CallFacts { priority: Priority::A, category: Category::Crime, at, grid: GridId(0), needs: Needs::ONE };
    let standing = Standing { phase: CallPhase::Assigned, attempts: 1, unit: Some(unit) };
    let call = |change| CallEvent { time_ms, call: CallId(u64::MAX), change };
    let assignment = AssignmentId { call: CallId(7), attempt: 2 };
    let lamps = vec![Lamp::Red; city.junctions[0].heads.len()];
    Batch {
        passages: (0..5).map(passage).collect(),
        flows: vec![FlowReading { time_ms, camera, interval_ms: 1, vehicles: 2, speed_mm_s: 3, occupancy_milli: 4 }],
        crowds: vec![CrowdCount { time_ms, camera, people: 9 }],
        calls: vec![
            call(CallChange::Opened(facts)),
            call(CallChange::Updated(facts)),
            call(CallChange::Restored(facts, standing)),
            call(CallChange::Cancelled),
        ],
        units: vec![UnitReport { time_ms, unit, at, status: UnitStatus::OnTheWay }],
        acks: vec![Ack { time_ms, unit, assignment, answer: Answer::Decline }],
        signals: vec![SignalFeedback { time_ms, junction: JunctionId(0), mode: ControlMode::Fault, lamps }],
        buses: vec![],
        violations: vec![Violation { time_ms, camera, vehicle: VehicleId(u64::MAX), kind: ViolationKind::Parking }],
        cases: vec![CaseStep { time_ms, case: CaseId(3), stage: CaseStage::Closed, by: unit }],
        sites: vec![],
        gates: vec![GateCount { time_ms, venue: VenueId(0), interval_ms: 60_000, entered: 7, left: 8 }],
        weather: vec![
            WeatherReport { time_ms, district: Some(DistrictId(0)), rain_mm_h_milli: 12_500, visibility_m: Some(800) },
            WeatherReport { time_ms, district: None, rain_mm_h_milli: 0, visibility_m: None },
        ],
        holds: vec![StageHold { time_ms, junction: JunctionId(0), stage: Some(1), until_ms: 9, by: "desk".into() }],
        rosters: vec![],
    }
}

fn tick(tick: Time, batch: Batch) -> Recorded {
    Recorded { tick, left_out: 0, starts: false, batch }
}

/// A recording of three blocks, with all streams in the second one.
fn recorded(city: &City) -> (TempDir, Vec<Recorded>) {
    let dir = tempfile::tempdir().unwrap();
    let passages = |n: u64| Batch { passages: (n..n + 20).map(passage).collect(), ..Batch::default() };
    let mut ticks = vec![
        tick(1_000, passages(0)),
        tick(1_020, Batch::default()),
        tick(2_000, every_stream(city)),
        Recorded { left_out: 3, ..tick(3_000, passages(50)) },
    ];
    let mut writer = Writer::open(dir.path(), city, "test", BOUNDS).unwrap();
    for t in &ticks {
        writer.write(t.tick, t.left_out, &t.batch).unwrap();
        if t.tick != 1_000 {
            writer.flush().unwrap();
        }
    }
    writer.finish().unwrap();
    ticks[0].starts = true;
    (dir, ticks)
}

fn read(dir: &Path, city: &Arc<City>) -> Result<Vec<Recorded>, RecordingError> {
    let recording = Recording::open(dir, city)?;
    recording.ticks(0, Time::MAX).collect::<Result<Vec<_>, _>>().map(|blocks| blocks.concat())
}

fn file(dir: &Path, ending: &str) -> PathBuf {
    let mut files = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    files.find(|path| path.extension().is_some_and(|e| e == ending)).unwrap()
}

#[test]
fn every_stream_comes_back_as_it_was() {
    let city = town();
    let (dir, ticks) = recorded(&city);
    assert_eq!(read(dir.path(), &city).unwrap(), ticks);
}

#[test]
fn any_part_can_be_read_without_the_rest() {
    let city = town();
    let (dir, ticks) = recorded(&city);
    let recording = Recording::open(dir.path(), &city).unwrap();
    assert_eq!(recording.span(), (1_000, 3_000));
    let part = |from, to| recording.ticks(from, to).map(Result::unwrap).collect::<Vec<_>>().concat();
    assert_eq!(part(1_001, 2_000), ticks[1..3]);
    assert_eq!(
        part(2_001, 9_000),
        [Recorded { left_out: 0, ..ticks[3].clone() }],
        "what it lacks lies before the part"
    );
    assert!(part(3_001, 9_000).is_empty() && part(0, 999).is_empty());
}

#[test]
fn a_recording_that_was_cut_off_at_any_byte_is_read_to_its_last_whole_block() {
    let city = town();
    let (dir, ticks) = recorded(&city);
    let (stream, index) = (file(dir.path(), "arrows"), file(dir.path(), "index"));
    let (whole, lines) = (std::fs::read(&stream).unwrap(), std::fs::read(&index).unwrap());
    let header = index::read(&index).unwrap().header.unwrap().bytes as usize;
    let mut seen = std::collections::BTreeSet::new();
    for length in 0..whole.len() {
        std::fs::write(&stream, &whole[..length]).unwrap();
        match read(dir.path(), &city) {
            Ok(read) => assert!(ticks.starts_with(&read) && seen.insert(read.len()) | true),
            Err(RecordingError::NoSegment { .. }) => assert!(length < header),
            Err(RecordingError::None(_)) => assert!(length >= header),
            Err(error) => panic!("{length}: {error}"),
        }
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), [2, 3, 4]);
    std::fs::write(&stream, &whole).unwrap();
    for length in 0..lines.len() {
        std::fs::write(&index, &lines[..length]).unwrap();
        match read(dir.path(), &city) {
            Ok(read) => assert!(!read.is_empty() && ticks.starts_with(&read)),
            Err(error) => assert!(matches!(error, RecordingError::None(_)), "{length}: {error}"),
        }
    }
}

#[test]
fn a_changed_byte_is_found_wherever_it_is() {
    let city = town();
    let (dir, ticks) = recorded(&city);
    let stream = file(dir.path(), "arrows");
    let whole = std::fs::read(&stream).unwrap();
    for at in 0..whole.len() - block::END.len() {
        let mut changed = whole.clone();
        changed[at] ^= 1 << (at % 8);
        std::fs::write(&stream, &changed).unwrap();
        let found = read(dir.path(), &city).unwrap_err();
        let known = matches!(found, RecordingError::Damaged { .. } | RecordingError::NoSegment { .. });
        assert!(known, "{at}: {found}");
    }
    std::fs::write(&stream, &whole).unwrap();
    let index = file(dir.path(), "index");
    let lines = std::fs::read(&index).unwrap();
    for at in 0..lines.len() {
        let mut changed = lines.clone();
        changed[at] ^= 1 << (at % 7);
        std::fs::write(&index, &changed).unwrap();
        // A line's end that is gone makes the last line half a line, and numbers of events are only told.
        if let Ok(read) = read(dir.path(), &city) {
            assert!(ticks.starts_with(&read), "{at}");
        }
    }
}

#[test]
fn what_is_no_recording_or_another_one_is_said_with_what_to_do() {
    let (city, dir) = (town(), tempfile::tempdir().unwrap());
    let said = |dir: &Path, city: &Arc<City>| read(dir, city).unwrap_err().to_string();
    assert!(said(dir.path(), &city).contains("nanming record"), "{}", said(dir.path(), &city));
    let (dir, _) = recorded(&city);
    let other = Arc::new(nanming_simulators::town::small(2, 3, 1));
    assert!(said(dir.path(), &other).contains("--city"), "{}", said(dir.path(), &other));
    let refused = Writer::open(dir.path(), &other, "test", BOUNDS).err().unwrap();
    assert!(matches!(refused, RecordingError::OtherCity { .. }));
    let mut changed = City::clone(&city);
    changed.links[0].free_speed_mm_s += 1;
    changed.junctions[0].plans.clear();
    assert!(read(dir.path(), &Arc::new(changed)).is_ok(), "other speeds and plans are what replays are for");
}

#[test]
fn another_version_is_told_from_a_damaged_one() {
    let city = town();
    let header = Header { city: city.name.clone(), fingerprint: fingerprint(&city), ..Header::default() };
    let mut schema = header.to_schema();
    assert_eq!(Header::of_schema(&schema), Ok(header));
    schema.metadata.insert("nanming.version", "2");
    assert_eq!(Header::of_schema(&schema), Err(Ok("2".into())));
    schema.metadata.clear();
    assert!(matches!(Header::of_schema(&schema), Err(Err(_))));
}

#[test]
fn a_batch_that_names_what_the_city_does_not_have_is_damage() {
    let (city, dir) = (town(), tempfile::tempdir().unwrap());
    let strange = Passage { camera: CameraId(999_999), ..passage(0) };
    let mut writer = Writer::open(dir.path(), &city, "test", BOUNDS).unwrap();
    writer.write(1, 0, &Batch { passages: vec![strange], ..Batch::default() }).unwrap();
    writer.finish().unwrap();
    let said = read(dir.path(), &city).unwrap_err().to_string();
    assert!(said.contains("camera 999999"), "{said}");
}

#[test]
fn segments_follow_each_other_and_old_ones_go() {
    let (city, dir) = (town(), tempfile::tempdir().unwrap());
    let bounds = Bounds { segment_bytes: 1, keep_ms: Some(2_000) };
    for start in [1_000, 4_000] {
        let mut writer = Writer::open(dir.path(), &city, "test", bounds).unwrap();
        for n in 0..3 {
            writer.write(start + n * 1_000, 0, &Batch::default()).unwrap();
            writer.flush().unwrap();
        }
        writer.finish().unwrap();
    }
    let ticks: Vec<(Time, bool)> = read(dir.path(), &city).unwrap().iter().map(|t| (t.tick, t.starts)).collect();
    // When that of 6 s is begun, those that end at 4 s or before go: the ones of 1, 2 and 3 s.
    assert_eq!(ticks, [(4_000, true), (5_000, false), (6_000, false)]);
    let mut writer = Writer::open(dir.path(), &city, "test", bounds).unwrap();
    let refused = writer.write(6_000, 0, &Batch::default());
    assert!(matches!(refused, Err(RecordingError::Order { tick: 6_000, last: 6_000, .. })), "{refused:?}");
}

#[test]
fn a_disk_that_fails_costs_ticks_and_they_are_told_of() {
    let (city, dir) = (town(), tempfile::tempdir().unwrap());
    let metrics = Arc::new(Metrics::new(&city));
    let place = dir.path().join("recording");
    let writer = Writer::open(&place, &city, "test", BOUNDS).unwrap();
    let mut recorder = Recorder::start(writer, Arc::clone(&metrics)).unwrap();
    let shows = |line: &str| metrics.render().lines().any(|l| l == line);
    let wait_for = |line: &str| {
        let began = std::time::Instant::now();
        while !shows(line) {
            assert!(began.elapsed().as_secs() < 20, "{line}");
            std::thread::park_timeout(std::time::Duration::from_millis(5));
        }
    };
    std::fs::remove_dir_all(&place).unwrap();
    recorder.take(1, &every_stream(&city));
    wait_for("nanming_recording_left_out_ticks_total 1");
    std::fs::create_dir(&place).unwrap();
    recorder.take(2, &Batch::default());
    wait_for("nanming_recorded_ticks_total 1");
    drop(recorder);
    let recording = Recording::open(&place, &city).unwrap();
    assert_eq!(recording.span(), (2, 2));
    assert_eq!(Writer::open(&place, &city, "test", BOUNDS).unwrap().last_tick(), Some(2));
}

#[test]
fn ticks_that_a_slow_disk_has_no_room_for_are_left_out_and_told_of_by_the_next() {
    let (city, metrics) = (town(), Arc::new(Metrics::new(&town())));
    let (mut recorder, queue) = recorder::Recorder::without_thread(1, Arc::clone(&metrics));
    (1..=4).for_each(|tick| recorder.take(tick, &Batch::default()));
    assert_eq!(queue.try_recv().map(|w| (w.tick, w.left_out)), Ok((1, 0)));
    recorder.take(5, &every_stream(&city));
    assert_eq!(queue.try_recv().map(|w| (w.tick, w.left_out)), Ok((5, 3)));
    assert!(metrics.render().lines().any(|l| l == "nanming_recording_left_out_ticks_total 3"));
}

#[test]
fn rounds_go_on_where_the_last_one_ended_with_calls_of_their_own() {
    let city = town();
    let (dir, ticks) = recorded(&city);
    let recording = Recording::open(dir.path(), &city).unwrap();
    let played: Vec<Recorded> = Ahead::start(&recording, (1_000, 3_000), 3).unwrap().map(Result::unwrap).collect();
    assert_eq!(played[..4], ticks);
    let times: Vec<Time> = played.iter().map(|t| t.tick).collect();
    assert_eq!(times[4..8], [3_001, 3_021, 4_001, 5_001]);
    assert!(times.is_sorted_by(|a, b| a < b) && times.len() == 12);
    assert_eq!(played.iter().filter(|t| t.starts).count(), 1);
    let calls: std::collections::BTreeSet<_> = (0..3).map(|round| played[2 + 4 * round].batch.calls[0].call).collect();
    assert_eq!(calls.len(), 3);
    assert_eq!(played[6].batch.passages[0].time_ms, ticks[2].batch.passages[0].time_ms + 2_001);
    assert_eq!(played[6].batch.acks[0].assignment.call.0 - 7, played[6].batch.calls[0].call.0.wrapping_sub(u64::MAX));
}

#[test]
fn a_block_that_claims_more_than_it_may_unpack_to_is_refused_before_anything_is_allocated() {
    let bytes = block::encode(&[tick(1, every_stream(&town()))]).unwrap();
    let (mut refused, mut seen) = (0, 0);
    for at in (8..bytes.len() - 8).step_by(8) {
        for claim in [1 << 45, i64::MAX, i64::MIN] {
            let mut changed = bytes.clone();
            changed[at..at + 8].copy_from_slice(&claim.to_le_bytes());
            seen += 1;
            refused += usize::from(block::decode(&Buffer::from(changed)).is_err());
        }
    }
    // Sizes that end in the middle of a number, too.
    for at in (8..bytes.len() - 8).step_by(8) {
        for claim in 1..16_i64 {
            let mut changed = bytes.clone();
            changed[at..at + 8].copy_from_slice(&claim.to_le_bytes());
            let _it_may_err = block::decode(&Buffer::from(changed));
        }
    }
    assert!(refused > seen / 2, "{refused} of {seen}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_decoder_errs_and_never_panics_whatever_it_is_given(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        length in any::<prop::sample::Index>(),
        cut in any::<bool>(),
    ) {
        let city = town();
        let ticks = [tick(1, every_stream(&city)), tick(2, Batch::default())];
        let mut bytes = block::encode(&ticks).unwrap();
        prop_assert_eq!(&block::decode(&Buffer::from(bytes.clone())).unwrap(), &ticks);
        changes.iter().for_each(|(at, to)| { let at = at.index(bytes.len()); bytes[at] = *to; });
        if cut {
            bytes.truncate(length.index(bytes.len()));
        }
        let _it_may_err = block::decode(&Buffer::from(bytes));
    }

    #[test]
    fn passages_of_any_values_come_back(
        rows in proptest::collection::vec((any::<u64>(), any::<u32>(), any::<u64>(), any::<u32>(), 0_u64..7), 0..200),
        at in any::<u32>(),
    ) {
        let class = |n: u64| serde_json::from_str(
            ["\"car\"", "\"bus\"", "\"truck\"", "\"motorcycle\"", "\"taxi\"", "\"emergency\"", "\"other\""][n as usize]
        ).unwrap();
        let passages = rows.into_iter().map(|(time_ms, camera, vehicle, speed_mm_s, n)| Passage {
            time_ms, camera: CameraId(camera), vehicle: VehicleId(vehicle), speed_mm_s, class: class(n),
        });
        let ticks = [tick(at.into(), Batch { passages: passages.collect(), ..Batch::default() })];
        let bytes = block::encode(&ticks).unwrap();
        prop_assert_eq!(&block::decode(&Buffer::from(bytes)).unwrap(), &ticks);
    }
}

#[test]
fn two_never_write_and_two_segments_of_one_time_are_never_read() {
    let city = town();
    let (dir, ticks) = recorded(&city);
    let writer = Writer::open(dir.path(), &city, "test", BOUNDS).unwrap();
    let refused = Writer::open(dir.path(), &city, "test", BOUNDS).err().unwrap();
    assert!(matches!(refused, RecordingError::InUse(_)), "{refused}");
    drop(writer);
    assert_eq!(read(dir.path(), &city).unwrap().len(), ticks.len());
    for ending in ["arrows", "index"] {
        let twice = dir.path().join(format!("999999999999999.{ending}"));
        std::fs::copy(file(dir.path(), ending), twice).unwrap();
    }
    assert!(matches!(read(dir.path(), &city), Err(RecordingError::Overlaps { .. })));
}
