//! What of the network a junction looks at: the lanes before its lines, those that feed them, and what each stage lets go.

use std::collections::BTreeMap;

use super::change::{change, stage_lamps};
use super::flow::SATURATION;
use crate::event::Lamp;
use crate::ids::{LaneId, LinkId};
use crate::network::{City, Conflict, Junction, Light, PlanStep};
use crate::state::link::SPACING_MM;

/// A lane before the line that is shorter than this is seen together with the lanes that feed it, mm.
const REACH_MM: u32 = 250_000;
/// A lane behind the line that is shorter than this is seen together with the lanes that follow, mm.
const ROOMY_MM: u32 = 60_000;

/// Of the flow that a plan has room for so much is taken to come where nothing else is known.
const PLANNED_SHARE: f32 = 0.6;

/// What a junction looks at. Lanes are numbered locally; rows are the lanes before its lines, in the order of their numbers.
pub(super) struct Field {
    /// By local lane: how many vehicles fill it.
    pub(super) capacity: Vec<f32>,
    lanes: Vec<LaneId>,
    /// By row: its lane; they are in the order of their numbers.
    row_lanes: Vec<LaneId>,
    /// By local lane: its row, if it is one before the line.
    row_of_local: Vec<Option<usize>>,
    /// Per link: for each of its lanes in order, the local number if it is looked at.
    of_link: BTreeMap<LinkId, Vec<Option<usize>>>,
    pub(super) rows: Vec<Row>,
    /// Links behind the junction.
    pub(super) exits: Vec<LinkId>,
    /// By stage.
    pub(super) releases: Vec<Release>,
    /// By stage that ends, then by stage that comes.
    pub(super) passings: Vec<Vec<Passing>>,
    /// Per head: rows that obey it.
    rows_of_head: Vec<Vec<usize>>,
}

/// A lane before the line.
pub(super) struct Row {
    /// Itself, and lanes without signals that lead to it.
    pub(super) sources: Vec<Source>,
    /// Stretches that it leads to.
    pub(super) outs: Vec<Vec<Onward>>,
    /// Its movements.
    pub(super) moves: Vec<Move>,
    /// How many would come whom the first local plan has room for, with some to spare, vehicles/s.
    pub(super) planned: f32,
}

/// A movement from a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Move {
    /// The head that governs it.
    pub(super) head: usize,
    /// The link that it enters, a row of [`Field::exits`].
    pub(super) exit: usize,
}

/// A lane behind the line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Onward {
    /// Its local number.
    pub(super) lane: usize,
    /// Share of those who enter the stretch that come here.
    pub(super) share: f32,
}

/// A lane from which vehicles come to a line.
pub(super) struct Source {
    /// Its local number.
    pub(super) lane: usize,
    /// Share of its vehicles that come.
    pub(super) share: f32,
    /// From its end to the line, s.
    pub(super) lag_s: u32,
}

/// What is let go of a row.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Green {
    /// The movements that go, a bit each; beyond 32 two share one.
    pub(super) moves: u32,
    /// Whether all of them go and give way to nobody.
    pub(super) all: bool,
}

/// What a stage lets go.
pub(super) struct Release {
    /// By head.
    pub(super) lights: Vec<Light>,
    /// By row: rows that its permissive movements give way to.
    pub(super) gives_way: Vec<Vec<usize>>,
    /// By row.
    pub(super) green: Vec<Green>,
}

/// What goes on while one stage changes to another.
pub(super) struct Passing {
    /// How long it takes, s.
    pub(super) for_s: usize,
    /// By row: the share of its movements that stays green.
    pub(super) goes: Vec<f32>,
}

/// Of each row its movements: the head of each, and the lane that it enters.
type Moves = BTreeMap<LaneId, Vec<(usize, LaneId)>>;

impl Field {
    /// Of a junction; `feeders` are those of the whole city.
    pub(super) fn new(city: &City, feeders: &[Vec<LaneId>], junction: &Junction) -> Self {
        let mut moves = Moves::new();
        for (head, id) in
            junction.heads.iter().enumerate().flat_map(|(h, head)| head.movements.iter().map(move |m| (h, m)))
        {
            let movement = &city.movements[id.index()];
            moves.entry(movement.from).or_default().push((head, movement.to));
        }
        let row_of = |m: &Vec<(usize, LaneId)>, head: usize| m.iter().any(|(h, _)| *h == head);
        let rows_of = |head| (0..).zip(moves.values()).filter(|(_, m)| row_of(m, head)).map(|(row, _)| row).collect();
        let mut field = Field {
            capacity: Vec::new(),
            lanes: Vec::new(),
            row_lanes: moves.keys().copied().collect(),
            row_of_local: Vec::new(),
            of_link: BTreeMap::new(),
            rows: Vec::new(),
            exits: exits(city, &moves),
            releases: Vec::new(),
            passings: Vec::new(),
            rows_of_head: (0..junction.heads.len()).map(rows_of).collect(),
        };
        for (lane, moves) in &moves {
            let sources = field.sources(city, feeders, *lane);
            let mut onto: Vec<LaneId> = moves.iter().map(|(_, to)| *to).collect();
            onto.sort_unstable();
            onto.dedup();
            let outs = onto.into_iter().map(|to| field.stretch(city, to)).collect();
            let exit = |to: &LaneId| field.exits.iter().position(|link| *link == city.link_of(*to).id).unwrap_or(0);
            let moves = moves.iter().map(|(head, to)| Move { head: *head, exit: exit(to) }).collect();
            field.rows.push(Row { sources, outs, moves, planned: 0.0 });
        }
        field.row_of_local = field.lanes.iter().map(|lane| field.row_of(*lane)).collect();
        field.releases = junction.stages.iter().map(|stage| field.release(junction, &moves, &stage.lights)).collect();
        for row in 0..field.rows.len() {
            let plan = &junction.plans[0];
            let goes = |step: &&PlanStep| field.releases[usize::from(step.stage)].green[row].moves != 0;
            let green_ms: u32 = plan.steps.iter().filter(goes).map(|step| step.green_ms).sum();
            field.rows[row].planned = green_ms as f32 / plan.cycle_ms().max(1) as f32 * SATURATION * PLANNED_SHARE;
        }
        let stages = 0..junction.stages.len() as u16;
        field.passings =
            stages.clone().map(|from| stages.clone().map(|to| passing(junction, &moves, from, to)).collect()).collect();
        field
    }

    /// Two rows that cross, each let go by a stage of its own, with a change of 3 s between; lane 0 and 1 before the lines,
    /// 2 and 3 behind them with room for so many vehicles.
    #[cfg(test)]
    pub(super) fn crossing(room: [f32; 2]) -> Field {
        let source = |lane| vec![Source { lane, share: 1.0, lag_s: 0 }];
        let row = |number| Row {
            sources: source(number),
            outs: vec![vec![Onward { lane: number + 2, share: 1.0 }]],
            moves: vec![Move { head: number, exit: number }],
            planned: 0.1,
        };
        let release = |head: usize| Release {
            lights: (0..2).map(|h| if h == head { Light::Protected } else { Light::Red }).collect(),
            gives_way: vec![Vec::new(); 2],
            green: (0..2).map(|row| Green { moves: u32::from(row == head), all: row == head }).collect(),
        };
        let passing = |from: usize, to: usize| Passing { for_s: if from == to { 0 } else { 3 }, goes: vec![0.0; 2] };
        Field {
            capacity: vec![30.0, 30.0, room[0], room[1]],
            lanes: (0..4).map(LaneId).collect(),
            row_lanes: vec![LaneId(0), LaneId(1)],
            row_of_local: vec![Some(0), Some(1), None, None],
            of_link: (0..4).map(|link| (LinkId(link), vec![Some(link as usize)])).collect(),
            rows: vec![row(0), row(1)],
            exits: vec![LinkId(2), LinkId(3)],
            releases: vec![release(0), release(1)],
            passings: (0..2).map(|from| (0..2).map(|to| passing(from, to)).collect()).collect(),
            rows_of_head: vec![vec![0], vec![1]],
        }
    }

    /// The local number of a lane.
    fn local(&mut self, city: &City, lane: LaneId) -> usize {
        let link = city.link_of(lane);
        let slots = self.of_link.entry(link.id).or_insert_with(|| vec![None; link.lanes.len()]);
        let place = link.lanes.iter().position(|l| *l == lane).unwrap_or(0);
        *slots[place].get_or_insert_with(|| {
            self.lanes.push(lane);
            self.capacity.push(city.lanes[lane.index()].length_mm as f32 / SPACING_MM as f32);
            self.lanes.len() - 1
        })
    }

    /// The lane itself, and lanes upstream without signals while the way back to the line is shorter than [`REACH_MM`].
    fn sources(&mut self, city: &City, feeders: &[Vec<LaneId>], lane: LaneId) -> Vec<Source> {
        let mut sources = vec![Source { lane: self.local(city, lane), share: 1.0, lag_s: 0 }];
        let mut todo = vec![(lane, 0, 0, 1.0_f32)];
        let mut seen = vec![lane];
        while let Some((to, behind_mm, behind_ms, share)) = todo.pop() {
            let length_mm = city.lanes[to.index()].length_mm;
            let reach_mm = behind_mm + length_mm;
            if reach_mm >= REACH_MM {
                continue;
            }
            let lag_ms = behind_ms + u64::from(length_mm) * 1000 / u64::from(city.link_of(to).free_speed_mm_s.max(1));
            for &from in &feeders[to.index()] {
                if seen.contains(&from) {
                    continue;
                }
                seen.push(from);
                let share = share / city.lanes[from.index()].movements.len().max(1) as f32;
                sources.push(Source { lane: self.local(city, from), share, lag_s: (lag_ms / 1000) as u32 });
                todo.push((from, reach_mm, lag_ms, share));
            }
        }
        sources
    }

    /// A lane behind the line, and those that follow without a signal while it is shorter than [`ROOMY_MM`].
    fn stretch(&mut self, city: &City, lane: LaneId) -> Vec<Onward> {
        let mut stretch = vec![Onward { lane: self.local(city, lane), share: 1.0 }];
        let mut todo = vec![(lane, 0, 1.0_f32)];
        while let Some((lane, before_mm, share)) = todo.pop() {
            let lane = &city.lanes[lane.index()];
            let reach_mm = before_mm + lane.length_mm;
            let movements: Vec<_> = lane.movements.iter().map(|m| &city.movements[m.index()]).collect();
            if reach_mm >= ROOMY_MM || movements.iter().any(|m| m.signal.is_some()) {
                continue;
            }
            let share = share / movements.len().max(1) as f32;
            for movement in movements {
                let local = self.local(city, movement.to);
                if stretch.iter().all(|onward| onward.lane != local) {
                    stretch.push(Onward { lane: local, share });
                    todo.push((movement.to, reach_mm, share));
                }
            }
        }
        stretch
    }

    fn release(&self, junction: &Junction, moves: &Moves, lights: &[Light]) -> Release {
        let gives_way = moves.values().map(|moves| self.yields_to(junction, moves, lights)).collect();
        let green = |moves: &Vec<(usize, LaneId)>| {
            let going = moves.iter().enumerate().filter(|(_, (head, _))| lights[*head].is_green());
            let bits = going.fold(0, |bits, (number, _)| bits | 1 << (number & 31));
            Green { moves: bits, all: moves.iter().all(|(head, _)| lights[*head] == Light::Protected) }
        };
        Release { lights: lights.to_vec(), gives_way, green: moves.values().map(green).collect() }
    }

    /// Rows that go under `lights` and before which one of the row's permissive movements gives way.
    fn yields_to(&self, junction: &Junction, moves: &[(usize, LaneId)], lights: &[Light]) -> Vec<usize> {
        let yields = |head: usize, other: usize| {
            lights[other].is_green() && junction.conflicts.get(head, other) == Conflict::FirstYields
        };
        let own = moves.iter().map(|(head, _)| *head).filter(|head| lights[*head] == Light::Permissive);
        let others = own.flat_map(|head| (0..lights.len()).filter(move |other| yields(head, *other)));
        let mut rows: Vec<usize> = others.flat_map(|other| self.rows_of_head[other].iter().copied()).collect();
        rows.sort_unstable();
        rows.dedup();
        rows
    }

    /// Links whose lane counts matter here.
    pub(super) fn links(&self) -> impl Iterator<Item = LinkId> {
        self.of_link.keys().copied()
    }

    /// Number of lanes that are looked at.
    pub(super) fn lane_count(&self) -> usize {
        self.lanes.len()
    }

    /// For each of a link's lanes in order, the local number if it is looked at.
    pub(super) fn of_link(&self, link: LinkId) -> &[Option<usize>] {
        self.of_link.get(&link).map_or(&[], Vec::as_slice)
    }

    /// The row of a lane before the line.
    pub(super) fn row_of(&self, lane: LaneId) -> Option<usize> {
        self.row_lanes.binary_search(&lane).ok()
    }

    /// The row of a lane, by its local number.
    pub(super) fn row_of_local(&self, local: usize) -> Option<usize> {
        self.row_of_local[local]
    }

    /// Rows that obey a head.
    pub(super) fn rows_of_head(&self, head: usize) -> &[usize] {
        &self.rows_of_head[head]
    }
}

fn exits(city: &City, moves: &Moves) -> Vec<LinkId> {
    let mut exits: Vec<LinkId> = moves.values().flatten().map(|(_, to)| city.link_of(*to).id).collect();
    exits.sort_unstable();
    exits.dedup();
    exits
}

fn passing(junction: &Junction, moves: &Moves, from: u16, to: u16) -> Passing {
    let steps = change(junction, &stage_lamps(junction, from), to);
    let for_ms: u32 = steps.iter().map(|step| step.for_ms).sum();
    let stays = |head: usize| steps.iter().all(|step| step.lamps[head] == Lamp::Protected);
    let share = |moves: &Vec<(usize, LaneId)>| {
        moves.iter().filter(|(head, _)| stays(*head)).count() as f32 / moves.len() as f32
    };
    Passing { for_s: for_ms.div_ceil(1000) as usize, goes: moves.values().map(share).collect() }
}

/// For each lane, the lanes that lead into it without a signal.
pub(super) fn feeders(city: &City) -> Vec<Vec<LaneId>> {
    let mut feeders = vec![Vec::new(); city.lanes.len()];
    for m in city.movements.iter().filter(|m| m.signal.is_none()) {
        feeders[m.to.index()].push(m.from);
    }
    feeders
}
