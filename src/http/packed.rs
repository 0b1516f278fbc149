//! A document that never changes while the engine runs: made once, compressed once.

use std::io::Write;
use std::sync::OnceLock;

use axum::http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

/// Plain and compressed.
pub(super) struct Packed {
    plain: Bytes,
    gzip: Bytes,
    etag: String,
}

/// A document that is made when it is first asked for.
#[derive(Default)]
pub(super) struct Once(OnceLock<Packed>);

impl Once {
    /// The answer to a request for it.
    pub(super) fn answer(&self, asked: &HeaderMap, mime: &'static str, make: impl FnOnce() -> Vec<u8>) -> Response {
        self.0.get_or_init(|| Packed::new(make())).answer(asked, mime, HeaderValue::from_static("no-cache"))
    }
}

impl Packed {
    pub(super) fn new(plain: Vec<u8>) -> Packed {
        let etag = format!("\"{}\"", &blake3::hash(&plain).to_hex()[..16]);
        let gzip = gzipped(&plain).into();
        Packed { plain: plain.into(), gzip, etag }
    }

    pub(super) fn answer(&self, asked: &HeaderMap, mime: &'static str, caching: HeaderValue) -> Response {
        let has = |name, text: &str| asked.get(name).and_then(|v| v.to_str().ok()).is_some_and(|v| v.contains(text));
        let etag = HeaderValue::from_str(&self.etag).unwrap_or(HeaderValue::from_static("\"\""));
        if has(IF_NONE_MATCH, &self.etag) {
            return (StatusCode::NOT_MODIFIED, [(ETAG, etag), (CACHE_CONTROL, caching)]).into_response();
        }
        let headers = [
            (CONTENT_TYPE, HeaderValue::from_static(mime)),
            (ETAG, etag),
            (CACHE_CONTROL, caching),
            (VARY, HeaderValue::from_static("Accept-Encoding")),
        ];
        if has(ACCEPT_ENCODING, "gzip") && self.gzip.len() < self.plain.len() {
            (headers, [(CONTENT_ENCODING, "gzip")], self.gzip.clone()).into_response()
        } else {
            (headers, self.plain.clone()).into_response()
        }
    }
}

/// Compressed; empty input of no use stays larger than it was, which [`Packed::answer`] sees.
fn gzipped(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(plain.len() / 4), Compression::default());
    match encoder.write_all(plain).and_then(|()| encoder.finish()) {
        Ok(gzip) => gzip,
        Err(_) => plain.to_vec(),
    }
}
