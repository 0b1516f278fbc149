//! Dispatch on recorded calls: the reference replay in Python and the product in one run, and the goals of the policy.
//!
//! `cargo bench --bench dispatch_replay`. Calls and the script are read from `../shared`, or from NANMING_SHARED; Python, with
//! numpy, pandas and scipy, is `python3` or NANMING_PYTHON. What is missing is said, and then nothing is judged. The script runs
//! with its sorts made stable: where calls came in the same second, numpy's order depends on the processor. Exit code 1 when a
//! goal is missed. `-- parts`: what each part of the policy buys, as a table.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use nanming::dispatch_eval::{By, Figures, Name, Plan, Report, dispatch_eval};
use nanming_dataflows::decide::dispatch::plan::{Gains, Policy, Service};

mod measure;
use measure::Goals;

/// Units in service, and the share of calls of priority A to be reached within 8 min.
const GOALS: [(usize, f64); 4] = [(12, 0.53), (14, 0.62), (16, 0.70), (18, 0.75)];
const SEEDS: std::ops::Range<u64> = 0..3;
/// Runs the script, whose path comes first, with sorts that keep the order of what is equal.
const STABLE: &str = "
import runpy, sys
import numpy, pandas
argsort, sort_values = numpy.argsort, pandas.DataFrame.sort_values
numpy.argsort = lambda a, *rest, **more: argsort(a, *rest, **{**more, 'kind': 'stable'})
pandas.DataFrame.sort_values = lambda a, *rest, **more: sort_values(a, *rest, **{**more, 'kind': 'stable'})
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name='__main__')
";

fn main() -> ExitCode {
    let calls = shared().join("data/dispatch/sf_police_calls.csv.gz");
    if !calls.exists() {
        println!("SKIPPED: {} is missing; NANMING_SHARED names another place", calls.display());
        return ExitCode::SUCCESS;
    }
    if std::env::args().any(|argument| argument == "parts") {
        return parts(&calls);
    }
    let mut goals = Goals::default();
    let script = script(&calls);
    for (units, share) in GOALS {
        let report = told(&calls, units, Name::ALL.to_vec(), Policy::default());
        println!("{report}");
        if let Some(lines) = &script {
            alike(units, &report, lines, &mut goals);
        }
        judge(units, share, &report, &mut goals);
    }
    goals.verdict()
}

/// What was asked of the policy.
fn judge(units: usize, share: f64, report: &Report, goals: &mut Goals) {
    let (ours, preempt) = (&report.first, &report.policies["preempt"]);
    let what = |what: &str| format!("{units} units: {what}");
    goals.least(&what("A within 8 min, %"), ours.a_within_8min * 100.0, share * 100.0);
    goals.most(&what("B, mean response, s"), ours.mean_response_s.b, preempt.mean_response_s.b);
    goals.most(&what("C, mean response, s"), ours.mean_response_s.c, preempt.mean_response_s.c * 1.05);
    goals.most(&what("C, longest response, s"), ours.longest_response_s.c, preempt.longest_response_s.c);
}

/// Whether the reference policies give what the script prints, to the digit.
fn alike(units: usize, report: &Report, script: &BTreeMap<(usize, String), String>, goals: &mut Goals) {
    for name in ["fifo", "priority", "batch", "preempt"] {
        let Figures { a_within_8min, mean_response_s: mean, .. } = &report.policies[name];
        let (a, b, c) = (mean.a, mean.b, mean.c);
        let share = format!("{:.1}%", a_within_8min * 100.0);
        let ours = format!("A within 8 min {share:>5}   mean A/B/C {a:.0}/{b:.0}/{c:.0} s");
        let theirs = script.get(&(units, name.to_owned())).map_or("nothing", String::as_str);
        goals.judge(&format!("{units} units: {name} as in the script"), ours == theirs, theirs.to_owned());
    }
}

/// What the script prints, by units and policy.
fn script(calls: &Path) -> Option<BTreeMap<(usize, String), String>> {
    let script = shared().join("checks/sf_replay.py");
    let python = std::env::var_os("NANMING_PYTHON").unwrap_or_else(|| "python3".into());
    let units = GOALS.map(|(units, _)| units.to_string());
    let done = Command::new(&python).args(["-c", STABLE]).arg(&script).arg(calls).args(units).output();
    let said = match done {
        Ok(done) if done.status.success() => String::from_utf8_lossy(&done.stdout).into_owned(),
        Ok(done) => return skipped(&String::from_utf8_lossy(&done.stderr)),
        Err(error) => return skipped(&format!("{}: {error}", python.display())),
    };
    print!("{said}");
    Some(said.lines().filter_map(line).collect())
}

fn skipped<T>(why: &str) -> Option<T> {
    println!("SKIPPED the script: {}", why.trim().lines().last().unwrap_or_default());
    println!("It wants python3 with numpy, pandas and scipy; NANMING_PYTHON names another python");
    None
}

/// `12 units  fifo      A within ...`
fn line(text: &str) -> Option<((usize, String), String)> {
    let (units, rest) = text.split_once(" units  ")?;
    let (name, said) = rest.split_once(' ')?;
    Some(((units.parse().ok()?, name.to_owned()), said.trim_start().to_owned()))
}

/// Prints what the policy does without each of its parts.
fn parts(calls: &Path) -> ExitCode {
    let all = Policy::default;
    let no_change = || Policy {
        change_ms: u64::MAX,
        from_a: Gains::default(),
        from_b: Gains { b: None, ..all().from_b },
        from_c: Gains { b: None, c: None, ..all().from_c },
        ..all()
    };
    let nobody = Gains::default;
    let mut far = all();
    (far.b.travel_ms, far.c.travel_ms) = (36_000_000, 36_000_000);
    let mut oldest = all();
    (oldest.b.overdue_ms, oldest.c.overdue_ms) = (0, 0);
    let mut reserve = all();
    reserve.c.reserve_units = 2;
    let variants = [
        ("all parts", all()),
        ("no call waits for a nearer unit", far),
        ("the oldest first, not the nearest", oldest),
        ("units change calls for more urgent ones only", no_change()),
        (
            "units on their way stay",
            Policy { change_ms: u64::MAX, from_a: nobody(), from_b: nobody(), from_c: nobody(), ..all() },
        ),
        ("the target of 8 min is not weighed", Policy { late_ms: 0, ..all() }),
        (
            "changes cost nothing",
            Policy {
                change_ms: 0,
                from_a: zero(all().from_a),
                from_b: zero(all().from_b),
                from_c: zero(all().from_c),
                ..all()
            },
        ),
        ("C leaves two units at hand", reserve.clone()),
        ("C leaves two, B one at hand", Policy { b: Service { reserve_units: 1, ..all().b }, ..reserve }),
    ];
    println!("| policy | {} |", GOALS.map(|(units, _)| format!("{units} units")).join(" | "));
    println!("| --- |{}", " --- |".repeat(GOALS.len()));
    for (name, settings) in variants {
        let cell = |(units, _): (usize, f64)| {
            let of = told(calls, units, vec![Name::Nanming], settings.clone()).first;
            let hours = of.mean_response_s.c / 3600.0;
            format!("{:.1} %, {:.0} s, {hours:.2} h", of.a_within_8min * 100.0, of.mean_response_s.b)
        };
        println!("| {name} | {} |", GOALS.map(cell).join(" | "));
    }
    ExitCode::SUCCESS
}

fn zero(gains: Gains) -> Gains {
    Gains { a: gains.a.map(|_| 0), b: gains.b.map(|_| 0), c: gains.c.map(|_| 0) }
}

fn told(calls: &Path, units: usize, policies: Vec<Name>, settings: Policy) -> Report {
    let plan = Plan {
        calls: calls.to_owned(),
        from: None,
        agency: "Police".into(),
        units,
        seeds: SEEDS.collect(),
        policies,
        settings,
        travel: By::Straight(8.0),
    };
    dispatch_eval(&plan).expect("calls")
}

fn shared() -> PathBuf {
    std::env::var_os("NANMING_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from)
}
