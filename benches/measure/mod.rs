//! What benches share: figures beside their goals, measured in processes of their own.
// Each bench uses a part.
#![allow(dead_code)]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Instant;

pub(crate) mod passages;
pub(crate) mod process;

/// What a child measures, by name.
pub(crate) type Measured = BTreeMap<String, f64>;

/// What was asked for, and whether it was reached.
#[derive(Default)]
pub(crate) struct Goals {
    missed: usize,
}

impl Goals {
    pub(crate) fn least(&mut self, what: &str, value: f64, goal: f64) {
        self.judge(what, value >= goal, format!("{value:.2}, to be at least {goal}"));
    }

    pub(crate) fn most(&mut self, what: &str, value: f64, goal: f64) {
        self.judge(what, value < goal, format!("{value:.2}, to be below {goal}"));
    }

    /// Whether two files hold the same.
    pub(crate) fn same(&mut self, what: &str, one: &Path, other: &Path) {
        let read = |path| std::fs::read(path).expect("a file that was written");
        let same = read(one) == read(other);
        self.judge(what, same, if same { "counted too" } else { "are others" }.into());
    }

    pub(crate) fn judge(&mut self, what: &str, reached: bool, said: String) {
        println!("{} {what:<42}  {said}", if reached { "ok    " } else { "MISSED" });
        self.missed += usize::from(!reached);
    }

    pub(crate) fn verdict(&self) -> ExitCode {
        if self.missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// This bench again, to measure `what` over `dir` in a process of its own, so that its peak memory is its own.
pub(crate) fn child(what: &str, dir: &Path, number: usize) -> Measured {
    let myself = std::env::current_exe().expect("a path of its own");
    let done = Command::new(myself).args(["child", what]).arg(dir).arg(number.to_string()).output().expect("a process");
    assert!(done.status.success(), "{what}: {}", String::from_utf8_lossy(&done.stderr));
    serde_json::from_slice(&done.stdout).expect("figures")
}

/// Answers when this process is such a child.
pub(crate) fn answered(measure: impl FnOnce(&str, &Path, usize) -> Measured) -> bool {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let [child, what, dir, number] = arguments.as_slice() else { return false };
    if child != "child" {
        return false;
    }
    let mut measured = measure(what, Path::new(dir), number.parse().unwrap_or(1));
    measured.insert("peak_mb".into(), peak_mb());
    println!("{}", serde_json::to_string(&measured).unwrap_or_default());
    true
}

/// The arguments, those of cargo's own apart: numbers all.
pub(crate) fn numbers() -> impl Iterator<Item = u64> {
    let given = std::env::args().skip(1).filter(|a| !a.starts_with("--"));
    given.map(|a| a.parse().unwrap_or_else(|_| panic!("write whole numbers after --, not {a}")))
}

/// How many a second, and the cores and the time of CPU that it took.
pub(crate) fn rate(work: impl FnOnce() -> u64) -> Measured {
    let (began, before_s) = (Instant::now(), cpu_s());
    let done = work() as f64;
    let (wall_s, cpu_s) = (began.elapsed().as_secs_f64(), cpu_s() - before_s);
    let figures = [("per_s", done / wall_s), ("cores", cpu_s / wall_s), ("cpu_ns", cpu_s * 1e9 / done.max(1.0))];
    figures.into_iter().map(|(name, figure)| (name.to_owned(), figure)).collect()
}

fn cpu_s() -> f64 {
    cpu_s_of("self")
}

/// CPU time of a process so far, s (`/proc`, 100 ticks a second on Linux).
pub(crate) fn cpu_s_of(process: &str) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let fields: Vec<f64> = after_name.split_whitespace().filter_map(|f| f.parse().ok()).collect();
    // State is no number and drops out: utime and stime are the fields 14 and 15 of the line.
    fields.get(10..12).map_or(0.0, |t| t.iter().sum::<f64>() / 100.0)
}

fn peak_mb() -> f64 {
    status_mb("self", "VmHWM:")
}

/// A line of a process' status (`/proc`) that tells kB.
pub(crate) fn status_mb(process: &str, line: &str) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix(line)).unwrap_or_default();
    line.split_whitespace().next().and_then(|kb| kb.parse::<f64>().ok()).unwrap_or(0.0) / 1000.0
}
