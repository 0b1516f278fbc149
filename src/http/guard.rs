//! What every request must pass and every response carries. Whoever asks, no page of another site may
//! reach the engine through somebody's browser.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{self, HeaderName};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Problem;
use crate::config::HttpConfig;

const HEADERS: [(HeaderName, HeaderValue); 5] = [
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'",
        ),
    ),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
];

/// Names that requests may carry as their host.
#[derive(Clone)]
pub(super) struct Hosts(Arc<[String]>);

impl Hosts {
    pub(super) fn of(config: &HttpConfig) -> Hosts {
        Hosts(config.hosts.clone().into())
    }
}

/// Adds the security headers, but for those that an answer has of its own: public data is for pages of other sites too.
pub(super) async fn headers(mut response: Response) -> Response {
    for (name, value) in HEADERS {
        response.headers_mut().entry(name).or_insert(value);
    }
    response
}

/// Lets a request through, or not.
pub(super) async fn guard(State(hosts): State<Hosts>, request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|h| h.to_str().ok()).unwrap_or_default();
    if !is_ours(host, &hosts.0) {
        let detail = format!("host '{host}' is not served here; add it to http.hosts in the configuration");
        return Problem::new(StatusCode::MISDIRECTED_REQUEST, "unknown_host", detail).into_response();
    }
    if acts(&request) && is_foreign(request.headers(), host) {
        return Problem::new(StatusCode::FORBIDDEN, "cross_origin", "pages of other sites may not act here")
            .into_response();
    }
    next.run(request).await
}

/// A name that an attacker cannot point at this machine: an address, `localhost`, or one of the configuration.
pub(super) fn is_ours(host: &str, named: &[String]) -> bool {
    let name = without_port(host);
    let address = name.trim_start_matches('[').trim_end_matches(']');
    name.is_empty() || name == "localhost" || address.parse::<IpAddr>().is_ok() || named.iter().any(|n| n == name)
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !name.ends_with(':') => name,
        _ => host,
    }
}

/// Whether a request may change something: writes, and sockets.
fn acts(request: &Request) -> bool {
    !matches!(*request.method(), Method::GET | Method::HEAD) || request.headers().contains_key(header::UPGRADE)
}

pub(super) fn is_foreign(headers: &HeaderMap, host: &str) -> bool {
    let origin = headers.get(header::ORIGIN).map(|o| o.to_str().unwrap_or_default());
    origin.is_some_and(|origin| origin.split_once("://").map(|(_, authority)| authority) != Some(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_named_hosts_are_ours() {
        let named = ["city.example".to_owned()];
        for host in ["127.0.0.1:8080", "localhost", "localhost:1", "[::1]:8080", "10.0.0.7:80", "city.example:443", ""]
        {
            assert!(is_ours(host, &named), "{host}");
        }
        for host in ["evil.example:8080", "evil.example", "localhost.evil.example"] {
            assert!(!is_ours(host, &named), "{host}");
        }
    }

    #[test]
    fn another_origin_is_foreign() {
        let with = |origin: &'static str| HeaderMap::from_iter([(header::ORIGIN, HeaderValue::from_static(origin))]);
        assert!(!is_foreign(&HeaderMap::new(), "localhost:8080"));
        assert!(!is_foreign(&with("http://localhost:8080"), "localhost:8080"));
        assert!(is_foreign(&with("http://evil.example"), "localhost:8080"));
        assert!(is_foreign(&with("null"), "localhost:8080"));
    }
}
