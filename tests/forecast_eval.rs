//! `nanming forecast-eval` on a small table, on what is wrong with tables, and on real ones whose baselines are known.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// Public data sets of the machines that develop this; `NANMING_FORECAST_DATA` names another place.
const DATA: &str = "/work/shared/data/forecast";

fn nanming(table: &Path, options: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nanming"));
    command
        .arg("forecast-eval")
        .arg(table)
        .args(options.split_whitespace())
        .env("NANMING_LOG", "warn")
        .output()
        .unwrap()
}

fn said(table: &Path, options: &str) -> String {
    let done = nanming(table, options);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

fn figures(table: &Path, options: &str) -> Value {
    serde_json::from_str(&said(table, &format!("{options} --json"))).unwrap()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

/// Ten days of two streets, packed: free at 40 and 50, slow for three hours of the evening.
fn streets(dir: &Path) -> PathBuf {
    let path = dir.join("streets.csv.gz");
    let mut file = flate2::write::GzEncoder::new(std::fs::File::create(&path).unwrap(), flate2::Compression::fast());
    for row in 0..10 * 24 {
        let slow = (17..20).contains(&(row % 24));
        let wave = f64::from(row * 7 % 5) / 10.0;
        let (first, second) = if slow { (10.0 + wave, 12.0) } else { (40.0 + wave, 50.0 - wave) };
        // One cell is empty behind the warm-up.
        let second = if row == 210 { String::new() } else { second.to_string() };
        writeln!(file, "{first},{second}").unwrap();
    }
    file.finish().unwrap();
    path
}

#[test]
fn a_table_is_scored_beside_its_baselines_and_drawn() {
    let dir = tempfile::tempdir().unwrap();
    let (table, plots) = (streets(dir.path()), dir.path().join("plots"));
    let near = dir.path().join("near.csv");
    std::fs::write(&near, "0,1\n1,0\n").unwrap();
    let options = "--step 1h --start 2026-01-05 --horizons 1,3";
    let with = format!("{options} --adjacency {} --plots {}", near.display(), plots.display());
    let told = figures(&table, &with);
    // 240 rows: rows 192 to 235 are forecast from, and what is missing is not scored.
    let counts = ["rows", "sensors", "warm_up", "scored"].map(|key| told[key].as_u64().unwrap());
    assert_eq!(counts, [240, 2, 192, 44], "{told}");
    let [first, third] = &told["horizons"].as_array().unwrap()[..] else { panic!("{told}") };
    assert_eq!((first["step"].as_u64(), third["minutes"].as_u64()), (Some(1), Some(180)));
    assert_eq!((first["cells"].as_u64(), third["cells"].as_u64()), (Some(87), Some(87)), "{told}");
    for horizon in [first, third] {
        let keys = ["mae", "rmse", "wmape", "cumulative_mae", "cumulative_rmse"];
        for of in [horizon, &horizon["last_value"], &horizon["time_of_day"]] {
            assert!(keys.iter().all(|key| number(&of[*key]) > 0.0), "{told}");
        }
        for key in ["coverage80", "coverage95"] {
            assert!((0.0..=1.0).contains(&number(&horizon[key])), "{told}");
        }
    }
    assert_eq!(first["onset"]["events"].as_u64(), Some(4), "each street on two evenings: {told}");
    assert!(number(&first["last_value"]["mae"]) < number(&third["last_value"]["mae"]), "{told}");
    assert!(number(&told["time_of_day"]["cumulative_rmse_mean"]) < number(&told["last_value"]["cumulative_rmse_mean"]));
    assert!(number(&told["us_per_update"]) > 0.0 && number(&told["cumulative_mae_mean"]) > 0.0, "{told}");
    for name in ["errors", "calibration", "day-sensor-1", "day-sensor-2"] {
        let drawn = std::fs::read_to_string(plots.join(format!("{name}.svg"))).unwrap();
        assert!(drawn.contains("streets.csv.gz") && drawn.contains("<polyline"), "{name}: {drawn}");
    }
    let text = said(&table, options);
    assert!(text.contains("2 sensors, 240 rows of 60 min") && text.contains(" 180 min"), "{text}");
    let lag = figures(&table, &format!("{options} --origin-lag 5 --split 0.5"));
    assert_eq!((lag["warm_up"].as_u64(), lag["scored"].as_u64()), (Some(120), Some(112)));
}

#[test]
fn what_is_wrong_is_told_with_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let table = streets(dir.path());
    let refused = |table: &Path, options: &str, code: i32, words: &str| {
        let done = nanming(table, &format!("--start 2026-01-05 {options}"));
        let said = String::from_utf8(done.stderr).unwrap();
        assert!(done.status.code() == Some(code) && said.contains(words), "{said}");
    };
    refused(&table, "", 2, "--step");
    refused(&table, "--step 7m", 2, "that divide a day");
    refused(&table, "--step 1h --horizons 0", 2, "rows ahead from 1 to 288");
    refused(&table, "--step 1h --horizons 289", 2, "rows ahead from 1 to 288");
    refused(&table, "--step 1h --split 1", 2, "between 0 and 1");
    refused(&table, "--step 1h --origin-lag 0", 2, "--origin-lag");
    refused(&table, "--step 1h --day-start 25:00", 2, "such as 06:00");
    refused(&table, "--step 1h --day-start 06:00 --rows-per-day 19", 1, "room for 1 to 18 rows");
    refused(&table, "--step 1h --split 0.99", 1, "240 rows are too few");
    refused(&table, "--step 1h --rows-per-day 4", 1, "rows without a gap");
    refused(&dir.path().join("none.csv"), "--step 1h", 1, "give a .csv or .csv.gz");
    let wrong = dir.path().join("wrong.csv");
    for (text, words) in [
        ("1,2\n1,2\n1\n", "line 3: it has 1 cells, the first line 2"),
        ("1,2\n1,two\n", "line 2: column 2: 'two' is no number"),
        ("", "0 rows are too few"),
        ("a,b\n", "0 rows are too few"),
    ] {
        std::fs::write(&wrong, text).unwrap();
        refused(&wrong, "--step 1h", 1, words);
    }
    std::fs::write(&wrong, "0,1,1\n1,0,1\n1,1,0\n").unwrap();
    refused(&table, &format!("--step 1h --adjacency {}", wrong.display()), 1, "give 2 x 2");
}

/// A public table, or none with a loud word.
fn data(name: &str) -> Option<PathBuf> {
    let dir = std::env::var_os("NANMING_FORECAST_DATA").map_or_else(|| DATA.into(), PathBuf::from);
    let path = dir.join(format!("{name}.csv.gz"));
    if !path.is_file() {
        eprintln!("SKIPPED: there is no {}", path.display());
        return None;
    }
    Some(path)
}

fn near(value: &Value, expected: f64, within: f64) {
    assert!((number(value) - expected).abs() <= within, "{value}, and it should be {expected}");
}

#[test]
fn the_baselines_of_public_tables_are_as_known() {
    if let Some(table) = data("shenzhen_speed_kmh") {
        let told = figures(&table, "--step 15m --start 2015-01-01 --horizons 1,2,3,4");
        assert_eq!((told["sensors"].as_u64(), told["scored"].as_u64()), (Some(156), Some(588)));
        near(&told["last_value"]["cumulative_rmse_mean"], 5.33, 0.005);
        near(&told["time_of_day"]["cumulative_rmse_mean"], 5.716, 0.005);
    }
    if let Some(table) = data("losloop_speed_mph") {
        let told = figures(&table, "--step 5m --start 2012-03-01 --horizons 3,6,9,12");
        near(&told["last_value"]["cumulative_rmse_mean"], 7.10, 0.005);
        near(&told["time_of_day"]["cumulative_rmse_mean"], 7.948, 0.005);
    }
    if let Some(table) = data("hangzhou_metro_entries") {
        let day = "--step 10m --start 2019-01-01 --rows-per-day 108 --day-start 06:00 --split 0.8";
        let told = figures(&table, &format!("{day} --horizons 1,2,3,4,5,6"));
        let [first, .., last] = &told["horizons"].as_array().unwrap()[..] else { panic!("{told}") };
        near(&first["last_value"]["wmape"], 17.40, 0.02);
        near(&last["last_value"]["wmape"], 44.93, 0.02);
        near(&first["time_of_day"]["wmape"], 12.94, 0.02);
        near(&last["time_of_day"]["wmape"], 13.28, 0.02);
    }
}
