//! The drive of one unit: its way, where on it it was last, and when it comes to the next junctions.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::LinkNow;
use super::ways::Ways;
use crate::decide::claim::{Claim, Claimant};
use crate::event::Priority;
use crate::ids::{JunctionId, LinkId, UnitId};
use crate::network::Point;
use crate::state::link::SPACING_MM;

/// Junctions are asked so long before the unit comes, ms, ...
const HORIZON_MS: u64 = 60_000;
/// ... and so many at a time.
const AHEAD: usize = 3;
/// Who is further off its way than this has left it, mm.
const OFF_MM: u64 = 40_000;
/// Links of the way on which a unit is looked for after the one where it was.
const LEGS: usize = 8;
/// A standing vehicle takes so long to pass the line, ms ...
const HEADWAY_MS: u64 = 2_000;
/// ... and the first of them so much longer, ms.
const START_UP_MS: u64 = 3_000;
/// A queue is cleared for so long at most, ms: more would cost the others too much.
const CLEAR_MS: u64 = 30_000;
/// A driver who sees a red brakes: green stands so long before it comes to the line, ms.
const SIGHT_MS: u64 = 5_000;
/// A link counts as so many times slower than free at most.
const SLOWEST: u64 = 3;

/// The traffic that a drive goes through.
pub(super) struct Pace<'a> {
    pub(super) ways: &'a Ways,
    pub(super) traffic: &'a [LinkNow],
}

/// What a unit claims of a junction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Claimed {
    pub(super) junction: JunctionId,
    pub(super) claim: Claim,
}

/// A unit that drives with lights.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Drive {
    pub(super) to: Point,
    pub(super) urgency: Priority,
    /// Where a claim of it stands: the junction, and the link by which it comes.
    pub(super) asked: BTreeSet<(JunctionId, LinkId)>,
    /// Links from where it set out; empty while no way is known.
    route: Vec<LinkId>,
    /// The link of the way where it was last, ...
    leg: usize,
    /// ... how far from its start, mm, ...
    at_mm: u32,
    /// ... and when, ms.
    fixed_ms: u64,
}

impl Drive {
    pub(super) fn new(to: Point) -> Self {
        let (urgency, asked) = (Priority::A, BTreeSet::new());
        Drive { to, urgency, asked, route: Vec::new(), leg: 0, at_mm: 0, fixed_ms: 0 }
    }

    /// It has another place to go to.
    pub(super) fn turn_to(&mut self, to: Point) {
        self.to = to;
        self.route.clear();
    }

    /// What is left of its way.
    pub(super) fn route(&self) -> &[LinkId] {
        &self.route[self.leg.min(self.route.len())..]
    }

    /// Whether a place lies on its way, no further back than where it was: then it is there.
    pub(super) fn is_here(&mut self, ways: &Ways, place: Point, at_ms: u64) -> bool {
        let ahead = self.route.iter().enumerate().skip(self.leg).take(LEGS);
        let spots = ahead.map(|(leg, link)| (leg, ways.spot_on(*link, place)));
        let Some((leg, spot)) = spots.min_by_key(|(leg, spot)| (spot.off_mm, *leg)) else { return false };
        if spot.off_mm > OFF_MM {
            return false;
        }
        (self.leg, self.at_mm, self.fixed_ms) = (leg, spot.at_mm, at_ms);
        true
    }

    /// Finds the quickest way from a place, which it reached from another.
    pub(super) fn set_out(&mut self, pace: &Pace<'_>, (place, before): (Point, Option<Point>), at_ms: u64) {
        let ways = pace.ways;
        let mut from = ways.spots(place);
        let moved = before.filter(|before| before.distance_mm(place) >= OFF_MM / 4);
        if let Some(before) = moved
            && from.iter().any(|spot| ways.leads(spot, before, place))
        {
            from.retain(|spot| ways.leads(spot, before, place));
        }
        self.route = ways.quickest(&from, &ways.spots(self.to), |link| pace.link_ms(link));
        let spot = from.iter().find(|spot| self.route.first() == Some(&spot.link));
        (self.leg, self.at_mm, self.fixed_ms) = (0, spot.map_or(0, |spot| spot.at_mm), at_ms);
    }

    /// What it claims at a time of the junctions ahead.
    pub(super) fn claims(&self, unit: UnitId, pace: &Pace<'_>, now_ms: u64) -> Vec<Claimed> {
        let mut claims = Vec::new();
        let mut eta_ms = self.fixed_ms;
        let mut from_mm = self.at_mm;
        for pair in self.route().windows(2) {
            let [approach, out] = [pair[0], pair[1]];
            eta_ms += pace.ms(approach, from_mm);
            let due_ms = eta_ms.max(now_ms);
            if claims.len() == AHEAD || due_ms > now_ms + HORIZON_MS {
                break;
            }
            if let Some(junction) = pace.ways.crossing(approach, out) {
                let (who, urgency, clear_ms) = (Claimant::Unit(unit), self.urgency, pace.clear_ms(approach, from_mm));
                let claim = Claim { eta_ms: due_ms, urgency, who, approach, out, clear_ms };
                claims.push(Claimed { junction, claim });
            }
            from_mm = 0;
        }
        claims
    }
}

impl Pace<'_> {
    /// Time over a link, ms: free flow and a quarter of what others need beyond it, for most of that is waiting at the line,
    /// and queues are cleared before the unit.
    pub(super) fn link_ms(&self, link: LinkId) -> u64 {
        let free_ms = self.ways.free_ms(link);
        let live_ms = u64::from(self.traffic[link.index()].travel_ms).clamp(free_ms, SLOWEST * free_ms);
        free_ms + (live_ms - free_ms) / 4
    }

    /// Time from a place on a link to its end, ms.
    fn ms(&self, link: LinkId, from_mm: u32) -> u64 {
        let length_mm = self.ways.length_mm(link);
        self.link_ms(link) * u64::from(length_mm.saturating_sub(from_mm)) / u64::from(length_mm)
    }

    /// Time in which those who stand before a place on a link pass the line and the driver sees green, ms.
    fn clear_ms(&self, link: LinkId, from_mm: u32) -> u32 {
        let lanes = self.ways.lanes(link);
        let room_milli = u64::from(self.ways.length_mm(link).saturating_sub(from_mm)) * 1_000 / SPACING_MM;
        let a_lane_milli = (u64::from(self.traffic[link.index()].standing_milli) / lanes).min(room_milli);
        let start_up_ms = if a_lane_milli >= 500 { START_UP_MS } else { 0 };
        ((a_lane_milli * HEADWAY_MS / 1_000 + start_up_ms).min(CLEAR_MS) + SIGHT_MS) as u32
    }
}
