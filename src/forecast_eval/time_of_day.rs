//! What is usual at a time of day: means of the warm-up by row of the day, of working days and of days off, each smoothed with
//! those of the rows before and after it (1-2-1).

use super::calendar::Calendar;
use super::table::Table;

/// Weights of the row before, the row itself and the one after.
const SMOOTHING: [f64; 3] = [1.0, 2.0, 1.0];

/// Means by kind of day, row of the day and sensor.
pub(super) struct TimeOfDay {
    working: Vec<Option<f32>>,
    off: Vec<Option<f32>>,
    sensors: usize,
}

impl TimeOfDay {
    /// Of the first rows of a table.
    pub(super) fn learn(calendar: &Calendar, table: &Table, warm_up: usize) -> TimeOfDay {
        let kinds = [false, true].map(|off| {
            let mut sums = Sums::new(calendar, table.sensors());
            (0..warm_up).filter(|row| calendar.is_day_off(*row) == off).for_each(|row| sums.add(calendar, table, row));
            sums
        });
        let mut all = Sums::new(calendar, table.sensors());
        (0..warm_up).for_each(|row| all.add(calendar, table, row));
        let [working, off] = kinds.map(|sums| sums.means(&all));
        TimeOfDay { working, off, sensors: table.sensors() }
    }

    /// What is usual of a sensor at the time of a row; none where the warm-up has nothing of it.
    pub(super) fn at(&self, calendar: &Calendar, row: usize, sensor: usize) -> Option<f32> {
        let means = if calendar.is_day_off(row) { &self.off } else { &self.working };
        means[calendar.slot(row) * self.sensors + sensor]
    }
}

/// Sum and number of values by row of the day and sensor.
struct Sums {
    cells: Vec<(f64, f64)>,
    sensors: usize,
    /// The last row of a day is followed by its first.
    whole_day: bool,
}

impl Sums {
    fn new(calendar: &Calendar, sensors: usize) -> Sums {
        let whole_day = calendar.rows_per_day() as u64 * calendar.step_ms() == 86_400_000;
        Sums { cells: vec![(0.0, 0.0); calendar.rows_per_day() * sensors], sensors, whole_day }
    }

    fn add(&mut self, calendar: &Calendar, table: &Table, row: usize) {
        let first = calendar.slot(row) * self.sensors;
        for sensor in 0..self.sensors {
            if let Some(value) = table.value(row, sensor) {
                let (sum, count) = &mut self.cells[first + sensor];
                *sum += f64::from(value);
                *count += 1.0;
            }
        }
    }

    /// Smoothed means; where there is none, that of all days at this time, and then that of all times.
    fn means(&self, all: &Sums) -> Vec<Option<f32>> {
        let slots = self.cells.len().checked_div(self.sensors).unwrap_or(0);
        let mean = |slot: usize, sensor: usize| {
            let smooth = self.smoothed(slots, slot, sensor).or_else(|| all.smoothed(slots, slot, sensor));
            smooth.or_else(|| all.of_all_times(sensor)).map(|mean| mean as f32)
        };
        (0..slots).flat_map(|slot| (0..self.sensors).map(move |sensor| mean(slot, sensor))).collect()
    }

    fn smoothed(&self, slots: usize, slot: usize, sensor: usize) -> Option<f64> {
        let (mut sum, mut weights) = (0.0, 0.0);
        for (weight, place) in SMOOTHING.into_iter().zip(slot..) {
            // Counted from one row before.
            let inside = (1..=slots).contains(&place);
            let (total, count) = self.cells[(place + slots - 1) % slots * self.sensors + sensor];
            if count > 0.0 && (inside || self.whole_day) {
                sum += weight * total / count;
                weights += weight;
            }
        }
        (weights > 0.0).then(|| sum / weights)
    }

    fn of_all_times(&self, sensor: usize) -> Option<f64> {
        let cells = self.cells.iter().skip(sensor).step_by(self.sensors);
        let (sum, count) = cells.fold((0.0, 0.0), |(sum, count), cell| (sum + cell.0, count + cell.1));
        (count > 0.0).then(|| sum / count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Table {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.csv");
        std::fs::write(&path, text).unwrap();
        Table::read(&path, false, false).unwrap()
    }

    fn calendar(day_start_min: u32) -> Calendar {
        // A Friday; then two days off.
        Calendar::new("2015-01-02".parse().unwrap(), 360, day_start_min, None, false, &[], &[]).unwrap()
    }

    #[test]
    fn means_are_those_of_the_kind_of_day_and_smoothed_around_midnight() {
        let calendar = calendar(0);
        let table = table("0,\n4,\n8,\n4,\n1,\n1,\n1,\n1,\n3,7\n3,\n3,\n3,\n9,\n9,\n9,\n9,\n");
        let usual = TimeOfDay::learn(&calendar, &table, 12);
        let of = |row, sensor| usual.at(&calendar, row, sensor);
        // Row 12 is a Monday's first: as Friday's.
        assert_eq!((0..4).map(|n| of(12 + n, 0).unwrap()).collect::<Vec<_>>(), [2.0, 4.0, 6.0, 4.0]);
        assert_eq!((4..8).map(|row| of(row, 0).unwrap()).collect::<Vec<_>>(), [2.0; 4]);
        assert_eq!([of(8, 1), of(14, 1)], [Some(7.0); 2], "what was never seen at this time is as at others");
        assert_eq!(TimeOfDay::learn(&calendar, &table, 4).at(&calendar, 0, 1), None);
    }

    #[test]
    fn a_day_with_a_night_left_out_is_not_smoothed_around_it() {
        let calendar = calendar(360);
        let usual = TimeOfDay::learn(&calendar, &table("1\n4\n10\n0\n0\n0\n"), 3);
        assert_eq!(usual.at(&calendar, 0, 0), Some(2.0));
        assert_eq!(usual.at(&calendar, 2, 0), Some(8.0));
    }
}
