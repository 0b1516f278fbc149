//! Vehicles and the sum of their speeds on each link in windows of 10 s, over the same passages: by a loop written by hand,
//! which is what any engine must at least do; by one `keyed` machine, as all views of the engine are built; and from JSON
//! Lines by that machine and by Apache Flink SQL (benches/flink), whose windows must be the same. Each figure beside its goal.
//! Fails when one is missed.
//!
//! `cargo bench --bench windows [-- SECONDS]`: so many seconds (400) of city time at a passage a second from every one of the
//! 105,000 cameras. Flink counts from ten seconds after its first passage. Needs Java 17 with its compiler and Maven, and
//! 300 bytes on the disk for every passage.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::{Arc, Mutex};

use crossbeam_channel::{Receiver, bounded};
use measure::passages::{CITY_PER_S, START_MS, decoded, lines, make};
use measure::{Goals, Measured, answered, child, numbers, rate};
use nanming::ingest::{Callers, Plates, Validator};
use nanming_dataflows::Time;
use nanming_dataflows::event::{Event, Passage};
use nanming_dataflows::ids::LinkId;
use nanming_dataflows::keyed::{Machine, Outbox, Tick, Vault, keyed};
use nanming_dataflows::network::City;
use nanming_simulators::guiyang;
use timely::dataflow::ProbeHandle;
use timely::dataflow::operators::vec::{Input, Map};
use timely::dataflow::operators::{Inspect, Probe};

mod measure;

const WINDOW_MS: u64 = 10_000;
/// Whoever comes later than this after the end of a window is not counted in it, here as by Flink, ms.
const LATE_MS: u64 = 1_000;
/// City time of a tick of lines, ms.
const LINES_TICK_MS: u64 = 100;
/// Bytes of lines that a worker takes at once.
const BLOCK: u64 = 1 << 20;
/// The goals.
const OF_THE_LOOP: f64 = 0.25;
const TIMES_FLINK: f64 = 10.0;

/// What was counted in a window that ends at a time, ms: vehicles, and the sum of their speeds, 1/10 km/h.
type Window = (Time, u32, u64, u64);

fn main() -> ExitCode {
    if answered(measure) {
        return ExitCode::SUCCESS;
    }
    let seconds = numbers().next().unwrap_or(400);
    let dir = tempfile::tempdir().expect("a temporary directory");
    make(dir.path(), &city(), seconds, CITY_PER_S, u64::MAX);
    let run = |what: &str, workers: usize| child(what, dir.path(), workers)["per_s"];
    let mut goals = Goals::default();
    let limit = run("loop", 1);
    println!("       counted by a loop, 1 thread                {limit:.0} passages/s");
    let counted = [1, 2].map(|workers| {
        let counted = run("recording", workers);
        println!("       counted by keyed, {workers} workers                {counted:.0} passages/s");
        goals.same("the loop's windows", &csv(dir.path(), "loop"), &csv(dir.path(), "recording"));
        counted
    });
    goals.least("the better one's share of the loop", counted[0].max(counted[1]) / limit, OF_THE_LOOP);
    let ours = run("lines", 2);
    println!("       counted from JSON Lines, 2 workers         {ours:.0} passages/s");
    match flink(dir.path()) {
        Ok(theirs) => {
            println!("       counted by Flink, 2 tasks                  {theirs:.0} passages/s");
            println!("       from the recording, times as fast as Flink {:.1}", counted[0].max(counted[1]) / theirs);
            goals.least("from JSON Lines, times as fast as Flink", ours / theirs, TIMES_FLINK);
            goals.same("Flink's windows", &csv(dir.path(), "lines"), &csv(dir.path(), "flink"));
        }
        Err(why) => goals.judge("times as fast as Flink", false, why),
    }
    goals.verdict()
}

fn city() -> Arc<City> {
    Arc::new(guiyang::generate(1))
}

fn measure(what: &str, dir: &Path, workers: usize) -> Measured {
    let city = city();
    let mut windows = Vec::new();
    let measured = rate(|| {
        windows = match what {
            "loop" => by_hand(dir, &city),
            "recording" => from_recording(dir, &city, workers),
            _ => from_lines(dir, &city, workers),
        };
        vehicles(&windows)
    });
    let mut out = BufWriter::new(File::create(csv(dir, what)).expect("a file"));
    writeln!(out, "window_end_ms,link,vehicles,speed_sum").expect("room on the disk");
    for (end, link, vehicles, sum) in &windows {
        writeln!(out, "{end},{link},{vehicles},{sum}").expect("room on the disk");
    }
    out.flush().expect("room on the disk");
    measured
}

/// The link of each camera.
fn links(city: &City) -> Vec<u32> {
    city.cameras.iter().map(|camera| camera.lane.map_or(0, |(lane, _)| city.link_of(lane).id.0)).collect()
}

/// Of a passage, 1/10 km/h.
fn speed(passage: &Passage) -> u64 {
    (u64::from(passage.speed_mm_s) * 36 + 500) / 1000
}

fn vehicles(windows: &[Window]) -> u64 {
    windows.iter().map(|(_, _, vehicles, _)| vehicles).sum()
}

/// One open window is enough: a recording is in the order of its ticks.
fn by_hand(dir: &Path, city: &Arc<City>) -> Vec<Window> {
    let links = links(city);
    let (mut open, mut end, mut counted) = (vec![(0_u64, 0_u64); city.links.len()], START_MS + WINDOW_MS, Vec::new());
    let passages = decoded(dir, city, |tick, passages| {
        if tick > end {
            close(&mut open, end, &mut counted);
            end += WINDOW_MS;
        }
        for passage in &passages {
            let window = &mut open[links[passage.camera.index()] as usize];
            *window = (window.0 + 1, window.1 + speed(passage));
        }
        passages.len() as u64
    });
    close(&mut open, end, &mut counted);
    assert_eq!(vehicles(&counted), passages);
    counted
}

fn close(open: &mut [(u64, u64)], end: Time, counted: &mut Vec<Window>) {
    let windows = open.iter_mut().enumerate().filter(|(_, (vehicles, _))| *vehicles > 0);
    counted.extend(windows.map(|(link, window)| {
        let (vehicles, sum) = std::mem::take(window);
        (end, link as u32, vehicles, sum)
    }));
}

/// Counts in windows of event time, which close when the tick says that nobody will come any more.
struct LinkCounts;

impl Machine for LinkCounts {
    type Key = LinkId;
    type Event = (Time, u64);
    type State = Vec<(Time, u64, u64)>;
    type Out = Window;

    fn name(&self) -> &'static str {
        "link_counts"
    }

    fn step(
        &self,
        link: LinkId,
        open: &mut Self::State,
        tick: Time,
        events: &[(LinkId, (Time, u64))],
        out: &mut Outbox<Window>,
    ) {
        for (_, (time_ms, speed)) in events {
            let end = (time_ms / WINDOW_MS + 1) * WINDOW_MS;
            match open.iter_mut().find(|window| window.0 == end) {
                Some(window) => *window = (end, window.1 + 1, window.2 + speed),
                None => open.push((end, 1, *speed)),
            }
        }
        open.retain(|&(end, vehicles, sum)| {
            let is_open = tick < end + LATE_MS;
            if !is_open {
                out.emit((end, link.0, vehicles, sum));
            }
            is_open
        });
        open.iter().map(|window| window.0).min().into_iter().for_each(|end| out.wake_at(end + LATE_MS));
    }
}

/// Runs the machine: each worker has its part of the passages of every tick, and all have the same ticks.
fn counted<P>(city: &Arc<City>, workers: usize, parts: impl Fn(usize) -> P + Send + Sync + 'static) -> Vec<Window>
where
    P: Iterator<Item = (Time, Vec<Passage>)>,
{
    let (links, counted) = (Arc::new(links(city)), Arc::new(Mutex::new(Vec::new())));
    let all = Arc::clone(&counted);
    let running = timely::execute(timely::Config::process(workers), move |worker| {
        let (links, all, probe) = (Arc::clone(&links), Arc::clone(&all), ProbeHandle::new());
        let (mut passages, mut ticks) = worker.dataflow(|scope| {
            let (feed, passages) = scope.new_input();
            let (ticks_feed, ticks) = scope.new_input();
            let of_links = passages.map(move |p: Passage| (LinkId(links[p.camera.index()]), (p.time_ms, speed(&p))));
            let windows = keyed(of_links, ticks, LinkCounts, &Vault::default());
            windows.inspect(move |window| all.lock().expect("no panic").push(*window)).probe_with(&probe);
            (feed, ticks_feed)
        });
        let index = worker.index();
        let mut tell = |tick: Time, mut part: Vec<Passage>| {
            passages.advance_to(tick);
            ticks.advance_to(tick);
            passages.send_batch(&mut part);
            ticks.send(Tick::default());
            passages.advance_to(tick + 1);
            ticks.advance_to(tick + 1);
            worker.step();
            // A few ticks may be under way.
            while probe.less_than(&tick.saturating_sub(8 * LINES_TICK_MS)) {
                worker.step();
            }
        };
        let mut last = 0;
        for (tick, part) in parts(index) {
            tell(tick, part);
            last = tick;
        }
        tell(last + WINDOW_MS + LATE_MS, Vec::new());
    });
    running.expect("workers").join().into_iter().for_each(|ended| ended.expect("a worker"));
    let mut windows = std::mem::take(&mut *counted.lock().expect("no panic"));
    windows.sort_unstable();
    windows
}

fn from_recording(dir: &Path, city: &Arc<City>, workers: usize) -> Vec<Window> {
    let (senders, receivers): (Vec<_>, Vec<Receiver<_>>) = (0..workers).map(|_| bounded(64)).unzip();
    std::thread::scope(|scope| {
        let counting = scope.spawn(|| counted(city, workers, move |index| receivers[index].clone().into_iter()));
        let passages = decoded(dir, city, |tick, mut passages| {
            let (all, each) = (passages.len(), passages.len() / workers);
            for sender in &senders[1..] {
                sender.send((tick, passages.split_off(passages.len() - each))).expect("a worker");
            }
            senders[0].send((tick, passages)).expect("a worker");
            all as u64
        });
        drop(senders);
        let windows = counting.join().expect("workers");
        assert_eq!(vehicles(&windows), passages);
        windows
    })
}

fn from_lines(dir: &Path, city: &Arc<City>, workers: usize) -> Vec<Window> {
    let validator =
        Arc::new(Validator::new(Arc::clone(city), Plates::new("bench"), Callers::new("bench"), 5_000, u64::MAX));
    let path = lines(dir);
    let parts = move |index: usize| Lines::open(&path, (index as u64, workers as u64), Arc::clone(&validator));
    counted(city, workers, parts)
}

/// A worker's blocks of the lines, those in between are the other workers', checked as at the door and dealt out to ticks.
struct Lines {
    file: File,
    length: u64,
    block: u64,
    workers: u64,
    validator: Arc<Validator>,
    read: std::vec::IntoIter<Passage>,
    next: Option<Passage>,
    tick: Time,
    /// After the last passage of the file: all workers have the same ticks.
    end: Time,
}

impl Lines {
    fn open(path: &Path, (index, workers): (u64, u64), validator: Arc<Validator>) -> Lines {
        let file = File::open(path).expect("lines");
        let length = file.metadata().expect("lines").len();
        let read = Vec::new().into_iter();
        let (next, tick, end) = (None, START_MS, 0);
        let mut lines = Lines { file, length, block: index, workers, validator, read, next, tick, end };
        lines.end = lines.block_at(length.saturating_sub(1024)).last().map_or(0, |p| p.time_ms) + LATE_MS;
        lines.go_on();
        lines
    }

    fn go_on(&mut self) {
        self.next = self.read.next();
        while self.next.is_none() && self.block * BLOCK < self.length {
            self.read = self.block_at(self.block * BLOCK).into_iter();
            self.block += self.workers;
            self.next = self.read.next();
        }
    }

    /// The lines that begin in a block.
    fn block_at(&self, from: u64) -> Vec<Passage> {
        // The end of the line before it, and the rest of the last one.
        let start = from.saturating_sub(1);
        let mut bytes = vec![0; (from - start + BLOCK + 1024).min(self.length - start) as usize];
        self.file.read_exact_at(&mut bytes, start).expect("lines");
        let skipped = if from == 0 { 0 } else { memchr::memchr(b'\n', &bytes).map_or(bytes.len(), |at| at + 1) };
        let (mut passages, mut at) = (Vec::with_capacity(BLOCK as usize / 120), skipped);
        while (at as u64) < from - start + BLOCK && at < bytes.len() {
            let end = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |length| at + length);
            match self.validator.event(&bytes[at..end], u64::MAX / 2) {
                Ok((Event::Passage(passage), None)) => passages.push(passage),
                other => panic!("a line is no passage: {other:?}"),
            }
            at = end + 1;
        }
        passages
    }
}

impl Iterator for Lines {
    type Item = (Time, Vec<Passage>);

    fn next(&mut self) -> Option<(Time, Vec<Passage>)> {
        if self.tick > self.end {
            return None;
        }
        self.tick += LINES_TICK_MS;
        let mut part = Vec::new();
        while let Some(passage) = self.next.filter(|p| p.time_ms <= self.tick) {
            part.push(passage);
            self.go_on();
        }
        Some((self.tick, part))
    }
}

/// Where the windows that one has counted are written.
fn csv(dir: &Path, who: &str) -> PathBuf {
    dir.join(format!("{who}.csv"))
}

/// Passages a second by Flink, or why there are none.
fn flink(dir: &Path) -> Result<f64, String> {
    let city = city();
    let cameras = dir.join("cameras.csv");
    let mut out = BufWriter::new(File::create(&cameras).expect("a file"));
    writeln!(out, "camera,link").expect("room on the disk");
    for (camera, link) in city.cameras.iter().zip(links(&city)) {
        writeln!(out, "{},{link}", camera.name).expect("room on the disk");
    }
    out.flush().expect("room on the disk");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/flink/run.sh");
    let mut run = Command::new("bash");
    run.arg(script).args([&lines(dir), &cameras, &csv(dir, "flink")]).args(["--warm-up-s", "10"]).env("TMPDIR", dir);
    let done = run.stderr(Stdio::inherit()).output().map_err(|e| e.to_string())?;
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    let figures: serde_json::Value = serde_json::from_str(said.trim())
        .map_err(|_| format!("Flink did not run ({}): {said} (see above what is missing)", done.status))?;
    figures["per_s"].as_f64().ok_or_else(|| format!("Flink said no rate: {said}"))
}
