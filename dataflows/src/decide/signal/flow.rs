//! How a lane flows when it is let go.

use serde::{Deserialize, Serialize};

use super::unseen::Unseen;

/// Saturation flow of a lane, vehicles/s. Learned lane by lane from those who leave it gave more delay on SUMO's ingolstadt7
/// and no less elsewhere.
const SATURATION: f32 = 0.53;
/// One that is let go, and from which nobody has left for so long although someone waits, is held up, s.
const STUCK_S: u32 = 6;
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
    unseen: Unseen,
}

impl Flow {
    /// Some have left, and of those nobody knew some before.
    pub(super) fn left(&mut self, milli: u32, strangers_milli: u32) {
        self.left_milli += milli;
        self.unseen.left(strangers_milli);
    }

    /// A second has passed in which so many waited who are known of, and these movements were let go, a bit each.
    pub(super) fn second(&mut self, waiting: f32, green: u32) {
        let left_milli = std::mem::take(&mut self.left_milli);
        self.unseen.second(waiting, green != 0, left_milli > 0);
        let stands = green != 0 && waiting >= 1.0 && left_milli == 0;
        // The first in line perhaps waits for a movement that was red: when that goes too, all is open again.
        let same = green & !self.held == 0;
        (self.held_s, self.held) = match (stands, same) {
            (true, true) => (self.held_s + 1, self.held),
            (true, false) => (1, green),
            (false, _) => (0, 0),
        };
    }

    /// Vehicles that leave in a second in which these movements are let go, a bit each.
    pub(super) fn rate(&self, green: u32) -> f32 {
        let is_held = self.held_s >= STUCK_S && green & !self.held == 0;
        if is_held { SATURATION * STUCK_SHARE } else { SATURATION }
    }

    /// Those who wait and come unseen.
    pub(super) fn unseen(&self) -> &Unseen {
        &self.unseen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_that_is_let_go_and_does_not_move_is_held_up_until_somebody_leaves() {
        let mut flow = Flow::default();
        (0..STUCK_S).for_each(|_| flow.second(4.0, 1));
        assert_eq!(flow.rate(1), SATURATION * STUCK_SHARE);
        flow.left(1000, 0);
        flow.second(3.0, 1);
        assert_eq!(flow.rate(1), SATURATION);
        (0..STUCK_S).for_each(|_| flow.second(4.0, 0));
        assert_eq!(flow.rate(1), SATURATION, "at red nobody leaves");
    }

    #[test]
    fn who_waits_for_another_movement_holds_up_a_lane_only_until_that_goes() {
        let (through, right) = (1, 2);
        let mut flow = Flow::default();
        (0..STUCK_S).for_each(|_| flow.second(4.0, right));
        assert_eq!(flow.rate(right), SATURATION * STUCK_SHARE, "the first in line drives through");
        assert_eq!(flow.rate(through | right), SATURATION);
        flow.second(4.0, through | right);
        assert_eq!(flow.rate(through | right), SATURATION, "it has just begun to go");
    }
}
