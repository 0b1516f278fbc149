//! The engine's policy in the model.

use nanming_dataflows::decide::dispatch::plan::{Available, Demand, Move, Plan, Policy, Task, plan};
use nanming_dataflows::ids::{CallId, UnitId};
use nanming_dataflows::network::Point;

use super::calls::Calls;
use super::travel::Place;
use super::world::World;

/// The policy, and where it counts places from.
pub(super) struct Ours<'a> {
    policy: &'a Policy,
    origin: Place,
}

impl<'a> Ours<'a> {
    /// The first call's place is the origin.
    pub(super) fn new(policy: &'a Policy, calls: &Calls) -> Self {
        Ours { policy, origin: calls.place.first().copied().unwrap_or_default() }
    }

    /// Moves units as the policy has it.
    pub(super) fn decide(&mut self, world: &mut World) {
        let units: Vec<Available<usize>> = (0..world.units()).filter_map(|unit| self.available(world, unit)).collect();
        let waiting: Vec<Demand> = world.waiting.iter().map(|call| self.demand(world, *call)).collect();
        let times = |to: Point, stops: &[usize]| {
            let to = [f64::from(to.x_mm) / 1e3 + self.origin[0], f64::from(to.y_mm) / 1e3 + self.origin[1]];
            world.times_s(stops, to).into_iter().map(ms).collect()
        };
        let Plan { moves, .. } =
            plan(self.policy, ms(world.now_s), &waiting, &units, |_| vec![Some(0); units.len()], times);
        let to = |m: &Move| (m.unit.index(), m.to.map(|(call, _)| call.0 as usize));
        world.rearrange(&moves.iter().map(to).collect::<Vec<_>>());
    }

    fn available(&self, world: &World, unit: usize) -> Option<Available<usize>> {
        let task = world.under_way(unit).map(|(call, left_s)| {
            let Demand { call, priority, opened_ms, at, .. } = self.demand(world, call);
            Task { call, priority, opened_ms, at, left_ms: Some(ms(left_s)) }
        });
        let is_available = task.is_some() || world.is_free(unit);
        let available = || Available { unit: UnitId(unit as u32), at: self.point(world.place(unit)), stop: unit, task };
        is_available.then(available)
    }

    fn demand(&self, world: &World, call: usize) -> Demand {
        Demand {
            call: CallId(call as u64),
            priority: world.calls.priority[call],
            opened_ms: ms(world.calls.received_s[call]),
            at: self.point(world.calls.place[call]),
            lacking: 1,
        }
    }

    fn point(&self, place: Place) -> Point {
        let [x_mm, y_mm] = [0, 1].map(|axis| ((place[axis] - self.origin[axis]) * 1e3).round() as i32);
        Point { x_mm, y_mm }
    }
}

fn ms(seconds: f64) -> u64 {
    (seconds * 1e3).round() as u64
}
