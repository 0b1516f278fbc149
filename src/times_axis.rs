//! An axis of times of day for pictures, with round ones written at it.

use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};

/// From and to, s.
#[derive(Clone)]
pub(crate) struct Times(pub(crate) Range<f64>);

impl Ranged for Times {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, at_s: &f64, (first_px, last_px): (i32, i32)) -> i32 {
        let share = (at_s - self.0.start) / (self.0.end - self.0.start);
        first_px + (share * f64::from(last_px - first_px)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        round_times(&self.0)
    }

    fn range(&self) -> Range<f64> {
        self.0.clone()
    }
}

impl ValueFormatter<f64> for Times {
    fn format_ext(&self, at_s: &f64) -> String {
        clock(*at_s, self.0.end - self.0.start <= 600.0)
    }
}

/// At most eleven of them, s.
fn round_times(span_s: &Range<f64>) -> Vec<f64> {
    const STEPS_S: [f64; 9] = [15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1_800.0, 3_600.0];
    let length_s = span_s.end - span_s.start;
    let longer_s = (length_s / 10.0 / 3_600.0).ceil() * 3_600.0;
    let step_s = STEPS_S.into_iter().find(|step_s| length_s / step_s <= 10.0).unwrap_or(longer_s);
    let first = (span_s.start / step_s).ceil();
    (0..=10).map(|n| (first + f64::from(n)) * step_s).filter(|at_s| *at_s <= span_s.end).collect()
}

/// A time as people write it.
fn clock(time_s: f64, with_seconds: bool) -> String {
    let s = time_s.round() as i64;
    let (h, min, s) = (s / 3600, s / 60 % 60, s % 60);
    if with_seconds { format!("{h:02}:{min:02}:{s:02}") } else { format!("{h:02}:{min:02}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_times_are_written_with_seconds_where_the_axis_is_short() {
        let minutes: Vec<f64> = (0..11).map(|n| 26_700.0 + 60.0 * f64::from(n)).collect();
        assert_eq!(round_times(&(26_700.0..27_300.0)), minutes);
        assert_eq!(round_times(&(100.0..160.0)), [105.0, 120.0, 135.0, 150.0]);
        assert_eq!(round_times(&(0.0..86_400.0)).len(), 9);
        assert_eq!(Times(26_700.0..27_300.0).format_ext(&26_759.0), "07:25:59");
        assert_eq!(Times(25_200.0..28_800.0).format_ext(&26_700.0), "07:25");
        assert_eq!(Times(100.0..200.0).map(&150.0, (10, 110)), 60);
    }
}
