//! Which interval of the day, on what class of day: what profiles are kept by.

use super::panel::Settings;
use crate::Time;
use crate::network::calendar::is_day_off;

const MINUTE_MS: u64 = 60_000;
const DAY_MIN: i64 = 1_440;
/// Classes of days: working days, and days off.
pub(super) const CLASSES: usize = 2;

/// An interval of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    /// Intervals since the epoch, counting only those that are told of: consecutive rows differ by one.
    pub row: i64,
    /// Row of the day.
    pub slot: usize,
    /// Class of the day: 0 working, 1 off.
    pub class: usize,
}

impl Settings {
    /// The interval that stands at a time.
    pub(super) fn slot_at(&self, time_ms: Time) -> Slot {
        let minute = (time_ms / MINUTE_MS) as i64 + i64::from(self.utc_offset_min);
        let since_first = (minute.rem_euclid(DAY_MIN) - i64::from(self.first_slot_min)) * MINUTE_MS as i64;
        let slot = since_first.max(0) as u64 / self.step_ms.max(1);
        self.slot_of(minute.div_euclid(DAY_MIN) * self.slots_per_day as i64 + slot as i64)
    }

    /// The interval so many later: behind the last of a day comes the first of the next.
    pub(super) fn slot_of(&self, row: i64) -> Slot {
        let slots = self.slots_per_day.max(1) as i64;
        let day = row.div_euclid(slots);
        let off = is_day_off(day, &self.holidays, &self.working_days);
        Slot { row, slot: row.rem_euclid(slots) as usize, class: usize::from(off) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::panel::{Settings, ZeroRule};
    use super::*;

    #[test]
    fn a_service_day_is_followed_by_the_next() {
        let settings = Settings {
            step_ms: 600_000,
            horizons: 6,
            utc_offset_min: 480,
            zero: ZeroRule::Value,
            holidays: vec![4],
            working_days: vec![9],
            first_slot_min: 360,
            slots_per_day: 108,
            reference: None,
            sticks: true,
            without: Vec::new(),
        };
        let thursday_0610_ms = (1440 + 360 + 10 - 480) * MINUTE_MS; // 1970-01-02 06:10 at UTC+8: a Friday
        let slot = settings.slot_at(thursday_0610_ms);
        assert_eq!((slot.slot, slot.class, slot.row), (1, 0, 109));
        let next = settings.slot_of(slot.row + 107);
        assert_eq!((next.slot, next.class), (0, 1), "a Saturday");
        assert_eq!(settings.slot_of(4 * 108).class, 1, "a Monday that is a holiday");
        let class = |day: i64| settings.slot_of(day * 108).class;
        assert_eq!([5, 9, 10].map(class), [0, 0, 1], "a Tuesday, a Saturday that is made up for, a Sunday");
    }
}
