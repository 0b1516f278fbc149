//! A recorded flood of passages on the disk, also as JSON Lines.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use nanming::recording::{Bounds, Recording, Writer};
use nanming_dataflows::Time;
use nanming_dataflows::event::{Batch, Passage};
use nanming_dataflows::network::City;
use nanming_simulators::flood::Flood;

/// City time of a tick, ms: that of the live door under load.
pub(crate) const TICK_MS: u64 = 20;
/// Passages that all cameras of the city see.
pub(crate) const CITY_PER_S: u64 = 105_000;
/// 08:00 of a January day in Guiyang.
pub(crate) const START_MS: u64 = 1_767_657_600_000;

pub(crate) fn recording(dir: &Path) -> PathBuf {
    dir.join("recording")
}

pub(crate) fn lines(dir: &Path) -> PathBuf {
    dir.join("passages.jsonl")
}

/// Makes the recording, and the first `as_lines` passages of it as JSON Lines.
pub(crate) fn make(dir: &Path, city: &Arc<City>, seconds: u64, per_s: u64, as_lines: u64) {
    let mut flood = Flood::new(city, per_s, START_MS, 1);
    let bounds = Bounds { segment_bytes: 256 << 20, keep_ms: None };
    let mut writer = Writer::open(&recording(dir), city, "bench", bounds).expect("a recording");
    let mut out = BufWriter::new(File::create(lines(dir)).expect("a file"));
    let (began, mut passages, mut bytes) = (Instant::now(), 0, 0);
    for n in 1..=seconds * 1000 / TICK_MS {
        let mut batch = Batch::default();
        flood.step(TICK_MS, &mut batch.passages);
        if passages < as_lines {
            batch.passages.iter().for_each(|p| writeln!(out, "{}", line(city, p)).expect("room on the disk"));
        }
        passages += batch.passages.len() as u64;
        writer.write(START_MS + n * TICK_MS, 0, &batch).expect("room on the disk");
    }
    writer.finish().and(Ok(out.flush())).expect("room on the disk").expect("room on the disk");
    for entry in std::fs::read_dir(recording(dir)).expect("a recording").flatten() {
        bytes += entry.metadata().map_or(0, |file| file.len());
    }
    let (took_s, each) = (began.elapsed().as_secs_f64(), bytes as f64 / passages as f64);
    println!("{passages} passages in {seconds} s of the city, {each:.1} bytes each; recorded in {took_s:.1} s");
}

/// A passage as docs/events.md has it.
fn line(city: &City, p: &Passage) -> String {
    let (camera, kmh) = (&city.cameras[p.camera.index()].name, f64::from(p.speed_mm_s) * 3.6 / 1000.0);
    let (time_ms, plate) = (p.time_ms, p.vehicle.0 % 100_000);
    format!(
        r#"{{"type":"passage","time_ms":{time_ms},"camera":"{camera}","plate":"贵A{plate:05}","speed_kmh":{kmh:.1},"class":"car"}}"#
    )
}

/// Every tick's passages on this thread; the sum of what is made of them.
pub(crate) fn decoded(dir: &Path, city: &Arc<City>, mut tick: impl FnMut(Time, Vec<Passage>) -> u64) -> u64 {
    let recording = Recording::open(&recording(dir), city).expect("a recording");
    let (from, to) = recording.span();
    let blocks = recording.ticks(from, to).map(|block| block.expect("a block"));
    blocks.flatten().map(|recorded| tick(recorded.tick, recorded.batch.passages)).sum()
}
