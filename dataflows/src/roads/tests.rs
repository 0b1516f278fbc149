use std::cmp::Reverse;
use std::collections::BinaryHeap;

use proptest::prelude::*;

use super::*;

const NODES: u32 = 12;

#[derive(Clone, Debug)]
struct Case {
    points: Vec<Point>,
    arcs: Vec<(u32, u32)>,
    bans: Vec<(u32, u32)>,
    arc_ms: Vec<u32>,
    places: Vec<Place>,
}

/// Anywhere, or where others are too.
fn point() -> impl Strategy<Value = Point> {
    let within = |span: std::ops::Range<i32>| (span.clone(), span).prop_map(|(x_mm, y_mm)| Point { x_mm, y_mm });
    prop_oneof![3 => within(-3_000_000..3_000_000), 1 => within(0..2)]
}

fn places(arcs: u32) -> impl Strategy<Value = Vec<Place>> {
    let on = prop_oneof![(0..NODES).prop_map(On::Node), (0..arcs, 1..END_65536).prop_map(|(a, at)| On::Arc(a, at))];
    let way = (on, 0u32..30).prop_map(|(on, off_road_ms)| Way { on, off_road_ms });
    let way = proptest::option::weighted(0.7, way);
    let place = (way.clone(), way).prop_map(|(one, other)| Place { ways: [one, other] });
    proptest::collection::vec(place, 1..12)
}

fn case() -> impl Strategy<Value = Case> {
    let points = proptest::collection::vec(point(), NODES as usize);
    let arcs = proptest::collection::vec((0..NODES, 0..NODES), 1..40);
    (points, arcs).prop_flat_map(|(points, arcs)| {
        let count = arcs.len();
        let bans = proptest::collection::vec((0..count as u32, 0..count as u32), 0..60);
        let ms = prop_oneof![6 => 0u32..100, 1 => Just(UNREACHABLE)];
        let arc_ms = proptest::collection::vec(ms, count);
        (bans, arc_ms, places(count as u32)).prop_map(move |(bans, arc_ms, places)| Case {
            points: points.clone(),
            arcs: arcs.clone(),
            bans,
            arc_ms,
            places,
        })
    })
}

/// The time by Dijkstra from arc to arc.
fn plain(case: &Case, from: &Place, to: &Place) -> u32 {
    let ms = |arc: u32| (case.arc_ms[arc as usize] < UNREACHABLE).then(|| u64::from(case.arc_ms[arc as usize]));
    let part = |arc, at| ms(arc).map(|ms| ms * u64::from(at) / u64::from(END_65536));
    let may_follow =
        |a: u32, b: u32| case.arcs[a as usize].1 == case.arcs[b as usize].0 && !case.bans.contains(&(a, b));
    let mut best = u64::MAX;
    // Time at the end of each arc.
    let mut open = BinaryHeap::new();
    for way in from.ways() {
        let off = u64::from(way.off_road_ms);
        match way.on {
            On::Node(node) => {
                let out = (0..case.arcs.len() as u32).filter(|arc| case.arcs[*arc as usize].0 == node);
                open.extend(out.filter_map(|arc| Some(Reverse((off + ms(arc)?, arc)))));
                best = to
                    .ways()
                    .filter(|w| w.on == way.on)
                    .map(|w| off + u64::from(w.off_road_ms))
                    .chain([best])
                    .min()
                    .unwrap();
                // A point at the start of an arc that leaves the node.
                for w in to.ways() {
                    if let On::Arc(arc, at) = w.on
                        && case.arcs[arc as usize].0 == node
                        && let Some(ms) = part(arc, at)
                    {
                        best = best.min(off + ms + u64::from(w.off_road_ms));
                    }
                }
            }
            On::Arc(arc, at) => {
                open.extend(part(arc, at).and_then(|p| Some(Reverse((off + ms(arc)? - p, arc)))));
                for w in to.ways() {
                    if let On::Arc(other, end) = w.on
                        && other == arc
                        && end >= at
                        && ms(arc).is_some()
                    {
                        best =
                            best.min(off + part(arc, end).unwrap() - part(arc, at).unwrap() + u64::from(w.off_road_ms));
                    }
                }
            }
        }
    }
    let mut done = vec![false; case.arcs.len()];
    while let Some(Reverse((now, arc))) = open.pop() {
        if std::mem::replace(&mut done[arc as usize], true) {
            continue;
        }
        for w in to.ways() {
            let more = match w.on {
                On::Node(node) => (case.arcs[arc as usize].1 == node).then_some(0),
                On::Arc(next, at) => part(next, at).filter(|_| may_follow(arc, next)),
            };
            best = more.map(|ms| now + ms + u64::from(w.off_road_ms)).into_iter().chain([best]).min().unwrap();
        }
        let next = (0..case.arcs.len() as u32).filter(|next| may_follow(arc, *next));
        open.extend(next.filter_map(|next| Some(Reverse((now + ms(next)?, next)))));
    }
    u32::try_from(best).unwrap_or(UNREACHABLE)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]
    #[test]
    fn times_are_those_of_dijkstra(case in case(), other_ms in proptest::collection::vec(0u32..100, 40)) {
        let graph = RoadGraph::new(&case.points, &case.arcs, &case.bans);
        // What other weights left behind does not matter.
        let mut weights = graph.customise(&other_ms[..case.arcs.len()]);
        graph.customise_into(&case.arc_ms, &mut weights);
        for split in [1, case.places.len() / 2, case.places.len() - 1] {
            let (from, to) = case.places.split_at(split);
            let all = from.iter().flat_map(|f| to.iter().map(move |t| (f, t)));
            let expected: Vec<u32> = all.map(|(f, t)| plain(&case, f, t)).collect();
            prop_assert_eq!(graph.times(&weights, from, to), expected);
        }
    }

    #[test]
    fn the_nearest_arc_is_found_from_inside_and_from_far_outside(
        points in proptest::collection::vec(point(), 2..20),
        at in (-30_000_000..30_000_000, -30_000_000..30_000_000),
    ) {
        let at = Point { x_mm: at.0, y_mm: at.1 };
        let lines = points.windows(2).enumerate().map(|(arc, pair)| (arc as u32, (arc as u32, arc as u32 + 1), pair));
        let found = Access::new(lines.clone(), 1).place(at);
        let alone = lines.map(|line| Access::new([line], 1).place(at).ways().next().unwrap().off_road_ms);
        prop_assert_eq!(found.ways().next().unwrap().off_road_ms, alone.min().unwrap());
    }
}

fn at(x_m: i32, y_m: i32) -> Point {
    Point { x_mm: x_m * 1_000, y_mm: y_m * 1_000 }
}

#[test]
fn a_place_beside_a_street_leaves_it_both_ways() {
    let course = [at(0, 0), at(1_000, 0)];
    let back = [at(1_000, 0), at(0, 0)];
    let access = Access::new([(0, (0, 1), &course[..]), (1, (1, 0), &back[..])], 2);
    let place = access.place(at(250, 40));
    let ways = [On::Arc(0, 16_384), On::Arc(1, 49_152)].map(|on| Some(Way { on, off_road_ms: 20_000 }));
    assert_eq!(place, Place { ways });
    assert_eq!(access.place(at(-50, 0)), Place { ways: [Some(Way { on: On::Node(0), off_road_ms: 25_000 }), None] });
}

#[test]
fn a_banned_turn_is_gone_round() {
    // A street 0 -> 1 -> 2, and a loop 1 -> 3 -> 1.
    let (points, arcs) = ([at(0, 0), at(1, 0), at(2, 0), at(1, 1)], [(0, 1), (1, 2), (1, 3), (3, 1)]);
    let time = |bans: &[(u32, u32)]| {
        let graph = RoadGraph::new(&points, &arcs, bans);
        let weights = graph.customise(&[10, 10, 7, 7]);
        graph.times_to(&weights, &[Place::node(0), Place::node(1)], &Place::node(2))
    };
    assert_eq!(time(&[]), [20, 10]);
    assert_eq!(time(&[(0, 1)]), [34, 10]);
    assert_eq!(time(&[(0, 1), (3, 1)]), [UNREACHABLE, 10]);
}

#[test]
fn a_graph_may_be_empty_or_have_no_arcs() {
    for nodes in 0..3 {
        let graph = RoadGraph::new(&vec![at(0, 0); nodes], &[], &[]);
        let places: Vec<Place> = (0..nodes as u32).map(Place::node).collect();
        let times = graph.times(&graph.customise(&[]), &places, &places);
        assert!(times.iter().enumerate().all(|(i, ms)| (*ms == 0) == (i / nodes == i % nodes)), "{times:?}");
        assert!(Access::new([], 1).place(at(0, 0)).ways().next().is_none());
    }
}
