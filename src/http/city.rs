//! What is fixed about the city: for the map.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use nanming_dataflows::decide::forecast::LEADS_MIN;
use nanming_dataflows::network::City;
use serde_json::{Value, json};

use super::packed::Once;
use super::{Surface, geojson};

const GEOJSON: &str = "application/geo+json";

/// The documents, each made when it is first asked for.
#[derive(Default)]
pub(crate) struct Maps {
    city: Once,
    links: Once,
    junctions: Once,
    grids: Once,
    venues: Once,
}

/// `GET /api/city`.
pub(super) async fn city(State(surface): State<Arc<Surface>>, asked: HeaderMap) -> Response {
    answer(&surface, &surface.maps.city, &asked, "application/json", summary)
}

/// `GET /api/links.geojson`.
pub(super) async fn links(State(surface): State<Arc<Surface>>, asked: HeaderMap) -> Response {
    answer(&surface, &surface.maps.links, &asked, GEOJSON, geojson::links)
}

/// `GET /api/junctions.geojson`.
pub(super) async fn junctions(State(surface): State<Arc<Surface>>, asked: HeaderMap) -> Response {
    answer(&surface, &surface.maps.junctions, &asked, GEOJSON, geojson::junctions)
}

/// `GET /api/grids.geojson`.
pub(super) async fn grids(State(surface): State<Arc<Surface>>, asked: HeaderMap) -> Response {
    answer(&surface, &surface.maps.grids, &asked, GEOJSON, geojson::grids)
}

/// `GET /api/venues.geojson`.
pub(super) async fn venues(State(surface): State<Arc<Surface>>, asked: HeaderMap) -> Response {
    answer(&surface, &surface.maps.venues, &asked, GEOJSON, geojson::venues)
}

fn answer(surface: &Surface, once: &Once, asked: &HeaderMap, mime: &'static str, make: fn(&City) -> Value) -> Response {
    once.answer(asked, mime, || make(&surface.app.city).to_string().into_bytes())
}

fn summary(city: &City) -> Value {
    let districts = city.districts.iter().map(|d| json!({"id": d.id, "name": d.name, "name_en": d.name_en}));
    let units = city.units.iter().map(|u| json!({"id": u.id, "name": u.name, "grid": u.grid}));
    json!({
        "name": city.name, "bounds": bounds(city), "utc_offset_min": city.utc_offset_min,
        "counts": {
            "junctions": city.junctions.len(), "links": city.links.len(), "cameras": city.cameras.len(),
            "grids": city.grids.len(), "units": city.units.len(), "sites": city.sites.len(),
            "supervisors": city.supervisors.len(), "bus_lines": city.bus_lines.len(), "venues": city.venues.len(),
        },
        "districts": districts.collect::<Vec<_>>(), "lead_min": LEADS_MIN, "units": units.collect::<Vec<_>>(),
    })
}

/// West, south, east, north of all nodes.
fn bounds(city: &City) -> [f64; 4] {
    let mut bounds = [180.0_f64, 90.0, -180.0, -90.0];
    for node in &city.nodes {
        let [lon, lat] = geojson::degrees(city, node.at);
        bounds = [bounds[0].min(lon), bounds[1].min(lat), bounds[2].max(lon), bounds[3].max(lat)];
    }
    bounds
}
