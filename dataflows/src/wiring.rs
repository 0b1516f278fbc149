//! The graph on one screen: which view reads what.
//!
//! What expires: sightings, presences and silent units by their machines' timers; calls at the desk a day after they were
//! last heard of, incidents after half an hour; congestion is upserted by link, calls closed count `within` an hour.

use std::sync::Arc;

use differential_dataflow::AsCollection;
use timely::dataflow::Stream;
use timely::dataflow::operators::Concat;
use timely::dataflow::operators::vec::{Filter, Map};

use crate::decide::dispatch::desk::{Desk, DeskEvent, DeskNews, DeskSaid};
use crate::decide::dispatch::load::{closed_call, grid_loads, open_call};
use crate::decide::dispatch::{Dispatch, RegionEvent, RegionNews, RegionSaid, UnitPlace};
use crate::decide::forecast::{ForecastEvent, Forecasts, Known};
use crate::decide::onset::{congested_now, congested_soon, onsets};
use crate::decide::signal::{SignalEvent, SignalNews, SignalSaid, Signals};
use crate::decision::{LinkForecast, LinkState};
use crate::event::{CallChange, CallEvent, Category, Event, Passage, UnitReport, UnitStatus};
use crate::ids::{CallId, LinkId, UnitId, VehicleId};
use crate::input::Inputs;
use crate::keyed::{Ticks, Vault, keyed};
use crate::network::City;
use crate::output::Outputs;
use crate::relation::{Upsert, latest, within};
use crate::state::link::{LaneCounts, LinkEvent, LinkSaid, Links, Observation};
use crate::state::sightings::{STOP_LINE_MM, Sightings};
use crate::{Collection, Time};

/// A unit that has not reported for so long is out of service, ms.
const UNIT_SILENT_MS: u64 = 120_000;
/// A collision takes capacity from its link for so long, ms.
const INCIDENT_MS: u64 = 1_800_000;
/// Calls closed are counted over so long, ms.
const CLOSED_MS: u64 = 3_600_000;

type Flow<'s, D> = Stream<'s, Time, Vec<D>>;

/// Wires all views over the inputs. States start from what `vault` restores.
pub fn build<'s>(city: &Arc<City>, inputs: &Inputs<'s>, vault: &Vault) -> Outputs<'s> {
    let ticks = &inputs.ticks;
    let (links, counts) = link_states(city, inputs, vault);
    let signals = signals(city, inputs, counts, vault);
    let forecasts = forecasts(city, inputs, links.clone(), vault);
    let onsets = about_to_congest(city, &links, &forecasts, ticks, vault);
    let units = units_in_service(inputs, vault);
    let desk = desk(city, inputs, vault);
    let regions = regions(city, &desk, &units, &links, ticks, vault);
    let calls = regions.clone().flat_map(|said| if let RegionSaid::Status(s) = said { Some(s) } else { None });
    let open_calls = latest("open_calls", calls.clone().map(|s| open_call(&s)), ticks.clone(), None, vault);
    let closed_calls = within(calls.clone().flat_map(closed_call).as_collection(), CLOSED_MS);
    let available = available_by_grid(city, units);
    let turned_away = desk.flat_map(|said| if let DeskSaid::Rejected(r) = said { Some(r) } else { None });
    let refused = regions.clone().flat_map(|said| if let RegionSaid::Rejected(r) = said { Some(r) } else { None });
    Outputs {
        links,
        commands: signals.clone().flat_map(|said| if let SignalSaid::Command(c) = said { Some(c) } else { None }),
        choices: signals.clone().flat_map(|said| if let SignalSaid::Choice(c) = said { Some(c) } else { None }),
        refusals: signals.flat_map(|said| if let SignalSaid::Refusal(r) = said { Some(r) } else { None }),
        forecasts,
        onsets: onsets.consolidate(),
        grids: grid_loads(open_calls, available, closed_calls),
        assignments: regions.flat_map(|said| if let RegionSaid::Assignment(a) = said { Some(a) } else { None }),
        calls,
        rejected: turned_away.concat(refused),
    }
}

/// Passages, readings and bus fixes folded to the state of each link, and the counts near each stop line.
fn link_states<'s>(
    city: &Arc<City>,
    inputs: &Inputs<'s>,
    vault: &Vault,
) -> (Flow<'s, LinkState>, Flow<'s, LaneCounts>) {
    let by_plate = inputs.passages.clone().filter(|p| p.vehicle != VehicleId(0)).map(|p| (p.vehicle, p));
    let sighted = keyed(by_plate, inputs.ticks.clone(), Sightings::new(Arc::clone(city)), vault);
    let cameras = Arc::clone(city);
    let nameless =
        inputs.passages.clone().filter(|p| p.vehicle == VehicleId(0)).flat_map(move |p| counted(&cameras, &p));
    let cameras = Arc::clone(city);
    let readings = inputs.pick(move |event| reading(&cameras, &event));
    let observed = sighted.concat(nameless).concat(readings);
    let said = keyed(observed, inputs.ticks.clone(), Links::new(Arc::clone(city)), vault);
    let states = said.clone().flat_map(|said| if let LinkSaid::State(s) = said { Some(s) } else { None });
    (states, said.flat_map(|said| if let LinkSaid::Counts(c) = said { Some(c) } else { None }))
}

/// A passage without a plate, to its link.
fn counted(city: &City, passage: &Passage) -> Option<(LinkId, LinkEvent)> {
    let (lane, to_line_mm) = city.cameras[passage.camera.index()].lane?;
    let at_line = to_line_mm <= STOP_LINE_MM;
    let what = Observation::Counted { at_line, vehicles: 1, known: 0, speed_mm_s: passage.speed_mm_s };
    Some((city.lanes[lane.index()].link, LinkEvent { time_ms: passage.time_ms, what }))
}

/// A detector reading or a bus fix, to its link.
fn reading(city: &City, event: &Event) -> Option<(LinkId, LinkEvent)> {
    match event {
        Event::Flow(f) => {
            let (lane, to_line_mm) = city.cameras[f.camera.index()].lane?;
            let at_line = to_line_mm <= STOP_LINE_MM;
            let what = Observation::Detected { at_line, vehicles: f.vehicles, speed_mm_s: f.speed_mm_s };
            Some((city.lanes[lane.index()].link, LinkEvent { time_ms: f.time_ms, what }))
        }
        Event::Bus(b) => Some((b.link, LinkEvent { time_ms: b.time_ms, what: Observation::Bus(b.speed_mm_s) })),
        _ => None,
    }
}

fn signals<'s>(
    city: &Arc<City>,
    inputs: &Inputs<'s>,
    counts: Flow<'s, LaneCounts>,
    vault: &Vault,
) -> Flow<'s, SignalSaid> {
    let signals = Signals::new(Arc::clone(city));
    let listeners = signals.listeners();
    let heard = counts.flat_map(move |counts| {
        let event = SignalEvent { time_ms: counts.time_ms, what: SignalNews::Counts(counts.clone()) };
        let listening = listeners[counts.link.index()].clone();
        listening.into_iter().map(move |junction| (junction, event.clone()))
    });
    let shown = inputs.pick(|event| match event {
        Event::Signal(f) => Some((f.junction, SignalEvent { time_ms: f.time_ms, what: SignalNews::Shows(f.lamps) })),
        _ => None,
    });
    keyed(heard.concat(shown), inputs.ticks.clone(), signals, vault)
}

fn forecasts<'s>(
    city: &Arc<City>,
    inputs: &Inputs<'s>,
    links: Flow<'s, LinkState>,
    vault: &Vault,
) -> Flow<'s, LinkForecast> {
    let forecasts = Forecasts::new(Arc::clone(city));
    let neighbours = forecasts.neighbours();
    let reader = Forecasts::new(Arc::clone(city));
    let states = links.flat_map(move |state| reader.news(&neighbours, &state));
    let streets = Arc::clone(city);
    let collisions =
        inputs.pick(move |event| if let Event::Call(call) = event { collision(&streets, &call) } else { None });
    let incidents = latest("incidents", collisions, inputs.ticks.clone(), Some(INCIDENT_MS), vault);
    let incidents = incidents
        .inner
        .map(|((_, link), time_ms, diff)| (link, ForecastEvent { time_ms, what: Known::Incident(diff as i64) }));
    keyed(states.concat(incidents), inputs.ticks.clone(), forecasts, vault)
}

/// A collision, at the link whose middle is nearest.
fn collision(city: &City, event: &CallEvent) -> Option<(CallId, Upsert<LinkId>)> {
    let value = match event.change {
        CallChange::Opened(f) | CallChange::Updated(f) | CallChange::Restored(f, _)
            if f.category == Category::Collision =>
        {
            let nearest = city.links.iter().min_by_key(|l| (l.shape[l.shape.len() / 2].distance_mm(f.at), l.id));
            Some(nearest?.id)
        }
        CallChange::Cancelled => None,
        _ => return None,
    };
    Some((event.call, Upsert { time_ms: event.time_ms, value }))
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
    let congested = latest("congested", congested, ticks.clone(), None, vault);
    let expected = latest("expected", forecasts.clone().map(|f| congested_soon(&f)), ticks.clone(), None, vault);
    onsets(expected, congested)
}

/// Units in service and where they are: those that have reported lately and are not off duty.
fn units_in_service<'s>(inputs: &Inputs<'s>, vault: &Vault) -> Collection<'s, (UnitId, UnitPlace)> {
    let place = |r: &UnitReport| UnitPlace { at: r.at, available: r.status.is_available() };
    let upsert = move |r: UnitReport| {
        let value = (r.status != UnitStatus::OffDuty).then(|| place(&r));
        (r.unit, Upsert { time_ms: r.time_ms, value })
    };
    let reports = inputs.pick(move |event| if let Event::Unit(report) = event { Some(upsert(report)) } else { None });
    latest("units_in_service", reports, inputs.ticks.clone(), Some(UNIT_SILENT_MS), vault)
}

fn available_by_grid<'s>(
    city: &Arc<City>,
    units: Collection<'s, (UnitId, UnitPlace)>,
) -> Collection<'s, crate::ids::GridId> {
    let city = Arc::clone(city);
    units.filter(|(_, place)| place.available).map(move |(unit, _)| city.units[unit.index()].grid)
}

/// Calls and answers, checked against what is open.
fn desk<'s>(city: &Arc<City>, inputs: &Inputs<'s>, vault: &Vault) -> Flow<'s, DeskSaid> {
    let news = inputs.pick(|event| match event {
        Event::Call(e) => Some((e.call, DeskEvent { time_ms: e.time_ms, what: DeskNews::Call(e) })),
        Event::Ack(e) => Some((e.assignment.call, DeskEvent { time_ms: e.time_ms, what: DeskNews::Ack(e) })),
        _ => None,
    });
    keyed(news, inputs.ticks.clone(), Desk::new(Arc::clone(city)), vault)
}

fn regions<'s>(
    city: &Arc<City>,
    desk: &Flow<'s, DeskSaid>,
    units: &Collection<'s, (UnitId, UnitPlace)>,
    links: &Flow<'s, LinkState>,
    ticks: &Ticks<'s>,
    vault: &Vault,
) -> Flow<'s, RegionSaid> {
    let told = desk
        .clone()
        .flat_map(|said| if let DeskSaid::Tell(region, event) = said { Some((region, event)) } else { None });
    let roster = Arc::clone(city);
    let moved = units.clone().inner.map(move |((unit, place), time_ms, diff)| {
        let what = if diff > 0 { RegionNews::UnitHere(unit, place) } else { RegionNews::UnitGone(unit) };
        (roster.units[unit.index()].region, RegionEvent { time_ms, what })
    });
    let mut all: Vec<_> = city.grids.iter().map(|g| g.region).collect();
    all.sort_unstable();
    all.dedup();
    let travel = links.clone().flat_map(move |s| {
        let event = RegionEvent { time_ms: s.time_ms, what: RegionNews::Travel(s.link, s.travel_ms) };
        all.clone().into_iter().map(move |region| (region, event))
    });
    keyed(told.concat(moved).concat(travel), ticks.clone(), Dispatch::new(Arc::clone(city)), vault)
}
