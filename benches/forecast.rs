//! The forecaster: how good it is on three public tables, how long a round takes for 1,900 links, and what a link weighs.
//!
//! `cargo bench --bench forecast`. Tables are read from `../shared/data/forecast`, or from NANMING_FORECAST_DATA; a table that
//! is missing misses its goals. Exit code 1 when a goal is missed. `-- parts`: what each part of the model buys, as a table.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use chrono::NaiveDate;
use nanming::forecast_eval::{Calendar, Plan, Report, forecast_eval};
use nanming_dataflows::decide::forecast::panel::{Learned, Settings, ZeroRule};
use nanming_dataflows::decide::forecast::parts::Part;

mod measure;
use measure::Goals;

/// Links of a city, in regions of as many as learn together.
const LINKS: usize = 1_900;
const TOGETHER: usize = 256;
const LEADS: usize = 12;
const DAY: usize = 288;
const STEP_MS: u64 = 300_000;
/// Days that are played before rounds count, and days that count.
const DAYS: (usize, usize) = (3, 1);

/// A table and what is asked of it: the mean over horizons of what the papers print.
struct Set {
    name: &'static str,
    start: &'static str,
    step_min: u32,
    day: Option<(usize, u32)>,
    horizons: &'static [usize],
    holidays: &'static [&'static str],
}

const SETS: [Set; 3] = [
    Set {
        name: "shenzhen_speed_kmh",
        start: "2015-01-01",
        step_min: 15,
        day: None,
        horizons: &[1, 2, 3, 4],
        holidays: &["2015-01-01", "2015-01-02", "2015-01-03"],
    },
    Set {
        name: "losloop_speed_mph",
        start: "2012-03-01",
        step_min: 5,
        day: None,
        horizons: &[3, 6, 9, 12],
        holidays: &[],
    },
    Set {
        name: "hangzhou_metro_entries",
        start: "2019-01-01",
        step_min: 10,
        day: Some((108, 360)),
        horizons: &[1, 2, 3, 4, 5, 6],
        holidays: &["2019-01-01"],
    },
];

fn main() -> ExitCode {
    if std::env::args().any(|argument| argument == "parts") {
        return parts();
    }
    let mut goals = Goals::default();
    let [shenzhen, losloop, hangzhou] = SETS.each_ref().map(|set| told(set, &mut goals));
    if let Some(report) = shenzhen {
        goals.most("shenzhen: RMSE, mean over steps and horizons", report.forecaster.cumulative_rmse_mean, 4.06);
        goals.most("shenzhen: MAE", report.forecaster.cumulative_mae_mean, 2.75);
    }
    if let Some(report) = losloop {
        goals.most("losloop: RMSE, mean over steps and horizons", report.forecaster.cumulative_rmse_mean, 5.90);
        goals.most("losloop: MAE", report.forecaster.cumulative_mae_mean, 3.50);
        let onset = &report.horizons[report.horizons.len() - 1].onset;
        goals.least("losloop: onsets told at 60 min, 7 of 10 right", onset.recall_at_precision_70.unwrap_or(0.0), 0.45);
    }
    if let Some(report) = hangzhou {
        goals.most("hangzhou: WMAPE at 10 min, %", report.horizons[0].forecaster.wmape, 9.3);
        goals.most("hangzhou: WMAPE at 60 min, %", report.horizons[5].forecaster.wmape, 11.0);
    }
    rounds(&mut goals);
    goals.verdict()
}

/// Prints how good the forecaster is without each of its parts.
fn parts() -> ExitCode {
    println!("| without | shenzhen RMSE, MAE | losloop RMSE, MAE | onsets at 60 min | hangzhou WMAPE at 10, 60 min |");
    println!("| --- | --- | --- | --- | --- |");
    let one = Part::NAMES.iter().map(|(name, part)| (*name, vec![*part]));
    let all = Part::NAMES.iter().map(|(_, part)| *part).collect();
    for (name, without) in std::iter::once(("nothing", Vec::new())).chain(one).chain([("all of these", all)]) {
        let reports = SETS.each_ref().map(|set| forecast_eval(&plan(set, &without)));
        let [Ok(shenzhen), Ok(losloop), Ok(hangzhou)] = reports else {
            eprintln!("a table is missing: see NANMING_FORECAST_DATA");
            return ExitCode::FAILURE;
        };
        let errors = |report: &Report| {
            let of = &report.forecaster;
            format!("{:.3}, {:.3}", of.cumulative_rmse_mean, of.cumulative_mae_mean)
        };
        let onset = losloop.horizons.last().and_then(|h| h.onset.recall_at_precision_70).unwrap_or(0.0);
        let wmape = |row: usize| hangzhou.horizons[row].forecaster.wmape;
        let (shenzhen, losloop) = (errors(&shenzhen), errors(&losloop));
        println!("| {name} | {shenzhen} | {losloop} | {onset:.2} | {:.2}, {:.2} |", wmape(0), wmape(5));
    }
    ExitCode::SUCCESS
}

fn plan(set: &Set, without: &[Part]) -> Plan {
    let day = |day: &str| day.parse::<NaiveDate>().expect("a day");
    let (rows_per_day, day_start_min) = set.day.map_or((None, 0), |(rows, start)| (Some(rows), start));
    let holidays: Vec<NaiveDate> = set.holidays.iter().map(|d| day(d)).collect();
    let calendar = Calendar::new(day(set.start), set.step_min, day_start_min, rows_per_day, false, &holidays, &[]);
    Plan {
        table: data().join(format!("{}.csv.gz", set.name)),
        header: false,
        calendar: calendar.expect("a calendar"),
        split: 0.8,
        horizons: set.horizons.to_vec(),
        origin_lag: (60 / set.step_min) as usize,
        adjacency: None,
        zero_is_missing: false,
        without: without.to_vec(),
        plots: None,
    }
}

/// Measures a table and prints each horizon; judges its intervals.
fn told(set: &Set, goals: &mut Goals) -> Option<Report> {
    match forecast_eval(&plan(set, &[])) {
        Ok(report) => {
            println!("{report}");
            for h in &report.horizons {
                let within = |share: f64, low: f64, high: f64| (low..=high).contains(&share);
                let reached = within(h.coverage80, 0.78, 0.82) && within(h.coverage95, 0.94, 0.96);
                let said = format!("{:.3} and {:.3}, to be 0.78-0.82 and 0.94-0.96", h.coverage80, h.coverage95);
                goals.judge(&format!("{}: coverage at step {}", set.name, h.step), reached, said);
            }
            Some(report)
        }
        Err(why) => {
            goals.judge(set.name, false, why.to_string());
            None
        }
    }
}

/// Rounds of a city's links: all regions one after the other on this core.
fn rounds(goals: &mut Goals) {
    let settings = Settings {
        step_ms: STEP_MS,
        horizons: LEADS,
        utc_offset_min: 0,
        zero: ZeroRule::Value,
        holidays: Vec::new(),
        working_days: Vec::new(),
        first_slot_min: 0,
        slots_per_day: DAY,
        reference: Some(1.0),
        sticks: true,
        without: Vec::new(),
    };
    let sizes: Vec<usize> = (0..LINKS).step_by(TOGETHER).map(|first| TOGETHER.min(LINKS - first)).collect();
    let near: Vec<Vec<Vec<usize>>> = sizes.iter().map(|size| vec![Vec::new(); *size]).collect();
    let mut regions = vec![Learned::default(); sizes.len()];
    let mut took_ms = Vec::new();
    for row in 0..(DAYS.0 + DAYS.1) * DAY {
        let mut first = 0;
        let rows: Vec<Vec<Option<f32>>> = sizes
            .iter()
            .map(|size| {
                first += size;
                (first - size..first).map(|link| Some(share(row, link))).collect()
            })
            .collect();
        let began = Instant::now();
        for ((region, near), values) in regions.iter_mut().zip(&near).zip(&rows) {
            region.step(&settings, near, row as u64 * STEP_MS, values, &vec![Default::default(); values.len()]);
        }
        if row >= DAYS.0 * DAY {
            took_ms.push(began.elapsed().as_secs_f64() * 1e3);
        }
    }
    took_ms.sort_by(f64::total_cmp);
    let at = |share: f64| took_ms[((took_ms.len() - 1) as f64 * share) as usize];
    println!("a round of {LINKS} links x {LEADS} leads: {:.1} ms median, {:.1} p99", at(0.5), at(0.99));
    goals.most("a round of 1,900 links, median, ms", at(0.5), 100.0);
    let bytes: usize = regions.iter().map(|region| postcard::to_stdvec(region).expect("a state").len()).sum();
    goals.most("saved state of a link, kB", bytes as f64 / LINKS as f64 / 1e3, 20.0);
}

/// Speed of a link as a share of free flow: slower by day, jams that move through the city, noise.
fn share(row: usize, link: usize) -> f32 {
    let hour = (row % DAY) as f32 / 12.0;
    let noise = |a: usize, b: usize| {
        let x = (a as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (b as u64 + 1).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        ((x ^ (x >> 31)).wrapping_mul(0x94d0_49bb_1331_11eb) >> 40) as f32 / (1u64 << 24) as f32
    };
    let jam = (hour - 8.0 - 2.0 * noise(row / DAY, link / 40) - (link % 40) as f32 / 12.0).abs() < 0.7;
    let usual = 0.9 - 0.2 * (-(hour - 13.0).powi(2) / 20.0).exp();
    (if jam { 0.3 } else { usual }) + 0.1 * (noise(row, link) - 0.5)
}

fn data() -> PathBuf {
    std::env::var_os("NANMING_FORECAST_DATA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data/forecast"), PathBuf::from)
}
