//! The quickest way over links whose travel times depend on when one gets there. Pure.
//!
//! Dijkstra's search over links, not nodes: from a link one goes on only to the links that a movement leads to. It is exact
//! where links are first in, first out ([`leave_ms`](super::leave_ms) is).

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use nanming_dataflows::ids::LinkId;

use super::Spot;

/// A way from one spot to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// Where it starts: row of the starts asked for.
    pub start: usize,
    /// Where it ends: row of the ends asked for.
    pub end: usize,
    /// Links in order; the first and the last in part.
    pub links: Vec<LinkId>,
    /// When one is there, ms.
    pub arrive_ms: u64,
}

/// How a link came to be entered.
#[derive(Clone, Copy)]
enum Came {
    Start(usize),
    Link(LinkId),
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    /// One is at an end, entered over its link, or come from a start on the same link.
    There { end: usize, direct: Option<usize> },
    /// One enters a link.
    Enter(LinkId),
}

/// The way from any of `starts` to any of `ends` by which one is there first, leaving at `depart_ms`; none if no movement
/// leads there. `next` are the links that one can go on to from each; `leave` tells when one leaves the stretch of a link
/// from `from_mm` to `to_mm` that was entered at a time.
pub fn quickest(
    next: &[Vec<LinkId>],
    starts: &[Spot],
    ends: &[Spot],
    depart_ms: u64,
    leave: impl Fn(LinkId, std::ops::Range<u32>, u64) -> u64,
    lengths_mm: &[u32],
) -> Option<Way> {
    let mut best = vec![u64::MAX; next.len()];
    let mut came: Vec<Option<Came>> = vec![None; next.len()];
    let mut open = BinaryHeap::new();
    for (row, start) in starts.iter().enumerate() {
        for (end, spot) in ends.iter().enumerate().filter(|(_, e)| e.link == start.link && e.along_mm >= start.along_mm)
        {
            let there_ms = leave(start.link, start.along_mm..spot.along_mm, depart_ms);
            open.push(Reverse((there_ms, Step::There { end, direct: Some(row) })));
        }
        let out_ms = leave(start.link, start.along_mm..lengths_mm[start.link.index()], depart_ms);
        for &link in &next[start.link.index()] {
            enter(link, out_ms, Came::Start(row), &mut best, &mut came, &mut open);
        }
    }
    while let Some(Reverse((time_ms, step))) = open.pop() {
        let link = match step {
            Step::There { end, direct: Some(start) } => {
                return Some(Way { start, end, links: vec![ends[end].link], arrive_ms: time_ms });
            }
            Step::There { end, direct: None } => return Some(traced(&came, starts, ends, end, time_ms)),
            Step::Enter(link) if time_ms > best[link.index()] => continue,
            Step::Enter(link) => link,
        };
        for (end, spot) in ends.iter().enumerate().filter(|(_, e)| e.link == link) {
            open.push(Reverse((leave(link, 0..spot.along_mm, time_ms), Step::There { end, direct: None })));
        }
        let out_ms = leave(link, 0..lengths_mm[link.index()], time_ms);
        for &after in &next[link.index()] {
            enter(after, out_ms, Came::Link(link), &mut best, &mut came, &mut open);
        }
    }
    None
}

fn enter(
    link: LinkId,
    time_ms: u64,
    from: Came,
    best: &mut [u64],
    came: &mut [Option<Came>],
    open: &mut BinaryHeap<Reverse<(u64, Step)>>,
) {
    if time_ms < best[link.index()] {
        (best[link.index()], came[link.index()]) = (time_ms, Some(from));
        open.push(Reverse((time_ms, Step::Enter(link))));
    }
}

fn traced(came: &[Option<Came>], starts: &[Spot], ends: &[Spot], end: usize, arrive_ms: u64) -> Way {
    let (mut links, mut start) = (vec![ends[end].link], 0);
    while let Some(from) = links.last().and_then(|link| came[link.index()]) {
        match from {
            Came::Link(link) => links.push(link),
            Came::Start(row) => {
                start = row;
                links.push(starts[row].link);
                break;
            }
        }
    }
    links.reverse();
    Way { start, end, links, arrive_ms }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::leave_ms;
    use super::*;

    const LENGTH_MM: u32 = 400_000;

    fn links(rows: &[&[u32]]) -> Vec<Vec<LinkId>> {
        rows.iter().map(|row| row.iter().copied().map(LinkId).collect()).collect()
    }

    fn spot(link: u32, along_mm: u32) -> Spot {
        Spot { link: LinkId(link), along_mm, off_mm: 0 }
    }

    /// Drives by speeds.
    fn by(speeds: &[Vec<u32>]) -> impl Fn(LinkId, std::ops::Range<u32>, u64) -> u64 {
        move |link, part, enter_ms| leave_ms(&speeds[link.index()], u64::from(part.end - part.start), enter_ms)
    }

    /// The earliest arrival over every way that enters no link twice.
    fn by_trying_all(next: &[Vec<LinkId>], speeds: &[Vec<u32>], from: Spot, to: Spot, depart_ms: u64) -> Option<u64> {
        fn on(
            next: &[Vec<LinkId>],
            leave: &dyn Fn(LinkId, std::ops::Range<u32>, u64) -> u64,
            (link, out_ms): (LinkId, u64),
            to: Spot,
            been: &mut Vec<LinkId>,
        ) -> Option<u64> {
            let mut best = None;
            for &after in next[link.index()].iter() {
                if been.contains(&after) {
                    continue;
                }
                let there = (after == to.link).then(|| leave(after, 0..to.along_mm, out_ms));
                been.push(after);
                let further = on(next, leave, (after, leave(after, 0..LENGTH_MM, out_ms)), to, been);
                been.pop();
                best = [best, there, further].into_iter().flatten().min();
            }
            best
        }
        let leave = by(speeds);
        let direct = (from.link == to.link && from.along_mm <= to.along_mm)
            .then(|| leave(from.link, from.along_mm..to.along_mm, depart_ms));
        let out_ms = leave(from.link, from.along_mm..LENGTH_MM, depart_ms);
        [direct, on(next, &leave, (from.link, out_ms), to, &mut Vec::new())].into_iter().flatten().min()
    }

    #[test]
    fn only_movements_lead_on() {
        // From 0 one may turn into 1 only; 2 is next to it and out of reach.
        let (next, speeds) = (links(&[&[1], &[3], &[3], &[]]), vec![vec![10_000]; 4]);
        let ask = |to| quickest(&next, &[spot(0, 0)], &[spot(to, LENGTH_MM)], 0, by(&speeds), &[LENGTH_MM; 4]);
        assert_eq!(ask(3).map(|way| way.links), Some(vec![LinkId(0), LinkId(1), LinkId(3)]));
        assert_eq!(ask(2), None);
    }

    #[test]
    fn an_end_behind_the_start_on_the_same_link_is_reached_by_going_round() {
        let (next, speeds) = (links(&[&[1], &[0]]), vec![vec![10_000]; 2]);
        let ask = |from, to| quickest(&next, &[spot(0, from)], &[spot(0, to)], 0, by(&speeds), &[LENGTH_MM; 2]);
        let ahead = ask(100_000, 300_000).unwrap();
        assert_eq!((ahead.links.len(), ahead.arrive_ms), (1, 20_000));
        let behind = ask(300_000, 100_000).unwrap();
        assert_eq!((behind.links, behind.arrive_ms), (vec![LinkId(0), LinkId(1), LinkId(0)], 60_000));
    }

    #[test]
    fn who_leaves_later_drives_round_the_jam_to_come() {
        // Over 1 it is shorter, until it jams at 10 min.
        let next = links(&[&[1, 2], &[3], &[3], &[]]);
        let jam: Vec<u32> = (0..13).map(|knot| if knot < 2 { 10_000 } else { 1_000 }).collect();
        let speeds = vec![vec![10_000; 13], jam, vec![6_000; 13], vec![10_000; 13]];
        let over = |depart_ms| {
            let way = quickest(&next, &[spot(0, 0)], &[spot(3, 1)], depart_ms, by(&speeds), &[LENGTH_MM; 4]).unwrap();
            way.links[1].0
        };
        assert_eq!((over(0), over(900_000)), (1, 2));
    }

    proptest! {
        #[test]
        fn none_of_all_ways_is_quicker(
            edges in proptest::collection::btree_set((0_u32..7, 0_u32..7), 0..20),
            speeds in proptest::collection::vec(proptest::collection::vec(300_u32..15_000, 13), 7),
            (from, from_mm) in (0_u32..7, 0..LENGTH_MM), (to, to_mm) in (0_u32..7, 0..LENGTH_MM), depart_ms in 0_u64..4_000_000,
        ) {
            let next: Vec<Vec<LinkId>> =
                (0..7).map(|link| edges.iter().filter(|e| e.0 == link && e.1 != link).map(|e| LinkId(e.1)).collect()).collect();
            let (from, to) = (spot(from, from_mm), spot(to, to_mm));
            let found = quickest(&next, &[from], &[to], depart_ms, by(&speeds), &[LENGTH_MM; 7]);
            prop_assert_eq!(found.as_ref().map(|way| way.arrive_ms), by_trying_all(&next, &speeds, from, to, depart_ms));
            if let Some(way) = found {
                prop_assert!(way.links.windows(2).all(|w| next[w[0].index()].contains(&w[1])));
                let later = quickest(&next, &[from], &[to], depart_ms + 60_000, by(&speeds), &[LENGTH_MM; 7]);
                prop_assert!(later.is_some_and(|later| later.arrive_ms >= way.arrive_ms), "who leaves later is there later");
            }
        }
    }
}
