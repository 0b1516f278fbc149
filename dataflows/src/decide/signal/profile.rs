//! How many leave a lane in an hour of a usual day: what is reckoned with where the line has fallen silent.

use serde::{Deserialize, Serialize};

/// An hour counts that was heard for so long, s.
const HEARD_S: u32 = 1_800;
/// A day counts for so much beside those before it.
const DAY_SHARE: f32 = 0.25;
/// A line is silent when so many should have left since the last one did, vehicles. By chance that happens in one of 100,000
/// such stretches.
const MISSED: f32 = 12.0;

/// What is known of a lane's usual day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Profile {
    /// By local hour, vehicles/s; 0: nothing is known.
    usual: [f32; 24],
    /// The local hour of now.
    hour: u8,
    /// Heard in this hour for so long, s.
    heard_s: u32,
    /// Left in this hour, vehicles.
    left: f32,
    /// Should have left since the last one did, vehicles.
    missed: f32,
}

impl Profile {
    /// A second of a local hour has passed in which so many left.
    pub(super) fn second(&mut self, hour: u8, left: f32) {
        if hour != self.hour {
            self.close();
            (self.hour, self.heard_s, self.left) = (hour, 0, 0.0);
        }
        self.missed = if left > 0.0 { 0.0 } else { self.missed + self.usual[usize::from(hour)] };
        if self.missed < MISSED {
            self.heard_s += 1;
            self.left += left;
        }
    }

    fn close(&mut self) {
        if self.heard_s >= HEARD_S {
            let (usual, today) = (&mut self.usual[usize::from(self.hour)], self.left / self.heard_s as f32);
            *usual = if *usual == 0.0 { today } else { *usual + (today - *usual) * DAY_SHARE };
        }
    }

    /// Who comes usually, vehicles/s, where the line says nothing although it should.
    pub(super) fn stand_in(&self) -> Option<f32> {
        (self.missed >= MISSED).then(|| self.usual[usize::from(self.hour)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// After days on which one leaves each so many seconds, and then so long without anybody, s.
    fn after(days: u32, each_s: u32, silent_s: u32) -> Profile {
        let mut profile = Profile::default();
        let day = |second: u32| if second.is_multiple_of(each_s) { 1.0 } else { 0.0 };
        (0..days * 86_400).for_each(|second| profile.second((second / 3_600 % 24) as u8, day(second)));
        (0..silent_s).for_each(|second| profile.second((second / 3_600) as u8, 0.0));
        profile
    }

    #[test]
    fn a_line_that_falls_silent_is_taken_to_be_as_on_days_before() {
        assert_eq!(after(1, 10, 100).stand_in(), None, "a pause");
        let flow = after(1, 10, 200).stand_in().expect("twelve should have come");
        assert!((flow - 0.1).abs() < 0.01, "{flow}");
        assert_eq!(after(0, 10, 3_000).stand_in(), None, "nothing is known of the first day");
        let mut heard = after(1, 10, 200);
        heard.second(0, 1.0);
        assert_eq!(heard.stand_in(), None);
    }

    #[test]
    fn hours_of_silence_are_not_learned() {
        let mut profile = after(2, 10, 86_400);
        profile.second(0, 0.0);
        assert!((profile.stand_in().unwrap_or_default() - 0.1).abs() < 0.02, "{profile:?}");
    }
}
