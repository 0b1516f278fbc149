//! How a lane flows when it is let go.

use serde::{Deserialize, Serialize};

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
}

impl Flow {
    /// Somebody has left.
    pub(super) fn left(&mut self, milli: u32) {
        self.left_milli += milli;
    }

    /// A second has passed in which so many waited; `goes`: it was let go.
    pub(super) fn second(&mut self, waiting: f32, goes: bool) {
        let left_milli = std::mem::take(&mut self.left_milli);
        self.held_s = if goes && waiting >= 1.0 && left_milli == 0 { self.held_s + 1 } else { 0 };
    }

    /// Vehicles that leave in a second of green.
    pub(super) fn rate(&self) -> f32 {
        if self.held_s >= STUCK_S { SATURATION * STUCK_SHARE } else { SATURATION }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_that_is_let_go_and_does_not_move_is_held_up_until_somebody_leaves() {
        let mut flow = Flow::default();
        (0..STUCK_S).for_each(|_| flow.second(4.0, true));
        assert_eq!(flow.rate(), SATURATION * STUCK_SHARE);
        flow.left(1000);
        flow.second(3.0, true);
        assert_eq!(flow.rate(), SATURATION);
        (0..STUCK_S).for_each(|_| flow.second(4.0, false));
        assert_eq!(flow.rate(), SATURATION, "at red nobody leaves");
    }
}
