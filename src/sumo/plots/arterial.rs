//! The longest way straight on past signals.

use std::collections::BTreeSet;

use nanming_dataflows::ids::{JunctionId, LinkId};
use nanming_dataflows::network::{City, Point, Turn};

/// A way straight on, from the link before its first signal to the one behind its last.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Arterial {
    /// Its links, each with where it begins, mm from the beginning.
    pub(super) links: Vec<(LinkId, f64)>,
    /// Its signals.
    pub(super) signals: Vec<Signal>,
    pub(super) length_mm: f64,
}

/// A signal on it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Signal {
    pub(super) junction: JunctionId,
    pub(super) head: usize,
    /// Its stop line, mm from the beginning.
    pub(super) at_mm: f64,
}

/// A step straight on: the next link, and the head that lets one go there.
type Step = (LinkId, Option<(JunctionId, u16)>);

/// The one that passes most signals, and is longest of those that do.
pub(super) fn longest(city: &City) -> Option<Arterial> {
    let ahead: Vec<Option<Step>> = city.links.iter().map(|link| ahead(city, link.id)).collect();
    let starts = city.links.iter().map(|link| link.id).filter(|link| is_signalled(ahead[link.index()]));
    let ways = starts.map(|start| way(city, &ahead, start));
    ways.max_by(|a, b| {
        let (more, longer) = (a.signals.len().cmp(&b.signals.len()), a.length_mm.total_cmp(&b.length_mm));
        more.then(longer).then(b.links[0].0.cmp(&a.links[0].0))
    })
}

fn is_signalled(step: Option<Step>) -> bool {
    step.is_some_and(|(_, signal)| signal.is_some())
}

/// The link into which most lanes lead straight on.
fn ahead(city: &City, link: LinkId) -> Option<Step> {
    let lanes = city.links[link.index()].lanes.iter().filter(|lane| city.lanes[lane.index()].motor);
    let movements = lanes.flat_map(|lane| &city.lanes[lane.index()].movements).map(|m| &city.movements[m.index()]);
    let mut steps: Vec<Step> =
        movements.filter(|m| m.turn == Turn::Through).map(|m| (city.lanes[m.to.index()].link, m.signal)).collect();
    steps.sort_unstable();
    let groups = steps.chunk_by(|a, b| a.0 == b.0);
    groups.max_by_key(|group| (group.len(), std::cmp::Reverse(group[0].0))).map(|group| group[group.len() - 1])
}

/// Straight on from a link until that ends, or where it comes back to itself; what follows the last signal is left out but
/// for one link.
fn way(city: &City, ahead: &[Option<Step>], start: LinkId) -> Arterial {
    let mut way = Arterial { links: vec![(start, 0.0)], signals: Vec::new(), length_mm: 0.0 };
    let (mut seen, mut at, mut links) = (BTreeSet::from([start]), start, 1);
    let mut end_mm = f64::from(city.links[start.index()].length_mm);
    while let Some((next, signal)) = ahead[at.index()].filter(|(next, _)| seen.insert(*next)) {
        let begin_mm = end_mm + gap_mm(city, at, next);
        if let Some((junction, head)) = signal {
            way.signals.push(Signal { junction, head: usize::from(head), at_mm: end_mm });
            links = way.links.len() + 1;
        }
        way.links.push((next, begin_mm));
        end_mm = begin_mm + f64::from(city.links[next.index()].length_mm);
        at = next;
    }
    way.links.truncate(links);
    let last = way.links[links - 1];
    way.length_mm = last.1 + f64::from(city.links[last.0.index()].length_mm);
    way
}

/// The way over a junction, as the crow flies.
fn gap_mm(city: &City, from: LinkId, to: LinkId) -> f64 {
    let end = city.links[from.index()].shape.last().copied().unwrap_or_default();
    let begin = city.links[to.index()].shape.first().copied().unwrap_or_default();
    let apart = |of: fn(Point) -> i32| f64::from(of(end)) - f64::from(of(begin));
    apart(|p| p.x_mm).hypot(apart(|p| p.y_mm))
}
