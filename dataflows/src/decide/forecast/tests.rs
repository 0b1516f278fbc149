//! What holds of forecasters that learn together, on a small street that congests from one end to the other.

use super::panel::{Ahead, Learned, Panel, Settings, ZeroRule};
use super::score::Score;

const DAY: usize = 96;
const HORIZONS: usize = 4;

fn settings(reference: Option<f32>) -> Settings {
    Settings {
        step_ms: 900_000,
        horizons: HORIZONS,
        utc_offset_min: 0,
        zero: ZeroRule::Missing,
        holidays: Vec::new(),
        working_days: Vec::new(),
        first_slot_min: 0,
        slots_per_day: DAY,
        reference,
        sticks: true,
        without: Vec::new(),
    }
}

fn time_ms(row: usize) -> u64 {
    (row as u64 + 4 * DAY as u64) * 900_000 // 1970-01-05 was a Monday
}

/// Noise in -1..1, the same for the same numbers.
fn noise(row: usize, series: usize) -> f32 {
    let x = (row as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (series as u64 + 1).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 31)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (x >> 40) as f32 / (1u64 << 23) as f32 - 1.0
}

/// Speed of a link of the street, km/h: slower by day; on some days, from an hour that differs, a jam starts at link 0 and
/// moves on by a link each quarter of an hour.
fn speed_km_h(row: usize, link: usize) -> f32 {
    let (day, quarter) = (row / DAY, row % DAY);
    let wave = (std::f32::consts::TAU * quarter as f32 / DAY as f32).cos();
    let begins = 32 + ((noise(day, 99) + 1.0) * 8.0) as usize + link;
    let jammed = noise(day, 77) > -0.4 && (begins..begins + 10).contains(&quarter);
    let usual = 50.0 + 8.0 * wave + 2.0 * noise(row, link);
    if jammed { 12.0 + 2.0 * noise(row, link + 50) } else { usual }
}

fn street(row: usize, links: usize) -> Vec<Option<f32>> {
    (0..links).map(|link| Some(speed_km_h(row, link))).collect()
}

fn beside(links: usize) -> Vec<Vec<usize>> {
    (0..links).map(|link| [link.wrapping_sub(1), link + 1].into_iter().filter(|l| *l < links).collect()).collect()
}

/// Runs the street and scores from a row on.
fn run(panel: &mut Panel, rows: usize, links: usize, from: usize) -> Score {
    let (mut score, mut made) = (Score::new(HORIZONS), Vec::new());
    for row in 0..rows {
        let values = street(row, links);
        if row >= from {
            for ahead in 1..=HORIZONS {
                let before: &Vec<Ahead> = &made[row - ahead];
                for (link, value) in values.iter().enumerate() {
                    let free = speed_km_h(row - ahead, link) >= 25.0;
                    let told = &before[link * HORIZONS + ahead - 1];
                    score.add(ahead, told, value.unwrap(), free.then_some(25.0));
                }
            }
        }
        made.push(panel.step(time_ms(row), &values));
    }
    score
}

#[test]
fn a_jam_that_comes_up_the_street_is_told_before_it_is_there() {
    let mut panel = Panel::new(settings(Some(50.0)), &beside(12));
    let score = run(&mut panel, 90 * DAY, 12, 50 * DAY);
    for (ahead, step) in score.steps().iter().enumerate().take(2) {
        let best = step.onsets.best(0.7).map_or(0.0, |threshold| threshold.recall);
        assert!(best > 0.6, "{ahead}: {best} of {}", step.onsets.events());
        assert!((0.76..0.84).contains(&step.coverage80()), "{ahead}: {}", step.coverage80());
        assert!((0.93..0.97).contains(&step.coverage95()), "{ahead}: {}", step.coverage95());
    }
    // Half of the jams' edges could be seen coming, and noise has a mean size of 1.
    assert!(score.steps()[0].errors.mae() < 2.5, "{}", score.steps()[0].errors.mae());
}

#[test]
fn what_was_learned_outlives_a_restart() {
    let near = beside(6);
    let (settings, outside) = (settings(None), [Default::default(); 6]);
    let mut learned = Learned::default();
    for row in 0..3 * DAY {
        learned.step(&settings, &near, time_ms(row), &street(row, 6), &outside);
    }
    let saved = postcard::to_stdvec(&learned).unwrap();
    let mut again: Learned = postcard::from_bytes(&saved).unwrap();
    for row in 3 * DAY..3 * DAY + 20 {
        let values = street(row, 6);
        let one = learned.step(&settings, &near, time_ms(row), &values, &outside);
        assert_eq!(again.step(&settings, &near, time_ms(row), &values, &outside), one);
        assert_eq!(one.len(), 6 * HORIZONS);
    }
}

#[test]
fn what_is_missing_stuck_or_no_number_is_forecast_all_the_same() {
    let mut panel = Panel::new(settings(None), &beside(6));
    let mut last = Vec::new();
    for row in 0..12 * DAY {
        let mut values = street(row, 6);
        if row > 10 * DAY {
            values[0] = None;
            values[1] = Some(f32::NAN);
            values[2] = Some(3.0);
            values[3] = Some(0.0); // a zero is no observation here
        }
        last = panel.step(time_ms(row), &values);
    }
    let midnight = 58.0;
    for (series, ahead) in last.chunks(HORIZONS).enumerate() {
        for told in ahead {
            assert!((told.expected - midnight).abs() < 6.0, "{series}: {told:?}");
            assert!(told.low95 <= told.low80 && told.low80 <= told.high80 && told.high80 <= told.high95);
            assert!((0.0..=1.0).contains(&told.congested));
        }
        assert!(ahead.iter().all(|told| series > 3 || !told.onset), "nobody knows that it is free");
    }
}

#[test]
fn rows_that_never_came_are_not_taken_for_those_that_did() {
    let (mut whole, mut holed) = (Panel::new(settings(None), &beside(4)), Panel::new(settings(None), &beside(4)));
    for row in 0..6 * DAY {
        whole.step(time_ms(row), &street(row, 4));
        if row % 50 != 7 {
            holed.step(time_ms(row), &street(row, 4));
        }
    }
    let row = 6 * DAY;
    let (one, other) = (whole.step(time_ms(row), &street(row, 4)), holed.step(time_ms(row), &street(row, 4)));
    for (one, other) in one.iter().zip(&other) {
        assert!((one.expected - other.expected).abs() < 2.0, "{one:?} {other:?}");
    }
    assert!(holed.step(time_ms(row), &street(row, 4)).is_empty(), "the same row again");
    assert!(holed.step(time_ms(row - 3), &street(row, 4)).is_empty(), "time ran backwards");
    assert_eq!(holed.step(time_ms(row + 400 * DAY), &street(row, 4)).len(), 4 * HORIZONS, "a year away");
}

/// Ten million updates of regressions: 96 series, 4 horizons, over nine months of quarters of an hour, with readings that
/// are missing, stuck, wild, all the same, and never other than zero.
#[test]
fn after_ten_million_updates_forecasts_are_as_good_as_after_a_month() {
    const SERIES: usize = 96;
    let rows = 10_000_000 / (SERIES * HORIZONS) + 1;
    let new = || Panel::new(Settings { zero: ZeroRule::Value, ..settings(None) }, &beside(SERIES));
    let (mut old, mut young) = (new(), new());
    let (mut made, mut scores) = ([Vec::new(), Vec::new()], [Score::new(1), Score::new(1)]);
    for row in 0..rows {
        let mut values = street(row, SERIES);
        values[12] = Some(40.0); // the same for ever
        values[13] = Some(0.0);
        values[14] = (row % 5_000 > 4_000).then_some(f32::INFINITY);
        values[15] = if row % 777 == 0 { Some(1e30) } else { values[15] };
        for (score, made) in scores.iter_mut().zip(&made).filter(|_| row > rows - 30 * DAY) {
            (0..12).for_each(|link| score.add(1, &made[link * HORIZONS], speed_km_h(row, link), None));
        }
        made[0] = old.step(time_ms(row), &values);
        if row > rows - 60 * DAY {
            made[1] = young.step(time_ms(row), &values);
        }
        let sound = |told: &Ahead| {
            let ends = [told.low95, told.low80, told.high80, told.high95];
            told.expected.is_finite() && ends.iter().all(|end| end.is_finite()) && ends.is_sorted()
        };
        assert!(made[0].iter().all(sound), "row {row}: {:?}", made[0].iter().find(|told| !sound(told)));
    }
    let [old, young] = scores.map(|score| score.steps()[0].errors.mae());
    assert!(old < 1.03 * young, "{old} after ten million updates, {young} after a month");
}
