//! The operators' page, built from `web/` and embedded by build.rs.

use std::collections::HashMap;
use std::sync::LazyLock;

use axum::http::{HeaderMap, HeaderValue, Method, Uri};
use axum::response::{IntoResponse, Response};

use super::Problem;
use super::packed::Packed;

mod embedded {
    include!(concat!(env!("OUT_DIR"), "/page.rs"));
}

/// Files by path, with their type and how long browsers may keep them: names under `/assets/` carry a hash.
static FILES: LazyLock<HashMap<&'static str, (&'static str, HeaderValue, Packed)>> = LazyLock::new(|| {
    let packed = |(path, bytes): &(&'static str, &'static [u8])| {
        let caching = if path.starts_with("/assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
        let caching = HeaderValue::from_static(caching);
        (*path, (mime(path), caching, Packed::new(bytes.to_vec())))
    };
    embedded::PAGE.iter().map(packed).collect()
});

/// A file of the page, and the answer to every path that nothing else serves.
pub(super) async fn page(method: Method, uri: Uri, asked: HeaderMap) -> Response {
    let path = match uri.path() {
        "/" => "/index.html",
        "/terminal" => "/terminal.html",
        "/travel.html" => "/travel",
        path => path,
    };
    file(path, &method, &uri, &asked)
}

/// The page for travellers.
pub(super) async fn travel(method: Method, uri: Uri, asked: HeaderMap) -> Response {
    file("/travel.html", &method, &uri, &asked)
}

/// The page for persons of rosters.
pub(super) async fn roster(method: Method, uri: Uri, asked: HeaderMap) -> Response {
    file("/roster.html", &method, &uri, &asked)
}

fn file(path: &str, method: &Method, uri: &Uri, asked: &HeaderMap) -> Response {
    match FILES.get(path).filter(|_| matches!(*method, Method::GET | Method::HEAD)) {
        Some((mime, caching, file)) => file.answer(asked, mime, caching.clone()),
        None => Problem::not_found(format!("nothing at {}; /openapi.json describes what there is", uri.path()))
            .into_response(),
    }
}

fn mime(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "webmanifest" => "application/manifest+json",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}
