//! Which roles may use which route: every route with its methods, once. A route that is not here is nobody's where there are
//! roles (`access.key`), and a test holds this table against openapi.json.

use axum::http::Method;

use crate::roles::Role::{self, *};

/// How a role is proved on a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// By a token or key in the head of the request.
    Head,
    /// By what the route itself asks for: the digest of a camera, the signature of WeChat, the first frame of a terminal.
    Own,
}

/// Who may use a method of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Such as `GET`.
    pub method: &'static str,
    /// As the router and openapi.json write it.
    pub path: &'static str,
    /// Whoever has one of these. Everybody is a citizen.
    pub roles: &'static [Role],
    /// How.
    pub proof: Proof,
}

const EVERYBODY: &[Role] = &[Citizen];
const KNOWN: &[Role] = &[TrafficOperator, Dispatcher, Unit, CallerChannel, CameraPlatform, Auditor, Staff, Monitor];
const MEASURES: &[Role] = &[TrafficOperator, Auditor, Monitor];
/// What the operators' page shows of the streets; rosters show the city's clock.
const BOARD: &[Role] = &[TrafficOperator, Dispatcher, Auditor];
const CITY: &[Role] = &[TrafficOperator, Dispatcher, Auditor, Staff];
const ALARM: &[Role] = &[CallerChannel, Dispatcher];
const CALL: &[Role] = &[Dispatcher, Auditor];
const DISPATCH: &[Role] = &[Dispatcher];
/// Which lines each of them may send is in [`super::lines`].
const LINES: &[Role] = &[CallerChannel, CameraPlatform, TrafficOperator, Dispatcher];
const CHANNEL: &[Role] = &[CallerChannel];
const CAMERA: &[Role] = &[CameraPlatform];
const TERMINAL: &[Role] = &[Unit];
const ROSTER: &[Role] = &[Staff];

const fn of(method: &'static str, path: &'static str, roles: &'static [Role]) -> Rule {
    Rule { method, path, roles, proof: Proof::Head }
}

const fn own(method: &'static str, path: &'static str, roles: &'static [Role]) -> Rule {
    Rule { method, path, roles, proof: Proof::Own }
}

/// The table.
pub const RULES: &[Rule] = &[
    of("GET", "/", EVERYBODY),
    of("GET", "/terminal", EVERYBODY),
    of("GET", "/roster", EVERYBODY),
    of("GET", "/travel", EVERYBODY),
    of("GET", "/healthz", EVERYBODY),
    of("POST", "/login", EVERYBODY),
    of("POST", "/logout", EVERYBODY),
    of("GET", "/metrics", MEASURES),
    of("GET", "/openapi.json", KNOWN),
    of("POST", "/calls", ALARM),
    of("GET", "/calls/{id}", CALL),
    of("PATCH", "/calls/{id}", DISPATCH),
    of("DELETE", "/calls/{id}", DISPATCH),
    of("GET", "/calls/{id}/explain", CALL),
    of("GET", "/calls/{id}/eido", CALL),
    of("POST", "/calls/{id}/split", DISPATCH),
    of("POST", "/calls/{id}/units", DISPATCH),
    of("POST", "/api/ingest", LINES),
    own("GET", "/wechat", CHANNEL),
    own("POST", "/wechat", CHANNEL),
    own("POST", "/VIID/System/Register", CAMERA),
    own("POST", "/VIID/System/UnRegister", CAMERA),
    own("POST", "/VIID/System/Keepalive", CAMERA),
    // What time it is: cameras ask before they register.
    of("GET", "/VIID/System/Time", EVERYBODY),
    own("POST", "/VIID/MotorVehicles", CAMERA),
    // Refused whoever asks.
    of("POST", "/VIID/Faces", EVERYBODY),
    of("POST", "/VIID/Persons", EVERYBODY),
    of("GET", "/api/city", CITY),
    of("GET", "/api/links.geojson", BOARD),
    of("GET", "/api/junctions.geojson", BOARD),
    of("GET", "/api/grids.geojson", BOARD),
    of("GET", "/api/venues.geojson", BOARD),
    of("GET", "/api/links/{id}", BOARD),
    of("GET", "/api/junctions/{id}", BOARD),
    of("GET", "/api/forecast", BOARD),
    of("GET", "/api/cover", BOARD),
    of("GET", "/api/events", BOARD),
    own("GET", "/ws/terminal", TERMINAL),
    of("GET", "/ws/desk", CALL),
    of("GET", "/api/rosters", ROSTER),
    of("GET", "/api/rosters/{roster}", ROSTER),
    of("GET", "/api/rosters/{roster}/tasks", ROSTER),
    of("POST", "/api/rosters/{roster}/tasks", ROSTER),
    of("GET", "/api/rosters/{roster}/tasks/{task}", ROSTER),
    of("DELETE", "/api/rosters/{roster}/tasks/{task}", ROSTER),
    of("GET", "/api/rosters/{roster}/tasks/{task}/history", ROSTER),
    of("POST", "/api/rosters/{roster}/tasks/{task}/answer", ROSTER),
    of("GET", "/api/rosters/{roster}/persons/{person}", ROSTER),
    of("POST", "/api/rosters/{roster}/persons/{person}/absence", ROSTER),
    of("POST", "/api/rosters/{roster}/persons/{person}/handover", ROSTER),
    of("POST", "/api/rosters/{roster}/persons/{person}/place", ROSTER),
    of("GET", "/api/travel/city", EVERYBODY),
    of("GET", "/api/travel/roads", EVERYBODY),
    of("GET", "/api/travel/roads/{name}", EVERYBODY),
    of("GET", "/api/travel/congestion.geojson", EVERYBODY),
    of("GET", "/api/travel/levels", EVERYBODY),
    of("GET", "/api/travel/time", EVERYBODY),
    of("GET", "/api/travel/incidents", EVERYBODY),
    of("GET", "/api/travel/alerts.atom", EVERYBODY),
    of("GET", "/api/travel/alerts/{id}", EVERYBODY),
];

/// The rule of a request; none: nobody may.
pub(super) fn rule(method: &Method, path: &str) -> Option<&'static Rule> {
    let method = if method == Method::HEAD { Method::GET.as_str() } else { method.as_str() };
    RULES.iter().find(|rule| rule.method == method && rule.path == path)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_table_has_every_operation_once_and_no_other() {
        let description: serde_json::Value = serde_json::from_str(super::super::status::OPENAPI).unwrap();
        let mut described = BTreeSet::new();
        for (path, methods) in description["paths"].as_object().unwrap() {
            let methods = methods.as_object().unwrap().keys().filter(|method| *method != "parameters");
            described.extend(methods.map(|method| (method.to_uppercase(), path.clone())));
        }
        let ruled: BTreeSet<_> = RULES.iter().map(|rule| (rule.method.to_owned(), rule.path.to_owned())).collect();
        assert_eq!(ruled, described);
        assert_eq!(ruled.len(), RULES.len(), "one row each");
    }

    #[test]
    fn what_is_not_in_the_table_is_nobody_s() {
        assert_eq!(rule(&Method::HEAD, "/metrics"), rule(&Method::GET, "/metrics"));
        assert_eq!(rule(&Method::PUT, "/calls"), None);
        assert_eq!(rule(&Method::GET, "/calls/{id}/secrets"), None);
    }

    #[test]
    fn nobody_changes_anything_by_a_role_that_only_reads() {
        let changes = RULES.iter().filter(|rule| rule.method != "GET");
        for rule in changes.filter(|rule| rule.roles != EVERYBODY) {
            assert!(!rule.roles.contains(&Auditor) && !rule.roles.contains(&Monitor), "{rule:?}");
        }
    }
}
