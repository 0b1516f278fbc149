//! The outputs of the graph, gathered tick by tick.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use timely::ExchangeData;
use timely::dataflow::operators::{Exchange, Inspect, Probe};
use timely::dataflow::{ProbeHandle, Stream};
use timely::progress::Stamp;

use crate::bookmark::Bookmark;
use crate::decision::*;
use crate::{Collection, Time};

/// What the graph brings out.
pub struct Outputs<'s> {
    /// Links whose state changed.
    pub links: Stream<'s, Time, Vec<LinkState>>,
    /// What the signals were told.
    pub commands: Stream<'s, Time, Vec<SignalCommand>>,
    /// Why each junction chose its stage.
    pub choices: Stream<'s, Time, Vec<SignalChoice>>,
    /// Plans made for junctions in plan mode.
    pub plans: Stream<'s, Time, Vec<SignalPlan>>,
    /// What the envelope refused.
    pub refusals: Stream<'s, Time, Vec<Refusal>>,
    /// Reds that last longer than they may.
    pub long_reds: Stream<'s, Time, Vec<LongRed>>,
    /// Units that come to junctions that are not led.
    pub unserved: Stream<'s, Time, Vec<Unserved>>,
    /// Ways of units that drive with lights.
    pub routes: Stream<'s, Time, Vec<UnitRoute>>,
    /// Forecasts made anew.
    pub forecasts: Stream<'s, Time, Vec<LinkForecast>>,
    /// How good forecasts were.
    pub forecast_records: Stream<'s, Time, Vec<ForecastRecord>>,
    /// Links about to congest.
    pub onsets: Collection<'s, Onset>,
    /// People at venues.
    pub crowds: Stream<'s, Time, Vec<CrowdState>>,
    /// Forecasts of people at venues.
    pub venue_forecasts: Stream<'s, Time, Vec<VenueForecast>>,
    /// Venues with more people than usual.
    pub surges: Collection<'s, Surge>,
    /// Load of patrol grids.
    pub grids: Collection<'s, GridLoad>,
    /// New assignments.
    pub assignments: Stream<'s, Time, Vec<Assignment>>,
    /// Calls that reached another phase.
    pub calls: Stream<'s, Time, Vec<CallStatus>>,
    /// Phases that assignments reached.
    pub assignment_statuses: Stream<'s, Time, Vec<AssignmentStatus>>,
    /// Calls that are not served as they should be.
    pub escalations: Stream<'s, Time, Vec<Escalation>>,
    /// Calls that were merged into others.
    pub merges: Stream<'s, Time, Vec<Merge>>,
    /// Cover of dispatch regions.
    pub cover: Stream<'s, Time, Vec<CoverState>>,
    /// What rosters say.
    pub rosters: Stream<'s, Time, Vec<RosterWord>>,
    /// Events that made no sense in the state they met.
    pub rejected: Stream<'s, Time, Vec<Rejected>>,
    /// How far sources are read.
    pub bookmarks: Stream<'s, Time, Vec<Bookmark>>,
}

/// Where what came out is gathered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gathering {
    /// Each worker has what came out on it: all of them are of one process.
    Each,
    /// All is sent to the first worker, in the process that leads.
    First,
}

/// What came out at a time.
#[derive(Default)]
struct Came {
    decisions: Decisions,
    bookmarks: Vec<Bookmark>,
}

/// A worker's share of what came out, until its tick is complete everywhere.
#[derive(Clone)]
pub struct Gathered {
    gathering: Gathering,
    ticks: Rc<RefCell<BTreeMap<Time, Came>>>,
    probe: ProbeHandle<Time>,
}

impl Gathered {
    /// Gathers all outputs.
    pub fn new(outputs: Outputs<'_>, gathering: Gathering) -> Self {
        let gathered = Gathered { gathering, ticks: Rc::default(), probe: ProbeHandle::new() };
        gathered.sink(outputs.links, |came| &mut came.decisions.links);
        gathered.sink(outputs.commands, |came| &mut came.decisions.commands);
        gathered.sink(outputs.choices, |came| &mut came.decisions.choices);
        gathered.sink(outputs.plans, |came| &mut came.decisions.plans);
        gathered.sink(outputs.refusals, |came| &mut came.decisions.refusals);
        gathered.sink(outputs.long_reds, |came| &mut came.decisions.long_reds);
        gathered.sink(outputs.unserved, |came| &mut came.decisions.unserved);
        gathered.sink(outputs.routes, |came| &mut came.decisions.routes);
        gathered.sink(outputs.forecasts, |came| &mut came.decisions.forecasts);
        gathered.sink(outputs.forecast_records, |came| &mut came.decisions.forecast_records);
        gathered.sink(outputs.crowds, |came| &mut came.decisions.crowds);
        gathered.sink(outputs.venue_forecasts, |came| &mut came.decisions.venue_forecasts);
        gathered.sink(outputs.assignments, |came| &mut came.decisions.assignments);
        gathered.sink(outputs.calls, |came| &mut came.decisions.calls);
        gathered.sink(outputs.assignment_statuses, |came| &mut came.decisions.assignment_statuses);
        gathered.sink(outputs.escalations, |came| &mut came.decisions.escalations);
        gathered.sink(outputs.merges, |came| &mut came.decisions.merges);
        gathered.sink(outputs.cover, |came| &mut came.decisions.cover);
        gathered.sink(outputs.rosters, |came| &mut came.decisions.rosters);
        gathered.sink(outputs.rejected, |came| &mut came.decisions.rejected);
        gathered.sink(outputs.bookmarks, |came| &mut came.bookmarks);
        gathered.sink_relation(outputs.onsets, |came| &mut came.decisions.onsets);
        gathered.sink_relation(outputs.surges, |came| &mut came.decisions.surges);
        gathered.sink_relation(outputs.grids, |came| &mut came.decisions.grids);
        gathered
    }

    /// Whether a tick is complete on all workers.
    pub fn is_complete(&self, tick: Time) -> bool {
        !self.probe.less_equal(&tick)
    }

    /// This worker's share of a complete tick, in the order in which it came: decisions, and how far sources are read. What
    /// came of a time between two ticks, as expiry does, belongs to the later one.
    pub fn take(&self, tick: Time) -> (Decisions, Vec<Bookmark>) {
        let mut ticks = self.ticks.borrow_mut();
        let later = ticks.split_off(&(tick + 1));
        let (mut share, mut bookmarks) = (Decisions { tick, ..Decisions::default() }, Vec::new());
        for came in std::mem::replace(&mut *ticks, later).into_values() {
            share.absorb(came.decisions);
            bookmarks.extend(came.bookmarks);
        }
        (share, bookmarks)
    }

    fn sink<D: ExchangeData + Clone>(&self, stream: Stream<'_, Time, Vec<D>>, list: fn(&mut Came) -> &mut Vec<D>) {
        let ticks = Rc::clone(&self.ticks);
        let gather = move |event: Result<(&Stamp<Time>, &Vec<D>), &[Time]>| {
            if let Ok((stamp, records)) = event {
                let tick = stamp.expect_singleton();
                list(ticks.borrow_mut().entry(*tick).or_default()).extend_from_slice(records);
            }
        };
        self.at_its_place(stream).inspect_core(gather).probe_with(&self.probe);
    }

    fn sink_relation<D: ExchangeData + Clone + Ord>(
        &self,
        relation: Collection<'_, D>,
        list: fn(&mut Came) -> &mut Vec<(D, isize)>,
    ) {
        let ticks = Rc::clone(&self.ticks);
        let gather = move |record: &(D, Time, isize)| {
            list(ticks.borrow_mut().entry(record.1).or_default()).push((record.0.clone(), record.2));
        };
        self.at_its_place(relation.inner).inspect(gather).probe_with(&self.probe);
    }

    fn at_its_place<'s, D: ExchangeData>(&self, stream: Stream<'s, Time, Vec<D>>) -> Stream<'s, Time, Vec<D>> {
        match self.gathering {
            Gathering::Each => stream,
            Gathering::First => stream.exchange(|_| 0),
        }
    }
}
