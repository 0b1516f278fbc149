//! The graph on one screen: which view reads what.
//!
//! What expires: sightings, presences and silent units by their machines' timers; open calls never, and what is remembered
//! of a call a day after it was over; incidents after half an hour, weather after two hours, calls closed after one; congestion
//! is upserted by link.

use std::sync::Arc;

use smallvec::SmallVec;
use timely::dataflow::Stream;
use timely::dataflow::operators::Concat;
use timely::dataflow::operators::vec::{Filter, Map};
use timely::worker::Worker;

use crate::decide::bus_priority::BusPriority;
use crate::decide::claim::Request;
use crate::decide::coordination::{Coordination, CoordinationEvent, CoordinationNews};
use crate::decide::corridor::{AllUnits, CorridorEvent, CorridorNews, CorridorSaid, Corridors, LinkNow};
use crate::decide::cover::{CoverEvent, CoverNews, Covers, Demands, raised};
use crate::decide::crowd::{Crowds, counted as counted_at, surge, surging};
use crate::decide::dispatch::load::{closed_call, grid_loads, open_call};
use crate::decide::dispatch::{Centre, Dispatch, DispatchEvent, DispatchNews, DispatchSaid};
use crate::decide::forecast::{
    ForecastEvent, ForecastRegion, ForecastSaid, Forecasts, Known, Means, Regions, Rows, VenueForecasts, WEATHER_MS,
    WeatherArea, observed, people_now, rain,
};
use crate::decide::onset::{congested_now, congested_soon, onsets};
use crate::decide::roster::{RosterSaid, Rosters, referred, told};
use crate::decide::signal::{SignalEvent, SignalNews, SignalSaid, Signals};
use crate::decision::{CoverState, CrowdState, ForecastRecord, LinkForecast, LinkState, SignalPlan, UnitRoute};
use crate::event::{CallChange, CallEvent, CallFacts, Category, Event, Passage, UnitReport, UnitStatus};
use crate::ids::{CallId, JunctionId, LinkId, UnitId, VehicleId};
use crate::input::{Feeds, Inputs, inputs};
use crate::keyed::{Kind, Ticks, Vault, keyed};
use crate::network::City;
use crate::output::{Gathered, Gathering, Outputs};
use crate::relation::{Relation, Upsert, latest};
use crate::state::link::{LaneCounts, LinkEvent, LinkSaid, Links, Observation};
use crate::state::sightings::{Sightings, at_line};
use crate::state::unit::UnitPlace;
use crate::{Collection, Time};

/// A unit that has not reported for so long is out of service, ms.
pub const UNIT_SILENT_MS: u64 = 120_000;
/// A collision takes capacity from its link for so long, ms.
const INCIDENT_MS: u64 = 1_800_000;
/// Calls closed are counted over so long, ms.
const CLOSED_MS: u64 = 3_600_000;

type Flow<'s, D> = Stream<'s, Time, Vec<D>>;

/// Builds the graph of a city on a worker: where its events go in, and where its decisions are gathered. Machines start with
/// the states of the vault, which lets go of them.
pub fn install(worker: &mut Worker, city: &Arc<City>, vault: &Vault, gathering: Gathering) -> (Feeds, Gathered) {
    let ends = worker.dataflow_named("city", |scope| {
        let (feeds, inputs) = inputs(scope);
        (feeds, Gathered::new(build(city, &inputs, vault), gathering))
    });
    vault.release();
    ends
}

/// Wires all views over the inputs. States start from what `vault` restores.
fn build<'s>(city: &Arc<City>, inputs: &Inputs<'s>, vault: &Vault) -> Outputs<'s> {
    let ticks = &inputs.ticks;
    let LinkViews { states: links, told, counts } = link_states(city, inputs, vault);
    let plans = plans(city, inputs, &told, &counts, vault);
    let crowds = crowds(city, inputs, vault);
    let (forecasts, forecast_records) = forecasts(city, inputs, &links, &crowds, vault);
    let onsets = about_to_congest(city, &links, &forecasts, ticks, vault);
    let venue_forecasts =
        keyed(crowds.clone().map(|c| people_now(&c)), ticks.clone(), VenueForecasts::new(city), vault);
    // For whoever forecasts the links about a venue: how many people there are, and how many will leave when.
    let surges = latest(("surges", Kind::Seen), crowds.clone().map(|c| surging(&c)), ticks.clone(), None, vault);
    let surges = surges.collection().map(surge);
    let units = units_in_service(inputs, vault);
    let dispatched = dispatched(city, inputs, &units, &told, vault);
    let (asked, routes) = corridors(city, inputs, &told, &dispatched, vault);
    let asked = asked.concat(buses(city, inputs, vault));
    let signals = signals(city, inputs, counts, &plans, asked, vault);
    let calls = dispatched.clone().flat_map(|said| if let DispatchSaid::Status(s) = said { Some(s) } else { None });
    let open_calls =
        latest(("open_calls", Kind::Told), calls.clone().map(|s| open_call(&s)), ticks.clone(), None, vault);
    let closed_calls = latest(
        ("closed_calls", Kind::Seen),
        calls.clone().flat_map(closed_call),
        ticks.clone(),
        Some(CLOSED_MS),
        vault,
    );
    let cover = covers(city, inputs, &units, &dispatched, vault);
    let available = available_by_grid(city, units.collection());
    let assignment_statuses =
        dispatched.clone().flat_map(|said| if let DispatchSaid::AssignmentStatus(s) = said { Some(s) } else { None });
    let escalations =
        dispatched.clone().flat_map(|said| if let DispatchSaid::Escalation(e) = said { Some(e) } else { None });
    let merges = dispatched.clone().flat_map(|said| if let DispatchSaid::Merged(m) = said { Some(m) } else { None });
    let rejected =
        dispatched.clone().flat_map(|said| if let DispatchSaid::Rejected(r) = said { Some(r) } else { None });
    let rosters = rosters(city, inputs, &dispatched, vault);
    let not_taken = rosters.clone().flat_map(|said| if let RosterSaid::Rejected(r) = said { Some(r) } else { None });
    Outputs {
        links: told,
        commands: signals.clone().flat_map(|said| if let SignalSaid::Command(c) = said { Some(c) } else { None }),
        choices: signals.clone().flat_map(|said| if let SignalSaid::Choice(c) = said { Some(c) } else { None }),
        plans,
        refusals: signals.clone().flat_map(|said| if let SignalSaid::Refusal(r) = said { Some(r) } else { None }),
        long_reds: signals.clone().flat_map(|said| if let SignalSaid::LongRed(r) = said { Some(r) } else { None }),
        unserved: signals.flat_map(|said| if let SignalSaid::Unserved(u) = said { Some(u) } else { None }),
        routes,
        forecasts,
        forecast_records,
        onsets: onsets.consolidate(),
        crowds,
        venue_forecasts,
        surges: surges.consolidate(),
        grids: grid_loads(open_calls.collection(), available, closed_calls.collection()),
        assignments: dispatched.flat_map(|said| if let DispatchSaid::Assignment(a) = said { Some(a) } else { None }),
        calls,
        assignment_statuses,
        escalations,
        merges,
        cover,
        rosters: rosters.flat_map(|said| if let RosterSaid::Word(w) = said { Some(w) } else { None }),
        rejected: rejected.concat(not_taken),
        bookmarks: inputs.bookmarks.clone(),
    }
}

/// Tasks and duties of persons who are no patrol units; among their tasks are calls that are no patrol's matter.
fn rosters<'s>(
    city: &Arc<City>,
    inputs: &Inputs<'s>,
    dispatched: &Flow<'s, DispatchSaid>,
    vault: &Vault,
) -> Flow<'s, RosterSaid> {
    let of = Arc::clone(city);
    let news = inputs.pick(move |event| told(&of, &event));
    let of = Arc::clone(city);
    let calls = dispatched
        .clone()
        .flat_map(move |said| if let DispatchSaid::Referral(r) = said { referred(&of, &r) } else { None });
    keyed(news.concat(calls), inputs.ticks.clone(), Rosters::new(Arc::clone(city)), vault)
}

/// What is told of links. After a restart they say again what they said last, to whoever remembers nothing of it.
struct LinkViews<'s> {
    states: Flow<'s, LinkState>,
    /// The same, with what was said before a restart.
    told: Flow<'s, LinkState>,
    counts: Flow<'s, Arc<LaneCounts>>,
}

/// Passages, readings and bus fixes folded to the state of each link, and the counts near each stop line.
fn link_states<'s>(city: &Arc<City>, inputs: &Inputs<'s>, vault: &Vault) -> LinkViews<'s> {
    let by_plate = inputs.passages.clone().filter(|p| p.vehicle != VehicleId(0)).map(|p| (p.vehicle, p));
    let sighted = keyed(by_plate, inputs.ticks.clone(), Sightings::new(Arc::clone(city)), vault);
    let lines: Arc<[bool]> = at_line(city).into();
    let (cameras, at_line) = (Arc::clone(city), Arc::clone(&lines));
    let nameless = inputs.passages.clone().filter(|p| p.vehicle == VehicleId(0));
    let nameless = nameless.flat_map(move |p| counted(&cameras, &at_line, &p));
    let cameras = Arc::clone(city);
    let readings = inputs.pick(move |event| reading(&cameras, &lines, &event));
    let observed = sighted.concat(nameless).concat(readings);
    let said = keyed(observed, inputs.ticks.clone(), Links::new(Arc::clone(city)), vault);
    let states = said.clone().flat_map(|said| if let LinkSaid::State(s) = said { Some(s) } else { None });
    let counts = said.clone().flat_map(|said| if let LinkSaid::Counts(c) = said { Some(c) } else { None });
    if vault.is_whole() {
        return LinkViews { told: states.clone(), states, counts };
    }
    let again = said.clone().flat_map(|said| if let LinkSaid::StateAgain(s) = said { Some(s) } else { None });
    let counts_again = said.flat_map(|said| if let LinkSaid::CountsAgain(c) = said { Some(c) } else { None });
    LinkViews { told: states.clone().concat(again), states, counts: counts.concat(counts_again) }
}

/// A passage without a plate, to its link.
fn counted(city: &City, at_line: &[bool], passage: &Passage) -> Option<(LinkId, LinkEvent)> {
    let (lane, _) = city.cameras[passage.camera.index()].lane?;
    let at_line = at_line[passage.camera.index()];
    let what = Observation::Counted { at_line, vehicles: 1, known: 0, speed_mm_s: passage.speed_mm_s };
    Some((city.lanes[lane.index()].link, LinkEvent { time_ms: passage.time_ms, what }))
}

/// A detector reading or a bus fix, to its link.
fn reading(city: &City, at_line: &[bool], event: &Event) -> Option<(LinkId, LinkEvent)> {
    match event {
        Event::Flow(f) => {
            let (lane, _) = city.cameras[f.camera.index()].lane?;
            let at_line = at_line[f.camera.index()];
            let (vehicles, interval_ms, speed_mm_s) = (f.vehicles, f.interval_ms, f.speed_mm_s);
            let what = Observation::Detected { at_line, vehicles, interval_ms, speed_mm_s };
            Some((city.lanes[lane.index()].link, LinkEvent { time_ms: f.time_ms, what }))
        }
        Event::Bus(b) => Some((b.link, LinkEvent { time_ms: b.time_ms, what: Observation::Bus(b.speed_mm_s) })),
        _ => None,
    }
}

/// Plans for junctions in plan mode, from who comes and who waits at their lights.
fn plans<'s>(
    city: &Arc<City>,
    inputs: &Inputs<'s>,
    links: &Flow<'s, LinkState>,
    counts: &Flow<'s, Arc<LaneCounts>>,
    vault: &Vault,
) -> Flow<'s, SignalPlan> {
    let coordination = Coordination::new(Arc::clone(city));
    let listeners = Arc::new(coordination.listeners());
    let news = |time_ms, what| CoordinationEvent { time_ms, what };
    let listening = Arc::clone(&listeners);
    let flows = links.clone().flat_map(move |state| {
        let group = listening.of_link(state.link)?;
        Some((group, news(state.time_ms, CoordinationNews::Flow(state.link, state.flow_veh_h))))
    });
    if listeners.is_empty() {
        // No need to look at every passage.
        return keyed(flows, inputs.ticks.clone(), coordination, vault);
    }
    let listening = Arc::clone(&listeners);
    let near = counts.clone().flat_map(move |counts| {
        let group = listening.of_link(counts.link)?;
        Some((group, news(counts.time_ms, CoordinationNews::Near(counts))))
    });
    let listening = Arc::clone(&listeners);
    let left = inputs.passages.clone().flat_map(move |passage| {
        let (group, lane) = listening.of_camera(passage.camera.index())?;
        Some((group, news(passage.time_ms, CoordinationNews::Left(lane, 1))))
    });
    let detected = inputs.pick(move |event| match event {
        Event::Flow(f) => {
            let (group, lane) = listeners.of_camera(f.camera.index())?;
            Some((group, news(f.time_ms, CoordinationNews::Left(lane, f.vehicles))))
        }
        _ => None,
    });
    keyed(flows.concat(near).concat(left).concat(detected), inputs.ticks.clone(), coordination, vault)
}

fn signals<'s>(
    city: &Arc<City>,
    inputs: &Inputs<'s>,
    counts: Flow<'s, Arc<LaneCounts>>,
    plans: &Flow<'s, SignalPlan>,
    asked: Flow<'s, Request>,
    vault: &Vault,
) -> Flow<'s, SignalSaid> {
    let signals = Signals::new(Arc::clone(city));
    let listeners = signals.listeners();
    let heard = counts.flat_map(move |counts| {
        let (time_ms, link) = (counts.time_ms, counts.link);
        let event = SignalEvent { time_ms, what: SignalNews::Counts(counts) };
        let tell = |junction: &JunctionId| (*junction, event.clone());
        listeners[link.index()].iter().map(tell).collect::<SmallVec<[_; 3]>>()
    });
    let told = inputs.pick(|event| match event {
        Event::Signal(f) => {
            let what = SignalNews::Shows(f.mode, f.lamps);
            Some((f.junction, SignalEvent { time_ms: f.time_ms, what }))
        }
        Event::Hold(h) => {
            let what = SignalNews::Held(h.stage, h.until_ms);
            Some((h.junction, SignalEvent { time_ms: h.time_ms, what }))
        }
        _ => None,
    });
    let planned =
        plans.clone().map(|plan| (plan.junction, SignalEvent { time_ms: plan.time_ms, what: SignalNews::Plan(plan) }));
    let asked = asked.map(|r| (r.junction, SignalEvent { time_ms: r.time_ms, what: SignalNews::Asked(r.asked) }));
    keyed(heard.concat(told).concat(planned).concat(asked), inputs.ticks.clone(), signals, vault)
}

/// What units that drive with lights ask of junctions, and the ways that they are expected to drive.
fn corridors<'s>(
    city: &Arc<City>,
    inputs: &Inputs<'s>,
    links: &Flow<'s, LinkState>,
    dispatched: &Flow<'s, DispatchSaid>,
    vault: &Vault,
) -> (Flow<'s, Request>, Flow<'s, UnitRoute>) {
    let is_on = city.signal_priority.corridor.is_some();
    let news = move |time_ms, what| is_on.then_some((AllUnits, CorridorEvent { time_ms, what }));
    let streets = Arc::clone(city);
    let traffic =
        links.clone().flat_map(move |s| news(s.time_ms, CorridorNews::Link(s.link, LinkNow::of(&streets, &s))));
    let places = inputs.pick(move |event| match event {
        Event::Unit(r) => news(r.time_ms, CorridorNews::Here(r.unit, r.at, r.status == UnitStatus::OnScene)),
        _ => None,
    });
    let errands = dispatched.clone().flat_map(move |said| match said {
        DispatchSaid::Errand(e) => news(e.time_ms, CorridorNews::Errand(e.unit, e.to)),
        _ => None,
    });
    let heard = traffic.concat(places).concat(errands);
    let said = keyed(heard, inputs.ticks.clone(), Corridors::new(city), vault);
    let asked = said.clone().flat_map(|said| if let CorridorSaid::Request(r) = said { Some(r) } else { None });
    (asked, said.flat_map(|said| if let CorridorSaid::Route(r) = said { Some(r) } else { None }))
}

/// What late buses ask of junctions.
fn buses<'s>(city: &Arc<City>, inputs: &Inputs<'s>, vault: &Vault) -> Flow<'s, Request> {
    let is_on = city.signal_priority.bus_ms > 0;
    let fixes = inputs.pick(move |event| match event {
        Event::Bus(fix) if is_on => Some((fix.line, fix)),
        _ => None,
    });
    keyed(fixes, inputs.ticks.clone(), BusPriority::new(Arc::clone(city)), vault)
}

/// Links' states folded to five minutes, and forecast with what calls, crowds and weather stations tell of them.
fn forecasts<'s>(
    city: &Arc<City>,
    inputs: &Inputs<'s>,
    links: &Flow<'s, LinkState>,
    crowds: &Flow<'s, CrowdState>,
    vault: &Vault,
) -> (Flow<'s, LinkForecast>, Flow<'s, ForecastRecord>) {
    let regions = Arc::new(Regions::new(city));
    let streets = Arc::clone(city);
    let seen = links.clone().flat_map(move |state| observed(&streets, &state));
    let means = keyed(seen, inputs.ticks.clone(), Means::new(Arc::clone(&regions)), vault);
    let of = Arc::clone(&regions);
    let means =
        means.map(move |mean| (of.of(mean.link), ForecastEvent { time_ms: mean.from_ms, what: Known::Mean(mean) }));
    let streets = Arc::clone(city);
    let collisions =
        inputs.pick(move |event| if let Event::Call(call) = event { collision(&streets, &call) } else { None });
    let incidents = latest(("incidents", Kind::Seen), collisions, inputs.ticks.clone(), Some(INCIDENT_MS), vault);
    let of = Arc::clone(&regions);
    let incidents = incidents.changes().map(move |((_, link), time_ms, diff)| {
        (of.of(link), ForecastEvent { time_ms, what: Known::Incident(link, diff as i64) })
    });
    let reports = inputs.pick(move |event| if let Event::Weather(report) = event { Some(rain(&report)) } else { None });
    let weather = rain_at(&regions, reports, inputs.ticks.clone(), WEATHER_MS, vault);
    let (streets, of) = (Arc::clone(city), Arc::clone(&regions));
    let leaving = crowds.clone().flat_map(move |crowd| of.crowd(&streets, &crowd));
    let heard = means.concat(incidents).concat(leaving).concat(weather);
    let rows = keyed(heard, inputs.ticks.clone(), Rows::new(Arc::clone(&regions)), vault);
    let said = keyed(rows, inputs.ticks.clone(), Forecasts::new(Arc::clone(city), regions), vault);
    let made = said.clone().flat_map(|said| if let ForecastSaid::Link(f) = said { Some(f) } else { None });
    (made, said.flat_map(|said| if let ForecastSaid::Record(r) = said { Some(r) } else { None }))
}

/// What regions are told of rain: each report until the next, and for `hold_ms` at most.
fn rain_at<'s>(
    regions: &Arc<Regions>,
    reports: Flow<'s, (WeatherArea, Upsert<u32>)>,
    ticks: Ticks<'s>,
    hold_ms: Time,
    vault: &Vault,
) -> Flow<'s, (ForecastRegion, ForecastEvent)> {
    let of = Arc::clone(regions);
    let held = latest(("weather", Kind::Seen), reports, ticks, Some(hold_ms), vault);
    held.changes().flat_map(move |((area, rain_mm_h_milli), time_ms, diff)| {
        let said = Known::Rain { of_district: area.0.is_some(), rain_mm_h_milli, holds: diff > 0 };
        of.rain(area, said, time_ms)
    })
}

/// What a call says of collisions: one at the link whose middle is nearest, or none any more. Of what is said at the same
/// time, what can only come later holds.
fn collision(city: &City, event: &CallEvent) -> Option<(CallId, Upsert<LinkId>)> {
    let nearest =
        |at| city.links.iter().min_by_key(|l| (l.shape[l.shape.len() / 2].distance_mm(at), l.id)).map(|l| l.id);
    let place = |f: CallFacts| if f.category == Category::Collision { nearest(f.at) } else { None };
    let (seq, value) = match event.change {
        CallChange::Opened(f) | CallChange::Restored(f, _) | CallChange::Joined(f, _) => (0, place(f)),
        CallChange::Updated(f) | CallChange::Split(f) => (1, place(f)),
        CallChange::Cancelled => (2, None),
        CallChange::Serving(_)
        | CallChange::Declined(_)
        | CallChange::Done(_)
        | CallChange::Attempts(_)
        | CallChange::Ordered(_) => return None,
        CallChange::Withdrawn => return None,
    };
    Some((event.call, Upsert { time_ms: event.time_ms, seq, value }))
}

fn about_to_congest<'s>(
    city: &Arc<City>,
    links: &Flow<'s, LinkState>,
    forecasts: &Flow<'s, LinkForecast>,
    ticks: &Ticks<'s>,
    vault: &Vault,
) -> Collection<'s, crate::decision::Onset> {
    let free = Arc::clone(city);
    let congested = links.clone().map(move |state| congested_now(&free, &state));
    let congested = latest(("congested", Kind::Seen), congested, ticks.clone(), None, vault);
    let expected =
        latest(("expected", Kind::Seen), forecasts.clone().map(|f| congested_soon(&f)), ticks.clone(), None, vault);
    onsets(expected.collection(), congested.collection())
}

/// People at venues, as cameras and gates count them.
fn crowds<'s>(city: &Arc<City>, inputs: &Inputs<'s>, vault: &Vault) -> Flow<'s, CrowdState> {
    let venues = Arc::clone(city);
    let counts = inputs.pick(move |event| counted_at(&venues, &event));
    keyed(counts, inputs.ticks.clone(), Crowds::new(Arc::clone(city)), vault)
}

/// Units in service and where they are: those that have reported lately and are not off duty.
fn units_in_service<'s>(inputs: &Inputs<'s>, vault: &Vault) -> Relation<'s, (UnitId, UnitPlace)> {
    let place = |r: &UnitReport| UnitPlace { at: r.at, available: r.status.is_available() };
    let upsert = move |r: UnitReport| {
        let value = (r.status != UnitStatus::OffDuty).then(|| place(&r));
        (r.unit, Upsert::new(r.time_ms, value))
    };
    let reports = inputs.pick(move |event| if let Event::Unit(report) = event { Some(upsert(report)) } else { None });
    latest(("units_in_service", Kind::Seen), reports, inputs.ticks.clone(), Some(UNIT_SILENT_MS), vault)
}

fn available_by_grid<'s>(
    city: &Arc<City>,
    units: Collection<'s, (UnitId, UnitPlace)>,
) -> Collection<'s, crate::ids::GridId> {
    let city = Arc::clone(city);
    units.filter(|(_, place)| place.available).map(move |(unit, _)| city.units[unit.index()].grid)
}

/// Calls, answers and units, as dispatch hears them, and what it decides.
fn dispatched<'s>(
    city: &Arc<City>,
    inputs: &Inputs<'s>,
    units: &Relation<'s, (UnitId, UnitPlace)>,
    links: &Flow<'s, LinkState>,
    vault: &Vault,
) -> Flow<'s, DispatchSaid> {
    let news = |time_ms, what| (Centre, DispatchEvent { time_ms, what });
    let told = inputs.pick(move |event| match event {
        Event::Call(e) => Some(news(e.time_ms, DispatchNews::Call(e.call, e.change))),
        Event::Ack(e) => Some(news(e.time_ms, DispatchNews::Answered(e))),
        Event::Unit(r) => Some(news(r.time_ms, DispatchNews::OnTask(r.unit, r.status.is_on_task()))),
        _ => None,
    });
    let moved = units.clone().told(vault).map(move |((unit, place), time_ms, diff)| {
        news(time_ms, if diff > 0 { DispatchNews::UnitHere(unit, place) } else { DispatchNews::UnitGone(unit) })
    });
    let travel = links.clone().map(move |s| news(s.time_ms, DispatchNews::Travel(s.link, s.travel_ms)));
    keyed(told.concat(moved).concat(travel), inputs.ticks.clone(), Dispatch::new(city), vault)
}

/// How well units at hand cover the calls that are expected, and who had better wait elsewhere.
fn covers<'s>(
    city: &Arc<City>,
    inputs: &Inputs<'s>,
    units: &Relation<'s, (UnitId, UnitPlace)>,
    dispatched: &Flow<'s, DispatchSaid>,
    vault: &Vault,
) -> Flow<'s, CoverState> {
    let of = Arc::clone(city);
    let calls = inputs.pick(move |event| if let Event::Call(call) = event { raised(&of, &call) } else { None });
    let expected = keyed(calls, inputs.ticks.clone(), Demands::new(city), vault);
    let expected = expected.map(|e| (e.region, CoverEvent { time_ms: e.time_ms, what: CoverNews::Demand(e.demand) }));
    let of = Arc::clone(city);
    let news = move |unit: UnitId, time_ms, what| (of.units[unit.index()].region, CoverEvent { time_ms, what });
    let place = news.clone();
    let moved = units.clone().told(vault).map(move |((unit, at), time_ms, diff)| {
        place(unit, time_ms, if diff > 0 { CoverNews::UnitHere(unit, at) } else { CoverNews::UnitGone(unit) })
    });
    let engaged = dispatched.clone().flat_map(move |said| match said {
        DispatchSaid::AssignmentStatus(s) => Some(news(s.unit, s.time_ms, CoverNews::of(&s))),
        _ => None,
    });
    keyed(moved.concat(engaged).concat(expected), inputs.ticks.clone(), Covers::new(Arc::clone(city)), vault)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::dispatch::tests::streets;
    use crate::event::{Needs, Priority, WeatherReport};
    use crate::ids::{DistrictId, GridId};
    use crate::network::{District, Point};
    use crate::observe::observe;

    #[test]
    fn rain_reaches_every_region_of_its_district_until_the_next_report_or_for_a_while() {
        let place = |x_mm| Point { x_mm, y_mm: 0 };
        let mut city = streets(&[place(0), place(500_000), place(1_000_000)]);
        city.districts =
            (0..2).map(|row| District { id: DistrictId(row), name: String::new(), name_en: String::new() }).collect();
        city.links.iter_mut().skip(2).for_each(|link| link.district = DistrictId(1));
        let regions = Arc::new(Regions::new(&city));
        let report = |time_ms, district, rain_mm_h_milli| {
            (time_ms, rain(&WeatherReport { time_ms, district, rain_mm_h_milli, visibility_m: None }))
        };
        let reports = vec![
            report(10, None, 2_000),
            report(20, Some(DistrictId(1)), 9_000),
            report(30, None, 3_000),
            report(40, None, 3_000),
        ];
        let told = observe(1..=200, move |scope, ticks| {
            rain_at(&regions, scope.given(reports), ticks, 100, &Vault::default())
        });
        let mut told: Vec<_> = told.into_iter().map(|(region, event)| (event.time_ms, region.0, event.what)).collect();
        told.sort_unstable();
        let told: Vec<(u64, u32, bool, u32, bool)> = told
            .into_iter()
            .map(|(time_ms, region, what)| match what {
                Known::Rain { of_district, rain_mm_h_milli, holds } => {
                    (time_ms, region, of_district, rain_mm_h_milli, holds)
                }
                other => panic!("{other:?}"),
            })
            .collect();
        let expected = [
            (10, 0, false, 2_000, true),
            (10, 1, false, 2_000, true),
            (20, 1, true, 9_000, true),
            (30, 0, false, 2_000, false),
            (30, 0, false, 3_000, true),
            (30, 1, false, 2_000, false),
            (30, 1, false, 3_000, true),
            (120, 1, true, 9_000, false),
            (140, 0, false, 3_000, false),
            (140, 1, false, 3_000, false),
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn a_call_that_is_no_collision_any_more_takes_its_incident_back() {
        let place = |x_mm| Point { x_mm, y_mm: 0 };
        let city = streets(&[place(0), place(500_000), place(1_000_000)]);
        let said = |change| collision(&city, &CallEvent { time_ms: 7, call: CallId(1), change });
        let facts = |category| CallFacts {
            priority: Priority::A,
            category,
            at: place(900_000),
            grid: GridId(0),
            needs: Needs::ONE,
        };
        let told = |seq, value| Some((CallId(1), Upsert { time_ms: 7, seq, value }));
        let link = said(CallChange::Opened(facts(Category::Collision))).and_then(|(_, upsert)| upsert.value);
        assert!(link.is_some());
        assert_eq!(said(CallChange::Opened(facts(Category::Help))), told(0, None));
        assert_eq!(said(CallChange::Updated(facts(Category::Collision))), told(1, link));
        assert_eq!(said(CallChange::Updated(facts(Category::Help))), told(1, None));
        assert_eq!(said(CallChange::Cancelled), told(2, None));
    }
}
