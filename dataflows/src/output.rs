//! The outputs of the graph, gathered tick by tick.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use timely::ExchangeData;
use timely::dataflow::operators::{Exchange, Inspect, Probe};
use timely::dataflow::{ProbeHandle, Stream};
use timely::progress::Stamp;

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
    /// What the envelope refused.
    pub refusals: Stream<'s, Time, Vec<Refusal>>,
    /// Forecasts made anew.
    pub forecasts: Stream<'s, Time, Vec<LinkForecast>>,
    /// Links about to congest.
    pub onsets: Collection<'s, Onset>,
    /// Load of patrol grids.
    pub grids: Collection<'s, GridLoad>,
    /// New assignments.
    pub assignments: Stream<'s, Time, Vec<Assignment>>,
    /// Calls that reached another phase.
    pub calls: Stream<'s, Time, Vec<CallStatus>>,
    /// Events that made no sense in the state they met.
    pub rejected: Stream<'s, Time, Vec<Rejected>>,
}

/// Where what came out is gathered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gathering {
    /// Each worker has what came out on it: all of them are of one process.
    Each,
    /// All is sent to the first worker, in the process that leads.
    First,
}

/// A worker's share of what came out, until its tick is complete everywhere.
#[derive(Clone)]
pub struct Gathered {
    gathering: Gathering,
    ticks: Rc<RefCell<BTreeMap<Time, Decisions>>>,
    probe: ProbeHandle<Time>,
}

impl Gathered {
    /// Gathers all outputs.
    pub fn new(outputs: Outputs<'_>, gathering: Gathering) -> Self {
        let gathered = Gathered { gathering, ticks: Rc::default(), probe: ProbeHandle::new() };
        gathered.sink(outputs.links, |d| &mut d.links);
        gathered.sink(outputs.commands, |d| &mut d.commands);
        gathered.sink(outputs.choices, |d| &mut d.choices);
        gathered.sink(outputs.refusals, |d| &mut d.refusals);
        gathered.sink(outputs.forecasts, |d| &mut d.forecasts);
        gathered.sink(outputs.assignments, |d| &mut d.assignments);
        gathered.sink(outputs.calls, |d| &mut d.calls);
        gathered.sink(outputs.rejected, |d| &mut d.rejected);
        gathered.sink_relation(outputs.onsets, |d| &mut d.onsets);
        gathered.sink_relation(outputs.grids, |d| &mut d.grids);
        gathered
    }

    /// Whether a tick is complete on all workers.
    pub fn is_complete(&self, tick: Time) -> bool {
        !self.probe.less_equal(&tick)
    }

    /// This worker's share of a complete tick, in the order in which it came. What came of a time between two ticks, as
    /// expiry does, belongs to the later one.
    pub fn take(&self, tick: Time) -> Decisions {
        let mut ticks = self.ticks.borrow_mut();
        let later = ticks.split_off(&(tick + 1));
        let mut share = Decisions { tick, ..Decisions::default() };
        std::mem::replace(&mut *ticks, later).into_values().for_each(|part| share.absorb(part));
        share
    }

    fn sink<D: ExchangeData + Clone>(&self, stream: Stream<'_, Time, Vec<D>>, list: fn(&mut Decisions) -> &mut Vec<D>) {
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
        list: fn(&mut Decisions) -> &mut Vec<(D, isize)>,
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
