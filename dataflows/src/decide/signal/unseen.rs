//! Vehicles that come to a line and that nothing sees before they leave: past cameras that miss them or are dead, and from
//! yards and side roads.
//!
//! Who leaves without having been known shows how many come so: that flow fills a queue while the light is red, as far as can
//! be known. A green in which nobody leaves for some seconds shows that nobody waits; one in which vehicles leave one behind
//! the other, that more may.

use serde::{Deserialize, Serialize};

/// How long the flow is remembered, s: two or three cycles.
const MEMORY_S: f32 = 300.0;
/// After so many seconds of green, ...
const STARTED_S: u32 = 5;
/// ... and so many in which nobody has left, nobody waits, s.
const EMPTY_S: u32 = 4;
/// Who leaves within so long after the one before was in a queue with it, s.
const HEADWAY_S: u32 = 3;
/// While a queue moves so many are taken to stand in it still, vehicles, ...
const MORE: f32 = 1.0;
/// ... where so many or more come unseen, vehicles/s.
const SOME_FLOW: f32 = 0.02;
/// Where the line is silent a queue is taken to leave so fast, vehicles/s.
const PACE: f32 = 0.5;
/// More than that a lane does not hide, vehicles.
const MOST: f32 = 30.0;

/// What is known of those who come unseen to the line of a lane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Unseen {
    /// Left since it was last looked at and unknown before, 1/1000.
    strangers_milli: u32,
    /// How many come, vehicles/s.
    flow: f32,
    /// How many wait, vehicles.
    waiting: f32,
    /// How many come usually, where the line is silent, vehicles/s.
    usual: f32,
    /// Since so long nobody has left, s.
    idle_s: u32,
    /// Green for so long, s.
    green_s: u32,
}

impl Unseen {
    /// Forgets who has left and was not looked at.
    pub(super) fn begin(&mut self) {
        self.strangers_milli = 0;
    }

    /// Some have left whom nobody knew before.
    pub(super) fn left(&mut self, strangers_milli: u32) {
        self.strangers_milli += strangers_milli;
    }

    /// A second has passed in which so many waited who are known of; `goes`: the lane was let go; `leaves`: somebody left;
    /// `usual`: the line is silent, and so many come usually, vehicles/s.
    pub(super) fn second(&mut self, known: f32, arriving: f32, goes: bool, leaves: bool, usual: Option<f32>) {
        self.usual = usual.unwrap_or_default();
        let strangers = std::mem::take(&mut self.strangers_milli) as f32 / 1000.0;
        self.flow += (strangers - self.flow) / MEMORY_S;
        let (came, left) = match usual {
            // Those who are seen to come are among the usual ones.
            Some(usual) => (if usual > 0.0 { usual } else { arriving }, if goes { PACE } else { 0.0 }),
            None => (self.flow, strangers),
        };
        self.waiting = (self.waiting + came - left).clamp(0.0, MOST);
        self.idle_s = if leaves { 0 } else { self.idle_s + 1 };
        self.green_s = if goes { self.green_s + 1 } else { 0 };
        if usual.is_none() && self.green_s >= STARTED_S && self.idle_s >= EMPTY_S && known < 1.0 {
            self.waiting = 0.0;
        } else if usual.is_none() && goes && self.idle_s < HEADWAY_S && self.flow > SOME_FLOW {
            self.waiting = self.waiting.max(MORE);
        }
    }

    /// The line has fallen silent: those who are known to wait are counted here from now on.
    pub(super) fn take_over(&mut self, known: f32) {
        self.waiting += known;
    }

    /// How many come, vehicles/s.
    pub(super) fn flow(&self) -> f32 {
        self.flow.max(self.usual)
    }

    /// How many wait, vehicles.
    pub(super) fn waiting(&self) -> f32 {
        self.waiting
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many cycles of a minute: half of it green, in which `strangers` leave one each 2 s.
    fn after(cycles: u32, strangers: u32) -> Unseen {
        let mut unseen = Unseen::default();
        for second in 0..cycles * 60 {
            let (goes, at_s) = (second % 60 < 30, second % 60);
            let leaves = goes && at_s % 2 == 0 && at_s / 2 < strangers;
            unseen.left(if leaves { 1000 } else { 0 });
            unseen.second(0.0, 0.0, goes, leaves, None);
        }
        unseen
    }

    #[test]
    fn those_who_leave_unknown_are_expected_to_wait_at_the_next_red() {
        let unseen = after(30, 6);
        assert!((unseen.flow() * 60.0 - 6.0).abs() < 1.0, "{unseen:?}");
        assert!((unseen.waiting() - 4.0).abs() < 1.5, "who came since the queue was gone: {unseen:?}");
        assert_eq!(after(30, 0), Unseen { idle_s: 1_800, ..Unseen::default() });
    }

    #[test]
    fn where_the_line_is_silent_those_who_come_usually_wait() {
        let mut unseen = Unseen::default();
        (0..60).for_each(|_| unseen.second(0.0, 0.0, false, false, Some(0.1)));
        assert!((unseen.waiting() - 6.0).abs() < 0.1, "{unseen:?}");
        (0..20).for_each(|_| unseen.second(0.0, 0.0, true, false, Some(0.1)));
        assert_eq!(unseen.waiting(), 0.0, "they have had their time to leave");
    }

    #[test]
    fn a_green_in_which_nobody_leaves_shows_that_nobody_waits() {
        let mut unseen = after(30, 6);
        (0..STARTED_S).for_each(|_| unseen.second(0.0, 0.0, true, false, None));
        assert_eq!(unseen.waiting(), 0.0);
        let mut held_up = after(30, 6);
        (0..STARTED_S).for_each(|_| held_up.second(2.0, 0.0, true, false, None));
        assert!(held_up.waiting() > 0.0, "someone stands before them");
    }
}
