//! What every request of the public passes, and every answer to it carries.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, HeaderName};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::refusal::Refusal;
use super::{Problem, Surface};
use crate::http::connections::Peer;

/// Public data: pages of every site may read it, and when they may ask again.
const HEADERS: [(HeaderName, HeaderValue); 3] = [
    (ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")),
    (ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("ETag, Retry-After")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("cross-origin")),
];

/// Lets a request through, or not. The page itself costs nothing and is not counted against its reader.
pub(super) async fn gate(
    State((surface, route)): State<(Arc<Surface>, &'static str)>,
    request: Request,
    next: Next,
) -> Response {
    let measures = &surface.app.metrics.travel;
    let Some(travel) = &surface.app.travel else { return off().into_response() };
    let is_page = route == "page";
    let token = if is_page { Ok(()) } else { travel.take_token(client(&travel.config.proxies, &request)) };
    let mut response = match token {
        Ok(()) => next.run(request).await,
        Err(after_s) => {
            measures.limited();
            let detail =
                format!("this address asks too often; ask again after {after_s} s, and keep answers for their max-age");
            Refusal::after(Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", detail), after_s)
                .into_response()
        }
    };
    measures.answered(route, response.status().as_u16());
    if !is_page {
        response.headers_mut().extend(HEADERS);
    }
    response
}

/// It is off.
pub(super) fn off() -> Refusal {
    Problem::not_found("travel information is off here; travel.enabled in the configuration turns it on").into()
}

/// Who asks: the other end of the connection, or whom a proxy of ours names.
pub(in crate::http) fn client(proxies: &[IpAddr], request: &Request) -> IpAddr {
    let peer = request.extensions().get::<Peer>().map_or(Ipv4Addr::UNSPECIFIED.into(), |peer| peer.0);
    if proxies.contains(&peer.to_canonical()) { forwarded(request.headers()).unwrap_or(peer) } else { peer }
}

/// The last address, which the proxy itself has added: those before it are whatever a client wrote.
pub(in crate::http) fn forwarded(headers: &HeaderMap) -> Option<IpAddr> {
    let last = headers.get_all("x-forwarded-for").iter().next_back()?.to_str().ok()?;
    last.rsplit(',').next()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[test]
    fn only_a_proxy_of_ours_says_who_asks() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let asks = |peer: &str, forwarded: &str| {
            let mut request = Request::builder().header("x-forwarded-for", forwarded).body(Body::empty()).unwrap();
            request.extensions_mut().insert(Peer(ip(peer)));
            client(&[ip("10.0.0.1")], &request)
        };
        assert_eq!(asks("10.0.0.1", "1.2.3.4, 192.0.2.7"), ip("192.0.2.7"));
        assert_eq!(asks("10.0.0.9", "192.0.2.7"), ip("10.0.0.9"), "anybody can write a header");
        assert_eq!(asks("10.0.0.1", "nonsense"), ip("10.0.0.1"));
    }
}
