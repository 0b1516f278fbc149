//! For tests of views: give records at ticks, observe what comes out, tick by tick.

use std::cell::RefCell;
use std::ops::RangeInclusive;
use std::rc::Rc;

use timely::dataflow::operators::vec::Input as _;
use timely::dataflow::operators::{Inspect, Probe};
use timely::dataflow::{ProbeHandle, Scope, Stream};

use crate::Time;
use crate::keyed::{Tick, Ticks};

/// The scope of a test, in which records can be given at ticks.
pub(crate) struct Given<'s> {
    scope: Scope<'s, Time>,
    feeds: RefCell<Vec<Box<dyn FnMut(Time)>>>,
}

impl<'s> Given<'s> {
    /// A stream of records, each at its tick.
    pub(crate) fn given<D: Clone + 'static>(&self, records: Vec<(Time, D)>) -> Stream<'s, Time, Vec<D>> {
        let (mut input, stream) = self.scope.new_input::<D>();
        let mut records = records.into_iter().peekable();
        self.feeds.borrow_mut().push(Box::new(move |tick| {
            input.advance_to(tick);
            while let Some((_, record)) = records.next_if(|(at, _)| *at <= tick) {
                input.send(record);
            }
            input.advance_to(tick + 1);
        }));
        stream
    }
}

/// What `view` brings out over the ticks, sorted within each tick.
pub(crate) fn observe<D, V>(ticks: RangeInclusive<Time>, view: V) -> Vec<D>
where
    D: Clone + Ord + Send + 'static,
    V: for<'s> FnOnce(&Given<'s>, Ticks<'s>) -> Stream<'s, Time, Vec<D>> + Send + Sync + 'static,
{
    timely::execute_directly(move |worker| {
        let seen: Rc<RefCell<Vec<D>>> = Rc::default();
        let probe = ProbeHandle::new();
        let mut feeds = worker.dataflow::<Time, _, _>(|scope| {
            let given = Given { scope, feeds: RefCell::default() };
            let clock = given.given(ticks.clone().map(|t| (t, Tick::default())).collect());
            let sink = Rc::clone(&seen);
            view(&given, clock).inspect(move |d: &D| sink.borrow_mut().push(d.clone())).probe_with(&probe);
            given.feeds.into_inner()
        });
        let mut all = Vec::new();
        for tick in ticks {
            feeds.iter_mut().for_each(|feed| feed(tick));
            worker.step_while(|| probe.less_equal(&tick));
            let mut now = seen.take();
            now.sort();
            all.extend(now);
        }
        all
    })
}

/// Numbers below a bound, by chance, the same in every run (xorshift).
pub(crate) fn draws() -> impl FnMut(u64) -> u64 {
    let mut draw = 88_172_645_463_325_252_u64;
    move |below| {
        draw ^= draw << 13;
        draw ^= draw >> 7;
        draw ^= draw << 17;
        draw % below
    }
}
