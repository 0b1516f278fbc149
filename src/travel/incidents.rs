//! What is in the way: collisions, and roads that are congested or about to be.

use std::collections::BTreeMap;

use nanming_dataflows::ids::LinkId;
use nanming_dataflows::network::Point;
use serde_json::{Value, json};

use super::collisions::{Collision, by_street};
use super::places::{Heading, middle};
use super::roads::Stretch;
use super::{AHEAD_MIN, Picture, Streets, Traffic};

/// A direction of a road counts as congested from this share of its length on, and until it falls below the other.
const CONGESTED: (f64, f64) = (0.5, 0.3);
/// A direction of which less than this is known says nothing, mm.
const KNOWN_MM: u64 = 500_000;
/// What has not lasted so long is not told, nor told to be over, ms.
const LASTS_MS: u64 = 180_000;

/// What kind of thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A collision.
    Collision,
    /// Congestion now.
    Congestion,
    /// Congestion in so many minutes.
    Expected(u16),
}

impl Kind {
    /// As the API writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Collision => "collision",
            Kind::Congestion => "congestion",
            Kind::Expected(_) => "congestion_expected",
        }
    }
}

/// Something in the way.
#[derive(Clone, Debug, PartialEq)]
pub struct Incident {
    /// Stays the same while it lasts, also when what was expected has come.
    pub id: String,
    /// What.
    pub kind: Kind,
    /// The road; empty where it has no name.
    pub road: String,
    /// The direction; none where nobody knows it.
    pub heading: Option<Heading>,
    /// The links that it is about.
    pub links: Vec<LinkId>,
    /// A place on them.
    pub at: Point,
    /// Since when, ms.
    pub since_ms: u64,
    /// Whether somebody saw it: a unit, or detectors.
    pub confirmed: bool,
}

/// What a direction of a road is like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Free,
    Expected,
    Congested,
}

/// What is told of a direction, and what it has been like of late, each with since when, ms.
#[derive(Clone, Copy, Debug, Default)]
struct Told {
    told: (State, u64),
    seen: (State, u64),
}

/// Sees congestion come and go: what lasts, not what a red light makes.
#[derive(Default)]
pub struct Watch {
    /// By road and direction.
    told: BTreeMap<(usize, usize), Told>,
}

impl Watch {
    /// What is in the way as of this traffic.
    pub fn look(&mut self, streets: &Streets, traffic: &Traffic, collisions: &[Collision]) -> Vec<Incident> {
        let crashed = by_street(streets, collisions).into_iter().map(|(street, on)| {
            let link = streets.link(street);
            Incident {
                id: format!("collision-{street}"),
                kind: Kind::Collision,
                road: link.road.clone(),
                heading: None,
                links: vec![street],
                at: middle(link),
                since_ms: on.since_ms,
                confirmed: on.confirmed,
            }
        });
        let mut incidents: Vec<Incident> = crashed.collect();
        for (row, road) in streets.roads.iter().enumerate() {
            for (column, direction) in road.directions.iter().enumerate() {
                let Some((kind, since_ms)) = self.direction((row, column), streets, traffic, &direction.links) else {
                    continue;
                };
                let step = if let Kind::Expected(min) = kind { usize::from(min / 5) } else { 0 };
                let links = worst(traffic, &direction.links, step);
                incidents.push(Incident {
                    id: format!("congestion-{row}-{}", direction.heading.as_str()),
                    kind,
                    road: road.name.clone(),
                    heading: Some(direction.heading),
                    at: links.get(links.len() / 2).map_or(road.at, |id| middle(streets.link(*id))),
                    links,
                    since_ms,
                    confirmed: kind == Kind::Congestion,
                });
            }
        }
        incidents
    }

    /// Whether it is told that a direction is congested, or is about to be, and since when it is.
    fn direction(
        &mut self,
        key: (usize, usize),
        streets: &Streets,
        traffic: &Traffic,
        links: &[LinkId],
    ) -> Option<(Kind, u64)> {
        let entry = self.told.entry(key).or_default();
        let holds = |step, state: State| {
            let stretch = Stretch::of(streets, traffic, links, step);
            let bound = if entry.told.0 == state { CONGESTED.1 } else { CONGESTED.0 };
            stretch.known_mm >= KNOWN_MM && stretch.congested() >= bound
        };
        let soon = AHEAD_MIN[..2].iter().copied().find(|min| holds(usize::from(min / 5), State::Expected));
        let state = match soon {
            _ if holds(0, State::Congested) => State::Congested,
            Some(_) => State::Expected,
            None => State::Free,
        };
        if state != entry.seen.0 {
            entry.seen = (state, traffic.time_ms);
        }
        if state != entry.told.0 && traffic.time_ms >= entry.seen.1 + LASTS_MS {
            entry.told = entry.seen;
        }
        match entry.told {
            (State::Free, _) => None,
            (State::Congested, since_ms) => Some((Kind::Congestion, since_ms)),
            (State::Expected, since_ms) => Some((Kind::Expected(soon.unwrap_or(AHEAD_MIN[0])), since_ms)),
        }
    }
}

/// The links of a direction that are congested; the whole of it if none stands out.
fn worst(traffic: &Traffic, links: &[LinkId], step: usize) -> Vec<LinkId> {
    let is_worst = |id: &&LinkId| {
        traffic.links[id.index()].is_known(step) && traffic.links[id.index()].congested_milli[step] > 500
    };
    let found: Vec<LinkId> = links.iter().filter(is_worst).copied().collect();
    if found.is_empty() { links.to_vec() } else { found }
}

/// The incidents of a picture, as the API tells them: what is there first, the newest first.
pub fn incidents(picture: &Picture) -> Value {
    let mut told: Vec<&Incident> = picture.incidents.iter().collect();
    told.sort_by_key(|i| (i.kind.as_str() != "collision", i.kind != Kind::Congestion, std::cmp::Reverse(i.since_ms)));
    let shown = |i: &&Incident| {
        let mut shown = json!({
            "id": i.id, "kind": i.kind.as_str(), "road": i.road, "heading": i.heading.map(Heading::as_str),
            "since_ms": i.since_ms, "confirmed": i.confirmed, "links": i.links, "at": picture.streets.degrees(i.at),
        });
        if let Kind::Expected(in_min) = i.kind {
            shown["in_min"] = in_min.into();
        }
        shown
    };
    json!({"time_ms": picture.traffic.time_ms, "incidents": told.iter().map(shown).collect::<Vec<_>>()})
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::traffic::KNOTS;
    use super::*;

    struct Scene {
        streets: Streets,
        traffic: Traffic,
        watch: Watch,
    }

    fn scene() -> Scene {
        let city = Arc::new(nanming_simulators::town::small(3, 3, 1));
        let mut traffic = Traffic::unseen(&city, 1_000);
        traffic.links.iter_mut().for_each(|l| (l.seen, l.foretold) = (true, true));
        Scene { streets: Streets::new(city), traffic, watch: Watch::default() }
    }

    impl Scene {
        /// Sets the risk of the first road's first direction, now and ahead.
        fn risk(&mut self, milli: impl Fn(usize) -> u16) {
            let links = self.streets.roads[0].directions[0].links.clone();
            for id in links {
                self.traffic.links[id.index()].congested_milli = std::array::from_fn::<u16, KNOTS, _>(&milli);
            }
        }

        fn look(&mut self, time_ms: u64) -> Vec<(Kind, u64)> {
            self.traffic.time_ms = time_ms;
            self.watch.look(&self.streets, &self.traffic, &[]).into_iter().map(|i| (i.kind, i.since_ms)).collect()
        }
    }

    #[test]
    fn congestion_is_told_before_it_comes_and_while_it_lasts() {
        let mut scene = scene();
        let mut minute = 0;
        let mut lasts = |scene: &mut Scene| {
            minute += 10;
            let at_first = scene.look(minute * 60_000);
            (at_first, scene.look((minute + 3) * 60_000))
        };
        scene.risk(|step| if step >= 6 { 600 } else { 0 });
        assert_eq!(lasts(&mut scene), (vec![], vec![(Kind::Expected(30), 600_000)]));
        scene.risk(|step| if step >= 3 { 600 } else { 0 });
        assert_eq!(lasts(&mut scene).0, [(Kind::Expected(15), 600_000)], "the same, nearer");
        scene.risk(|_| 1000);
        assert_eq!(lasts(&mut scene).1, [(Kind::Congestion, 1_800_000)], "there since it came");
        scene.risk(|_| 400);
        assert_eq!(lasts(&mut scene).1, [(Kind::Congestion, 1_800_000)], "less, and not over");
        scene.risk(|_| 200);
        assert_eq!(lasts(&mut scene), (vec![(Kind::Congestion, 1_800_000)], vec![]));
        scene.risk(|_| 400);
        assert_eq!(lasts(&mut scene), (vec![], vec![]), "not enough to begin");
    }

    #[test]
    fn what_does_not_last_is_not_told() {
        let mut scene = scene();
        for second in 0..1200 {
            // Congested for two minutes of three.
            scene.risk(|_| if second % 180 < 120 { 1000 } else { 0 });
            assert_eq!(scene.look(1_000_000 + second * 1000), [], "{second}");
        }
    }

    #[test]
    fn an_incident_keeps_its_id_when_what_was_expected_comes() {
        let mut scene = scene();
        let id = |scene: &mut Scene, minute: u64| {
            scene.look(minute * 60_000);
            scene.traffic.time_ms = (minute + 3) * 60_000;
            scene.watch.look(&scene.streets, &scene.traffic, &[])[0].id.clone()
        };
        scene.risk(|step| if step >= 3 { 900 } else { 0 });
        let expected = id(&mut scene, 10);
        scene.risk(|_| 1000);
        assert_eq!(id(&mut scene, 20), expected);
    }
}
