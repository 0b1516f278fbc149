//! Collisions, street by street: what calls about them say to the public.

use std::collections::BTreeMap;

use nanming_dataflows::ids::LinkId;
use nanming_dataflows::network::Point;

use super::Streets;

/// Times are told to the minute.
const MINUTE_MS: u64 = 60_000;

/// All that leaves a call about a collision on the way to the public.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Collision {
    /// Where; no more than the link is told of it.
    pub at: Point,
    /// When it was called about first, ms.
    pub since_ms: u64,
    /// Whether a unit is there.
    pub confirmed: bool,
}

/// Since when a street has a collision, and whether a unit saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OnStreet {
    pub(super) since_ms: u64,
    pub(super) confirmed: bool,
}

/// Several calls about one place are one collision. Which direction of the street it is on nobody knows.
pub(super) fn by_street(streets: &Streets, collisions: &[Collision]) -> BTreeMap<LinkId, OnStreet> {
    let mut found: BTreeMap<LinkId, OnStreet> = BTreeMap::new();
    for collision in collisions {
        let Some(spot) = streets.spots(collision.at).first().copied() else { continue };
        let since_ms = collision.since_ms / MINUTE_MS * MINUTE_MS;
        let new = OnStreet { since_ms, confirmed: false };
        let known = found.entry(streets.either_way(spot.link)).or_insert(new);
        known.since_ms = known.since_ms.min(since_ms);
        known.confirmed |= collision.confirmed;
    }
    found
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::places::middle;
    use super::*;

    #[test]
    fn two_calls_about_one_place_are_one_collision_since_the_earlier() {
        let streets = Streets::new(Arc::new(nanming_simulators::town::small(2, 2, 1)));
        let road = &streets.roads[0];
        let there = road.directions[0].links[0];
        let back =
            streets.city.links.iter().find(|l| l.from == streets.link(there).to && l.to == streets.link(there).from);
        let at = |link: LinkId| middle(streets.link(link));
        let call = |link, since_ms, confirmed| Collision { at: at(link), since_ms, confirmed };
        let calls = [call(there, 130_000, false), call(back.unwrap().id, 100_000, true)];
        let found = by_street(&streets, &calls);
        let street = streets.either_way(there);
        assert_eq!(found, BTreeMap::from([(street, OnStreet { since_ms: 60_000, confirmed: true })]));
    }
}
