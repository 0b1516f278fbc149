//! A recording played again after itself: later, and with calls of its own.

use nanming_dataflows::event::Batch;
use nanming_dataflows::ids::CallId;

mod tasks;

/// Calls of one round are so far from those of the next: no ledger and no outside system gives such numbers.
const ROUND: u64 = 1 << 48;

/// Moves the events of a batch by so many ms, and its calls to the numbers of a round.
pub fn shift(batch: &mut Batch, by_ms: u64, round: u64) {
    if round == 0 {
        return;
    }
    let late = |time_ms: &mut u64| *time_ms = time_ms.saturating_add(by_ms);
    let call = |call: &mut CallId| call.0 = call.0.wrapping_add(round.wrapping_mul(ROUND));
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
    passages.iter_mut().for_each(|e| late(&mut e.time_ms));
    flows.iter_mut().for_each(|e| late(&mut e.time_ms));
    crowds.iter_mut().for_each(|e| late(&mut e.time_ms));
    units.iter_mut().for_each(|e| late(&mut e.time_ms));
    signals.iter_mut().for_each(|e| late(&mut e.time_ms));
    buses.iter_mut().for_each(|e| late(&mut e.time_ms));
    violations.iter_mut().for_each(|e| late(&mut e.time_ms));
    cases.iter_mut().for_each(|e| late(&mut e.time_ms));
    sites.iter_mut().for_each(|e| late(&mut e.time_ms));
    gates.iter_mut().for_each(|e| late(&mut e.time_ms));
    weather.iter_mut().for_each(|e| late(&mut e.time_ms));
    for hold in holds {
        late(&mut hold.time_ms);
        late(&mut hold.until_ms);
    }
    for event in rosters {
        late(&mut event.time_ms);
        tasks::shift(&mut event.change, by_ms, |task| task.0 = task.0.wrapping_add(round.wrapping_mul(ROUND)));
    }
    for event in calls {
        late(&mut event.time_ms);
        call(&mut event.call);
    }
    for ack in acks {
        late(&mut ack.time_ms);
        call(&mut ack.assignment.call);
    }
}
