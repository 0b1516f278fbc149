//! The inputs of the graph, and their feeds outside it.

use timely::dataflow::operators::Inspect as _;
use timely::dataflow::operators::vec::{Broadcast as _, Input as _, Map as _};
use timely::dataflow::{InputHandleVec as InputHandle, Scope, Stream};

use crate::Time;
use crate::bookmark::Bookmark;
use crate::event::{Batch, Event, Passage};
use crate::keyed::{Tick, Ticks};

/// The streams that views read.
pub struct Inputs<'s> {
    /// Vehicle passages: by far the most events, so they have a stream of their own.
    pub passages: Stream<'s, Time, Vec<Passage>>,
    /// All other events.
    pub events: Stream<'s, Time, Vec<Event>>,
    /// The tick, told to every worker at every tick.
    pub ticks: Ticks<'s>,
    /// How far sources are read with a tick's events.
    pub bookmarks: Stream<'s, Time, Vec<Bookmark>>,
}

impl<'s> Inputs<'s> {
    /// What `pick` makes of the events that it knows.
    pub fn pick<D: Clone + 'static>(&self, pick: impl Fn(Event) -> Option<D> + 'static) -> Stream<'s, Time, Vec<D>> {
        self.events.clone().flat_map(pick)
    }
}

/// Where a worker's driver puts its share of each tick.
pub struct Feeds {
    passages: InputHandle<Time, Passage>,
    events: InputHandle<Time, Event>,
    ticks: InputHandle<Time, Tick>,
    bookmarks: InputHandle<Time, Bookmark>,
}

/// New inputs in a scope, and their feeds.
pub fn inputs<'s>(scope: Scope<'s, Time>) -> (Feeds, Inputs<'s>) {
    let (passages_feed, passages) = scope.new_input();
    let (events_feed, events) = scope.new_input();
    let (ticks_feed, ticks) = scope.new_input();
    let (bookmarks_feed, bookmarks) = scope.new_input();
    let feeds = Feeds { passages: passages_feed, events: events_feed, ticks: ticks_feed, bookmarks: bookmarks_feed };
    (feeds, Inputs { passages, events, ticks, bookmarks })
}

impl Feeds {
    /// Feeds this worker's share of a tick and closes the tick: every input advances, silent or not.
    pub fn feed(&mut self, tick: Time, share: Share, mark: Tick) {
        self.passages.advance_to(tick);
        self.events.advance_to(tick);
        self.ticks.advance_to(tick);
        self.bookmarks.advance_to(tick);
        let Share { mut passages, mut events, mut bookmarks } = share;
        self.passages.send_batch(&mut passages);
        self.events.send_batch(&mut events);
        self.ticks.send(mark);
        self.bookmarks.send_batch(&mut bookmarks);
        self.passages.advance_to(tick + 1);
        self.events.advance_to(tick + 1);
        self.ticks.advance_to(tick + 1);
        self.bookmarks.advance_to(tick + 1);
    }
}

/// A tick of a cluster, as its leader announces it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Announced {
    /// The tick.
    pub tick: Time,
    /// How far sources are to be taken as read, where the leader says so.
    pub bookmarks: Vec<Bookmark>,
}

/// Where the leader of a cluster tells which ticks there are.
pub struct Announcer(InputHandle<Time, Vec<Bookmark>>);

impl Announcer {
    /// Tells all workers of the cluster of a tick, later than all before, and how far sources are read.
    pub fn announce(&mut self, tick: Time, bookmarks: Vec<Bookmark>) {
        self.0.advance_to(tick);
        self.0.send(bookmarks);
        self.0.advance_to(tick + 1);
    }
}

/// The ticks of a cluster: `hear` is told each tick that any worker announces, and None when no announcer is left.
pub fn announced(scope: Scope<'_, Time>, mut hear: impl FnMut(Option<Announced>) + 'static) -> Announcer {
    let (announcer, ticks) = scope.new_input();
    ticks.broadcast().inspect_core(move |event| match event {
        Ok((stamp, told)) => hear(Some(Announced { tick: *stamp.expect_singleton(), bookmarks: told.concat() })),
        Err([]) => hear(None),
        Err(_) => {}
    });
    Announcer(announcer)
}

/// A worker's share of a tick's events, and how far sources are read with them.
#[derive(Clone, Debug, Default)]
pub struct Share {
    passages: Vec<Passage>,
    events: Vec<Event>,
    /// Of the tick, whichever worker feeds them.
    pub bookmarks: Vec<Bookmark>,
}

/// Splits a batch into one share for each of `workers`; which worker feeds an event does not matter.
pub fn shares(batch: Batch, workers: usize) -> Vec<Share> {
    let mut shares = vec![Share::default(); workers];
    let Batch {
        passages,
        flows,
        crowds,
        calls,
        units,
        acks,
        signals,
        buses,
        violations,
        cases,
        sites,
        holds,
        gates,
        weather,
        rosters,
    } = batch;
    let others = (flows.into_iter().map(Event::Flow))
        .chain(crowds.into_iter().map(Event::Crowd))
        .chain(calls.into_iter().map(Event::Call))
        .chain(units.into_iter().map(Event::Unit))
        .chain(acks.into_iter().map(Event::Ack))
        .chain(signals.into_iter().map(Event::Signal))
        .chain(buses.into_iter().map(Event::Bus))
        .chain(violations.into_iter().map(Event::Violation))
        .chain(cases.into_iter().map(Event::Case))
        .chain(sites.into_iter().map(Event::Site))
        .chain(holds.into_iter().map(Event::Hold))
        .chain(gates.into_iter().map(Event::Gate))
        .chain(weather.into_iter().map(Event::Weather))
        .chain(rosters.into_iter().map(Event::Roster));
    others.enumerate().for_each(|(n, event)| shares[n % workers].events.push(event));
    if workers == 1 {
        shares[0].passages = passages;
    } else {
        let each = passages.len().div_ceil(workers).max(1);
        passages.chunks(each).zip(&mut shares).for_each(|(chunk, share)| share.passages.extend_from_slice(chunk));
    }
    shares
}
