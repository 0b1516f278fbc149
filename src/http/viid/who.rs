//! Who asks: one that can prove a name of the configuration, or a device that has registered.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use super::super::Sensors;
use super::super::connections::Peer;
use super::words::{Code, Word};
use super::{Viid, service};

/// The address of somebody whose digest is right.
pub(in crate::http) struct Authenticated(pub(super) IpAddr);

/// The ID of a device that is registered.
pub(in crate::http) struct Registered(pub(super) String);

impl FromRequestParts<Arc<Sensors>> for Authenticated {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, door: &Arc<Sensors>) -> Result<Self, Response> {
        let viid = service(door).map_err(IntoResponse::into_response)?;
        let header = parts.headers.get(AUTHORIZATION).map(|header| header.to_str().unwrap_or_default());
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        match viid.digests.check(header, parts.method.as_str(), path, viid.now_ms()) {
            Ok(()) => Ok(Authenticated(peer(parts))),
            Err(refusal) => {
                if header.is_some() {
                    door.metrics.http_refused("viid", refusal.as_str());
                }
                Err(unauthorized(door, viid, refusal.is_stale(), "register with HTTP Digest, MD5, qop auth"))
            }
        }
    }
}

impl FromRequestParts<Arc<Sensors>> for Registered {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, door: &Arc<Sensors>) -> Result<Self, Response> {
        let viid = service(door).map_err(IntoResponse::into_response)?;
        let id = parts.headers.get("user-identify").and_then(|id| id.to_str().ok()).unwrap_or_default().trim();
        if viid.devices.hear(id, peer(parts), viid.now_ms()) {
            return Ok(Registered(id.to_owned()));
        }
        door.metrics.http_refused("viid", "not_registered");
        Err(unauthorized(door, viid, false, "not registered: POST /VIID/System/Register first, then User-Identify"))
    }
}

/// Requests that did not come by a connection, as in tests, come from this machine.
fn peer(parts: &Parts) -> IpAddr {
    parts.extensions.get::<Peer>().map_or(IpAddr::from([127, 0, 0, 1]), |Peer(address)| *address)
}

fn unauthorized(door: &Sensors, viid: &Viid, stale: bool, why: &str) -> Response {
    let mut response = Word::new(door, "/VIID", "").says(Code::Invalid, why).alone(StatusCode::UNAUTHORIZED);
    if let Ok(challenge) = HeaderValue::from_str(&viid.digests.challenge(viid.now_ms(), stale)) {
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    response
}
