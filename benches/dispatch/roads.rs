//! Travel times: all weights new, and a matrix of 200 x 50, beside plain searches.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use cch::Cch;
use cch::graph::Graph;
use nanming_dataflows::network::Point;
use nanming_dataflows::roads::{Place, UNREACHABLE};

use crate::edmonton::Edmonton;
use crate::measure::{Goals, rate};
use crate::{least_ms, say};

const SOURCES: u32 = 200;
const TARGETS: u32 = 50;
/// The goals, ms.
const CUSTOMISE_MS: f64 = 5.0;
const MATRIX_MS: f64 = 5.0;

pub(crate) fn measure(edmonton: &Edmonton, goals: &mut Goals) {
    let Edmonton { nodes, arcs, arc_ms, graph, .. } = edmonton;
    println!("{} nodes, {} arcs", nodes.len(), arcs.len());
    let mut weights = graph.customise(arc_ms);
    let (took_ms, ()) = least_ms(21, || graph.customise_into(arc_ms, &mut weights));
    goals.most("all weights new, ms", took_ms, CUSTOMISE_MS);
    let spread = |count: u32, step: u32| (0..count).map(move |at| at * step % nodes.len() as u32);
    let places = |count, step| spread(count, step).map(Place::node).collect::<Vec<_>>();
    let (sources, targets) = (places(SOURCES, 7_919), places(TARGETS, 10_473));
    let (took_ms, times) = least_ms(21, || graph.times(&weights, &sources, &targets));
    goals.most("times of 200 x 50, ms", took_ms, MATRIX_MS);
    let arriving = arriving(edmonton);
    let mut columns = Vec::new();
    let plain = rate(|| {
        columns.extend(spread(TARGETS, 10_473).map(|to| plain(&arriving, to)));
        columns.len() as u64
    });
    // These take so long that they are interrupted every time: only what the CPU did counts.
    let plain_ms = plain["cpu_ns"] * f64::from(TARGETS) / 1e6;
    say("the same by 50 plain searches", format!("{plain_ms:.0} ms"));
    let same = times.chunks(TARGETS as usize).zip(spread(SOURCES, 7_919));
    let same = same.map(|(row, from)| row.iter().zip(&columns).all(|(ms, column)| *ms == column[from as usize]));
    goals.judge("the times are theirs", same.into_iter().all(|same| same), "counted too".into());
    by_cch(edmonton, &spread(SOURCES, 7_919).collect::<Vec<_>>(), &spread(TARGETS, 10_473).collect::<Vec<_>>());
    let (here, there) = (edmonton.places(2_000, 1), edmonton.places(1, 2));
    let (took_ms, _) = least_ms(51, || graph.times_to(&weights, &here, &there[0]));
    say("2,000 places to one", format!("{took_ms:.3} ms"));
}

/// The same by the whole of the crate of which we take the order; it customises on all cores.
fn by_cch(edmonton: &Edmonton, sources: &[u32], targets: &[u32]) {
    let mut arcs: Vec<(u32, u32, u32)> =
        edmonton.arcs.iter().zip(&edmonton.arc_ms).map(|((from, to), ms)| (*from, *to, *ms)).collect();
    arcs.sort_unstable();
    let tails: Vec<u32> = arcs.iter().map(|arc| arc.0).collect();
    let head: Vec<u32> = arcs.iter().map(|arc| arc.1).collect();
    let weight: Vec<u32> = arcs.iter().map(|arc| arc.2).collect();
    let of = |mm: fn(&Point) -> i32| -> Vec<f32> { edmonton.nodes.iter().map(|p| mm(p) as f32).collect() };
    let nodes = edmonton.nodes.len() as u32;
    let order = cch::inertial_order(nodes, &tails, &head, &of(|p| p.y_mm), &of(|p| p.x_mm));
    let first_out = (0..=nodes).map(|node| tails.partition_point(|tail| *tail < node) as u32).collect();
    let cch = Cch::build(&Graph { first_out, head, weight: weight.clone() }, &order);
    let customizer = cch.customizer();
    let mut metric = customizer.customize(&weight);
    let (took_ms, ()) = least_ms(21, || customizer.customize_into(&weight, &mut metric));
    say("all weights new by cch", format!("{took_ms:.2} ms"));
    let matrix = || cch::distance_matrix(&cch.view(), &metric.view(), sources, targets);
    say("times of 200 x 50 by cch", format!("{:.2} ms", least_ms(21, matrix).0));
}

/// By node, the arcs that arrive there: from where, and how long they take.
fn arriving(edmonton: &Edmonton) -> Vec<Vec<(u32, u32)>> {
    let mut arriving = vec![Vec::new(); edmonton.nodes.len()];
    let arcs = edmonton.arcs.iter().zip(&edmonton.arc_ms);
    arcs.for_each(|((from, to), ms)| arriving[*to as usize].push((*from, *ms)));
    arriving
}

/// The time from every node to one, by Dijkstra.
fn plain(arriving: &[Vec<(u32, u32)>], to: u32) -> Vec<u32> {
    let mut best = vec![UNREACHABLE; arriving.len()];
    let mut open = BinaryHeap::from([(Reverse(0), to)]);
    best[to as usize] = 0;
    while let Some((Reverse(now), at)) = open.pop() {
        if now > best[at as usize] {
            continue;
        }
        for (from, ms) in &arriving[at as usize] {
            if now + ms < best[*from as usize] {
                best[*from as usize] = now + ms;
                open.push((Reverse(now + ms), *from));
            }
        }
    }
    best
}
