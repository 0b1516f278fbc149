//! How a lane flows when it is let go.

use serde::{Deserialize, Serialize};

use super::field::Green;
use super::profile::Profile;
use super::unseen::Unseen;

/// Saturation flow of a lane, vehicles/s. Learned lane by lane from those who leave it gave more delay on SUMO's ingolstadt7
/// and no less elsewhere.
pub(super) const SATURATION: f32 = 0.53;
/// One that is let go, and from which nobody has left for so long although someone waits, is held up, s.
const STUCK_S: u32 = 6;
/// One that is let go altogether, and from which nobody has left for so long, is empty, whoever is taken to be there, s.
const EMPTY_S: u32 = 8;
/// A line that has told nothing through so much green with somebody there, since somebody last left, is silent, s.
const DRY_S: u32 = 60;
/// One of which nothing was heard for so long from the beginning is silent, s.
const MUTE_S: u32 = 600;
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
    /// Let go, with somebody there, for so long in all since somebody left, s.
    dry_s: u32,
    /// Whether somebody has been heard of.
    heard: bool,
    /// Nobody had been, for so long from the beginning, s.
    mute_s: u32,
    unseen: Unseen,
    profile: Profile,
}

/// What is known of a lane in a second.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Second {
    /// When: Unix time, s.
    pub(super) now_s: u32,
    /// The local hour.
    pub(super) hour: u8,
    /// So many wait who are known of.
    pub(super) waiting: f32,
    /// So many of them have just come.
    pub(super) arriving: f32,
    /// What is let go.
    pub(super) green: Green,
    /// How many would come to a line that the local plan is made for, vehicles/s.
    pub(super) planned: f32,
}

impl Flow {
    /// From now on seconds are looked at one by one: who left before is not of the first of them.
    pub(super) fn begin(&mut self) {
        self.left_milli = 0;
        self.unseen.begin();
    }

    /// Some have left, and of those nobody knew some before.
    pub(super) fn left(&mut self, milli: u32, strangers_milli: u32) {
        self.left_milli += milli;
        self.unseen.left(strangers_milli);
    }

    /// A second has passed.
    pub(super) fn second(&mut self, second: Second) {
        let Second { now_s, hour, waiting, arriving, green: Green { moves, all }, planned } = second;
        let left_milli = std::mem::take(&mut self.left_milli);
        self.profile.second(hour, left_milli as f32 / 1000.0);
        self.dry_s = match left_milli {
            0 => self.dry_s + u32::from(moves != 0 && waiting >= 1.0),
            _ => 0,
        };
        self.heard |= left_milli > 0 || waiting + arriving > 0.0;
        self.mute_s += u32::from(!self.heard);
        let silent = match self.profile.stand_in() {
            Some(usual) => Some(usual),
            None if !self.heard && self.mute_s >= MUTE_S => Some(planned),
            None => self.is_dry().then_some(0.0),
        };
        if moves != 0 && left_milli == 0 && waiting >= 1.0 && self.dry_s == DRY_S {
            self.unseen.take_over(waiting);
        }
        self.unseen.second(waiting, arriving, moves != 0, left_milli > 0, silent);
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
        let is_held = !self.is_dry() && self.held_s >= STUCK_S && green.moves & !self.held == 0;
        if is_held { SATURATION * STUCK_SHARE } else { SATURATION }
    }

    /// Whether one who should have been at the line at a time is not there at `now_s`, Unix time in s: nobody has seen it leave, but
    /// a green has shown the lane to be empty.
    pub(super) fn is_gone(&self, due_s: u32, now_s: u32) -> bool {
        due_s + EMPTY_S / 2 <= self.empty_at_s || self.is_dry() && due_s <= now_s
    }

    fn is_dry(&self) -> bool {
        self.dry_s >= DRY_S
    }

    /// Those who wait and come unseen.
    pub(super) fn unseen(&self) -> &Unseen {
        &self.unseen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A second in which nobody comes.
    fn pass(flow: &mut Flow, now_s: u32, waiting: f32, green: Green) {
        flow.second(Second { now_s, waiting, green, ..Second::default() });
    }

    const RIGHT: Green = Green { moves: 2, all: false };
    const ALL: Green = Green { moves: 3, all: true };

    #[test]
    fn a_lane_that_is_let_go_and_does_not_move_is_held_up_until_somebody_leaves() {
        let mut flow = Flow::default();
        (0..STUCK_S).for_each(|_| pass(&mut flow, 0, 4.0, RIGHT));
        assert_eq!(flow.rate(RIGHT), SATURATION * STUCK_SHARE);
        flow.left(1000, 0);
        pass(&mut flow, 0, 3.0, RIGHT);
        assert_eq!(flow.rate(RIGHT), SATURATION);
        (0..STUCK_S).for_each(|_| pass(&mut flow, 0, 4.0, Green::default()));
        assert_eq!(flow.rate(RIGHT), SATURATION, "at red nobody leaves");
    }

    #[test]
    fn who_waits_for_another_movement_holds_up_a_lane_only_until_that_goes() {
        let mut flow = Flow::default();
        (0..STUCK_S).for_each(|_| pass(&mut flow, 0, 4.0, RIGHT));
        assert_eq!(flow.rate(RIGHT), SATURATION * STUCK_SHARE, "the first in line drives through");
        assert_eq!(flow.rate(ALL), SATURATION);
        pass(&mut flow, 0, 4.0, ALL);
        assert_eq!(flow.rate(ALL), SATURATION, "it has just begun to go");
    }

    #[test]
    fn who_should_be_there_and_does_not_leave_in_a_long_green_is_gone() {
        let mut flow = Flow::default();
        (100..100 + EMPTY_S).for_each(|now_s| pass(&mut flow, now_s, 1.0, RIGHT));
        assert!(!flow.is_gone(90, 200), "it may wait for a movement that is red");
        (110..110 + EMPTY_S).for_each(|now_s| pass(&mut flow, now_s, 1.0, ALL));
        assert!(flow.is_gone(110, 200) && !flow.is_gone(116, 200), "who has just come is about to leave");
        pass(&mut flow, 120, 1.0, Green::default());
        assert!(flow.is_gone(110, 200), "at red too");
        flow.left(1000, 0);
        pass(&mut flow, 130, 1.0, Green::default());
        assert!(!flow.is_gone(110, 200), "somebody leaves: it had only stood still");
    }

    #[test]
    fn a_line_that_sees_nobody_leave_in_minutes_of_green_is_taken_to_let_them_go() {
        let mut flow = Flow::default();
        (100..100 + DRY_S).for_each(|now_s| pass(&mut flow, now_s, 6.0, RIGHT));
        assert!(
            flow.is_gone(150, 159) && !flow.is_gone(100 + DRY_S, 159),
            "they are counted elsewhere now, those to come are not"
        );
        assert!(flow.unseen().waiting() > 5.0 && flow.rate(RIGHT) == SATURATION);
        (200..220).for_each(|now_s| pass(&mut flow, now_s, 6.0, RIGHT));
        assert_eq!(flow.unseen().waiting(), 0.0);
        flow.second(Second { now_s: 220, waiting: 7.0, arriving: 1.0, ..Second::default() });
        assert_eq!(flow.unseen().waiting(), 1.0, "who is seen to come waits at red");
        flow.left(1000, 0);
        pass(&mut flow, 221, 7.0, RIGHT);
        assert!(!flow.is_gone(150, 221), "it had only stood still");
    }

    #[test]
    fn who_a_plan_is_made_for_waits_where_nothing_was_ever_heard() {
        let mute = |heard: bool| {
            let mut flow = Flow::default();
            (0..MUTE_S + 60).for_each(|now_s| {
                let waiting = if heard && now_s == 10 { 1.0 } else { 0.0 };
                flow.second(Second { now_s, waiting, planned: 0.1, ..Second::default() });
            });
            flow.unseen().waiting()
        };
        assert!((mute(false) - 6.1).abs() < 0.2, "{}", mute(false));
        assert_eq!(mute(true), 0.0, "who has been heard of once would be again");
    }
}
