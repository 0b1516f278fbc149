//! How a lane flows when it is let go.

use serde::{Deserialize, Serialize};

use super::field::Green;
use super::profile::Profile;
use super::unseen::Unseen;

/// Saturation flow of a lane, vehicles/s. Learned lane by lane from those who leave it gave more delay on SUMO's ingolstadt7
/// and no less elsewhere.
const SATURATION: f32 = 0.53;
/// One that is let go, and from which nobody has left for so long although someone waits, is held up, s.
const STUCK_S: u32 = 6;
/// One that is let go altogether, and from which nobody has left for so long, is empty, whoever is taken to be there, s.
const EMPTY_S: u32 = 8;
/// One that is held up flows so much slower.
const STUCK_SHARE: f32 = 0.1;

/// What is known of how a lane flows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Flow {
    /// Left since it was last looked at, 1/1000.
    left_milli: u32,
    /// Let go, and nobody has left, for so long, s.
    held_s: u32,
    /// The movements that were let go meanwhile, a bit each.
    held: u32,
    /// Let go altogether, and nobody has left, for so long, s.
    idle_s: u32,
    /// When it was seen to be empty; nobody has left since. Unix time, s; 0: somebody has.
    empty_at_s: u32,
    unseen: Unseen,
    profile: Profile,
}

impl Flow {
    /// Some have left, and of those nobody knew some before.
    pub(super) fn left(&mut self, milli: u32, strangers_milli: u32) {
        self.left_milli += milli;
        self.unseen.left(strangers_milli);
    }

    /// A second of a local hour has passed in which so many waited who are known of; at `now_s`, Unix time.
    pub(super) fn second(&mut self, now_s: u32, hour: u8, waiting: f32, green: Green) {
        let left_milli = std::mem::take(&mut self.left_milli);
        let Green { moves, all } = green;
        self.profile.second(hour, left_milli as f32 / 1000.0);
        self.unseen.second(waiting, moves != 0, left_milli > 0, self.profile.stand_in());
        self.idle_s = if all && left_milli == 0 { self.idle_s + 1 } else { 0 };
        if left_milli > 0 {
            self.empty_at_s = 0;
        } else if self.idle_s >= EMPTY_S {
            self.empty_at_s = now_s;
        }
        let stands = moves != 0 && waiting >= 1.0 && left_milli == 0;
        // The first in line perhaps waits for a movement that was red: when that goes too, all is open again.
        let same = moves & !self.held == 0;
        (self.held_s, self.held) = match (stands, same) {
            (true, true) => (self.held_s + 1, self.held),
            (true, false) => (1, moves),
            (false, _) => (0, 0),
        };
    }

    /// Vehicles that leave in a second of such a green.
    pub(super) fn rate(&self, green: Green) -> f32 {
        let is_held = self.held_s >= STUCK_S && green.moves & !self.held == 0;
        if is_held { SATURATION * STUCK_SHARE } else { SATURATION }
    }

    /// Whether one who should have been at the line at a time, Unix time in s, is not there: no camera has seen it leave, but
    /// a green has shown the lane to be empty.
    pub(super) fn is_gone(&self, due_s: u32) -> bool {
        due_s + EMPTY_S / 2 <= self.empty_at_s
    }

    /// Those who wait and come unseen.
    pub(super) fn unseen(&self) -> &Unseen {
        &self.unseen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RIGHT: Green = Green { moves: 2, all: false };
    const ALL: Green = Green { moves: 3, all: true };

    #[test]
    fn a_lane_that_is_let_go_and_does_not_move_is_held_up_until_somebody_leaves() {
        let mut flow = Flow::default();
        (0..STUCK_S).for_each(|_| flow.second(0, 0, 4.0, RIGHT));
        assert_eq!(flow.rate(RIGHT), SATURATION * STUCK_SHARE);
        flow.left(1000, 0);
        flow.second(0, 0, 3.0, RIGHT);
        assert_eq!(flow.rate(RIGHT), SATURATION);
        (0..STUCK_S).for_each(|_| flow.second(0, 0, 4.0, Green::default()));
        assert_eq!(flow.rate(RIGHT), SATURATION, "at red nobody leaves");
    }

    #[test]
    fn who_waits_for_another_movement_holds_up_a_lane_only_until_that_goes() {
        let mut flow = Flow::default();
        (0..STUCK_S).for_each(|_| flow.second(0, 0, 4.0, RIGHT));
        assert_eq!(flow.rate(RIGHT), SATURATION * STUCK_SHARE, "the first in line drives through");
        assert_eq!(flow.rate(ALL), SATURATION);
        flow.second(0, 0, 4.0, ALL);
        assert_eq!(flow.rate(ALL), SATURATION, "it has just begun to go");
    }

    #[test]
    fn who_should_be_there_and_does_not_leave_in_a_long_green_is_gone() {
        let mut flow = Flow::default();
        (100..100 + EMPTY_S).for_each(|now_s| flow.second(now_s, 0, 1.0, RIGHT));
        assert!(!flow.is_gone(90), "it may wait for a movement that is red");
        (110..110 + EMPTY_S).for_each(|now_s| flow.second(now_s, 0, 1.0, ALL));
        assert!(flow.is_gone(110) && !flow.is_gone(116), "who has just come is about to leave");
        flow.second(120, 0, 1.0, Green::default());
        assert!(flow.is_gone(110), "at red too");
        flow.left(1000, 0);
        flow.second(130, 0, 1.0, Green::default());
        assert!(!flow.is_gone(110), "somebody leaves: it had only stood still");
    }
}
