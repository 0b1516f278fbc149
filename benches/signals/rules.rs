//! The rules to beat, as the reference program plays them.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use crate::table::Row;

/// By the words of the reference program; `maxwave` is the greedy one.
pub(crate) const ALL: [&str; 4] = ["fixed", "actuated", "maxpressure", "maxwave"];
/// In the town SUMO's own actuated programs are left out: its programs were never tuned.
pub(crate) const TOWN: [&str; 3] = ["fixed", "maxpressure", "maxwave"];

pub(crate) struct Rules {
    python: PathBuf,
    program: PathBuf,
    jobs: NonZeroUsize,
}

impl Rules {
    /// The reference program and a Python that has libsumo; without one of them a loud word.
    pub(crate) fn find(sumo: &Path, checks: &Path, jobs: NonZeroUsize) -> Option<Rules> {
        let program = checks.join("sumo_baseline.py");
        let Some(python) = python(sumo, "libsumo").filter(|_| program.is_file()) else {
            eprintln!(
                "SKIPPED: the rules to beat: they need {} (NANMING_DATA/../checks) and a Python beside sumo with libsumo: \
                 pip install libsumo==1.28.0",
                program.display()
            );
            return None;
        };
        Some(Rules { python, program, jobs })
    }

    /// Plays a rule over seeds, some at a time.
    pub(crate) fn play(&self, rule: &'static str, config: &Path, seeds: &[u64]) -> Result<Row, String> {
        let (begin_s, end_s) = times(config)?;
        let command = |seed: &str| {
            let mut command = Command::new(&self.python);
            command.arg(&self.program).arg("--cfg").arg(config).args(["--begin", &begin_s, "--end", &end_s]);
            command.args(["--controller", rule, "--seed", seed]).stdin(Stdio::null());
            command
        };
        println!("  $ {}", format!("{:?}", command("SEED")).replace('"', ""));
        let (next, told) = (AtomicUsize::new(0), Mutex::new(vec![Value::Null; seeds.len()]));
        let work = || {
            while let Some((row, seed)) =
                Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|n| Some((n, seeds.get(n)?)))
            {
                let done = command(&seed.to_string()).output();
                let line = done.ok().filter(|done| done.status.success()).map(|done| done.stdout).unwrap_or_default();
                // libsumo may say something of its own before.
                let line = line.split(|byte| *byte == b'\n').rfind(|line| line.starts_with(b"{")).unwrap_or_default();
                told.lock().expect("no panic")[row] = serde_json::from_slice(line).unwrap_or_default();
            }
        };
        std::thread::scope(|scope| (0..self.jobs.get().min(seeds.len())).for_each(|_| drop(scope.spawn(work))));
        let told = told.into_inner().expect("no panic");
        let delays_s: Option<Vec<f64>> = told.iter().map(|run| run["delay_resco"].as_f64()).collect();
        let delays_s = delays_s.ok_or("the reference program failed: run the line above by hand")?;
        let sum = |name: &str| told.iter().filter_map(|run| run[name].as_u64()).sum();
        Ok(Row::new(rule, delays_s, sum("arrived"), sum("loaded"), None))
    }
}

/// Begin and end of a scenario, as it writes them.
fn times(config: &Path) -> Result<(String, String), String> {
    let text = std::fs::read_to_string(config).map_err(|error| error.to_string())?;
    let document = roxmltree::Document::parse(&text).map_err(|error| error.to_string())?;
    let time = |name: &'static str| {
        let element = document.descendants().find(|e| e.has_tag_name(name));
        element.and_then(|e| e.attribute("value")).map(str::to_string).ok_or(format!("it has no {name}"))
    };
    Ok((time("begin")?, time("end")?))
}

/// The first Python above the program sumo, as in an environment of pip's, or on the path, that has a module.
pub(crate) fn python(sumo: &Path, module: &str) -> Option<PathBuf> {
    let beside = sumo.ancestors().map(|dir| dir.join("bin/python3")).filter(|python| python.is_file());
    let mut pythons = beside.chain([PathBuf::from("python3")]);
    pythons.find(|python| {
        let tried = Command::new(python).args(["-c", &format!("import {module}")]).stderr(Stdio::null()).status();
        tried.is_ok_and(|status| status.success())
    })
}
