//! Every route but those of cameras and travellers, once: the router is made of this table, and a test holds openapi.json against both.

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::routing::{MethodRouter, get, post};

use super::{Surface, access, board, calls, city, events, ingest, page, sockets, status, wechat};

/// Largest body that says something about a call, bytes.
const CALL_BYTES: usize = 64 << 10;

/// Paths with their methods.
pub(super) fn routes() -> Vec<(&'static str, MethodRouter<Arc<Surface>>)> {
    let small = || DefaultBodyLimit::max(CALL_BYTES);
    vec![
        ("/", get(page::page)),
        ("/terminal", get(page::page)),
        ("/healthz", get(status::healthz)),
        ("/login", post(access::login::login).layer(small())),
        ("/logout", post(access::login::logout).layer(small())),
        ("/metrics", get(status::metrics)),
        ("/openapi.json", get(status::openapi)),
        ("/calls", post(calls::post).layer(small())),
        ("/calls/{id}/explain", get(calls::explain).layer(small())),
        ("/calls/{id}/eido", get(calls::eido).layer(small())),
        ("/calls/{id}/split", post(calls::split).layer(small())),
        ("/calls/{id}/units", post(calls::order).layer(small())),
        ("/calls/{id}", get(calls::get).patch(calls::patch).delete(calls::delete).layer(small())),
        ("/api/ingest", post(ingest::post)),
        ("/wechat", get(wechat::get).post(wechat::post).layer(small())),
        ("/api/city", get(city::city)),
        ("/api/links.geojson", get(city::links)),
        ("/api/junctions.geojson", get(city::junctions)),
        ("/api/grids.geojson", get(city::grids)),
        ("/api/venues.geojson", get(city::venues)),
        ("/api/links/{id}", get(board::link)),
        ("/api/junctions/{id}", get(board::junction)),
        ("/api/forecast", get(board::forecast)),
        ("/api/cover", get(board::cover)),
        ("/api/events", get(events::events)),
        ("/ws/terminal", get(sockets::terminal)),
        ("/ws/desk", get(sockets::desk)),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    #[test]
    fn the_description_names_every_path_and_no_other() {
        let description: serde_json::Value = serde_json::from_str(super::status::OPENAPI).unwrap();
        assert_eq!(description["openapi"], "3.1.0");
        let described: BTreeSet<&str> = description["paths"].as_object().unwrap().keys().map(String::as_str).collect();
        let sensors = super::super::viid::routes().into_iter().map(|(path, _)| path);
        let travel = super::super::travel::PATHS.into_iter().map(|(path, _)| path);
        let rosters = super::super::rosters::routes().into_iter().map(|(path, _)| path);
        let own = super::routes().into_iter().map(|(path, _)| path).chain(rosters);
        let served: BTreeSet<&str> = own.chain(sensors).chain(travel).collect();
        assert_eq!(described, served);
    }
}
