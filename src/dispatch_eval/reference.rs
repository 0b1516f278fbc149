//! The policies that dispatch is compared with, each as short as it can be told. They are those of the reference replay.

use nanming_dataflows::event::Priority;

use super::world::World;
use super::{Name, least_cost};

/// What a call's travel weighs in a batch, by priority: A, B and C.
const WEIGHT: [f64; 3] = [1.0, 0.2, 0.05];
/// Costs of a batch are matched as whole numbers of such parts of a second.
const PARTS_PER_S: f64 = 1e8;

/// Sends units as a policy has it.
pub(super) fn decide(name: Name, world: &mut World) {
    if world.waiting.is_empty() {
        return;
    }
    let free: Vec<usize> = (0..world.units()).filter(|unit| world.is_free(*unit)).collect();
    let (calls, mut queue) = (world.calls, world.waiting.clone());
    let urgency = |call: &usize| if name == Name::Fifo { Priority::A } else { calls.priority[*call] };
    queue.sort_by(|one, other| {
        urgency(one).cmp(&urgency(other)).then(calls.ready_s[*one].total_cmp(&calls.ready_s[*other]))
    });
    world.waiting.clone_from(&queue);
    match name {
        Name::Batch => batch(world, &queue, &free),
        _ => nearest(world, &queue, free),
    }
    if name == Name::Preempt {
        preempt(world);
    }
}

/// One call after the other gets the nearest free unit.
fn nearest(world: &mut World, queue: &[usize], mut free: Vec<usize>) {
    for call in queue {
        let Some(unit) = closest(world, &free, *call) else { return };
        world.send(unit, *call);
        free.retain(|other| *other != unit);
    }
}

/// As many calls as units are free, at least travel.
fn batch(world: &mut World, queue: &[usize], free: &[usize]) {
    let chosen = &queue[..queue.len().min(free.len())];
    let row = |call: &usize| {
        let weight = WEIGHT[world.calls.priority[*call] as usize];
        let times_s = world.times_s(free, world.calls.place[*call]);
        times_s.into_iter().map(|time_s| (time_s * weight * PARTS_PER_S) as i64).collect()
    };
    let costs: Vec<Vec<i64>> = chosen.iter().map(row).collect();
    for (call, column) in chosen.iter().zip(least_cost(&costs)) {
        if let Some(column) = column {
            world.send(free[column], *call);
        }
    }
}

/// Calls of priority A that still wait take units from their way to other calls.
fn preempt(world: &mut World) {
    let urgent: Vec<usize> =
        world.waiting.iter().filter(|call| world.calls.priority[**call] == Priority::A).copied().collect();
    for call in urgent {
        let may_leave =
            |unit: &usize| world.under_way(*unit).is_some_and(|(other, _)| world.calls.priority[other] != Priority::A);
        let on_way: Vec<usize> = (0..world.units()).filter(may_leave).collect();
        let Some(unit) = closest(world, &on_way, call) else { return };
        world.send(unit, call);
    }
}

fn closest(world: &World, units: &[usize], call: usize) -> Option<usize> {
    let times_s = world.times_s(units, world.calls.place[call]);
    units.iter().copied().zip(times_s).min_by(|one, other| one.1.total_cmp(&other.1)).map(|(unit, _)| unit)
}
