//! Bodies of requests: whole, in time, and unpacked within bounds.

use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_ENCODING;
use axum::http::{HeaderMap, StatusCode};
use flate2::read::MultiGzDecoder;
use tokio::time::timeout;

use super::{Problem, Sensors, Surface};

/// Larger windows of zstd are refused: 2^23 bytes is what its specification asks of every decoder.
const ZSTD_WINDOW_LOG: u32 = 23;

/// The bytes of a body, all of them, as they were sent.
pub(super) struct Whole(pub(super) Bytes);

impl FromRequest<Arc<Surface>> for Whole {
    type Rejection = Problem;

    async fn from_request(request: Request, surface: &Arc<Surface>) -> Result<Whole, Problem> {
        whole(request, Duration::from_secs(surface.app.config.body_s)).await.map(Whole)
    }
}

impl FromRequest<Arc<Sensors>> for Whole {
    type Rejection = Problem;

    async fn from_request(request: Request, door: &Arc<Sensors>) -> Result<Whole, Problem> {
        whole(request, Duration::from_secs(door.config.body_s)).await.map(Whole)
    }
}

/// The bytes of a body, if they are there in time.
pub(super) async fn whole(request: Request, within: Duration) -> Result<Bytes, Problem> {
    match timeout(within, Bytes::from_request(request, &())).await {
        Ok(body) => Ok(body?),
        Err(_) => {
            let detail = format!("the body was not there within {} s; send it again", within.as_secs());
            Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "too_slow", detail))
        }
    }
}

/// How a body is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    Plain,
    Gzip,
    Zstd,
}

impl Packing {
    /// As its `Content-Encoding` says.
    pub(super) fn of(headers: &HeaderMap) -> Result<Packing, Problem> {
        let mut named = headers.get_all(CONTENT_ENCODING).iter().map(|name| name.to_str().unwrap_or("?").trim());
        match (named.next(), named.next()) {
            (None | Some("" | "identity"), None) => Ok(Packing::Plain),
            (Some(name), None) if name.eq_ignore_ascii_case("gzip") => Ok(Packing::Gzip),
            (Some(name), None) if name.eq_ignore_ascii_case("zstd") => Ok(Packing::Zstd),
            _ => {
                let detail = "Content-Encoding is gzip, zstd or none";
                Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unknown_encoding", detail))
            }
        }
    }

    /// The body as it was before it was packed; at most `most` bytes of it are ever held.
    pub(super) fn unpack(self, body: Bytes, most: usize) -> Result<Bytes, Problem> {
        match self {
            Packing::Plain => Ok(body),
            Packing::Gzip => bounded(MultiGzDecoder::new(&body[..]), most),
            Packing::Zstd => {
                let mut decoder = zstd::stream::read::Decoder::new(&body[..]).map_err(broken)?;
                decoder.window_log_max(ZSTD_WINDOW_LOG).map_err(broken)?;
                bounded(decoder, most)
            }
        }
    }
}

fn bounded(packed: impl Read, most: usize) -> Result<Bytes, Problem> {
    let mut plain = Vec::new();
    packed.take(most as u64 + 1).read_to_end(&mut plain).map_err(broken)?;
    if plain.len() > most {
        let detail = format!("unpacked the body is larger than {most} bytes: send it in parts");
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail));
    }
    Ok(plain.into())
}

fn broken(error: std::io::Error) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "malformed", format!("the body cannot be unpacked: {error}"))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn gzip(plain: &[u8]) -> Bytes {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap().into()
    }

    fn zstd(plain: &[u8]) -> Bytes {
        zstd::encode_all(plain, 3).unwrap().into()
    }

    #[test]
    fn what_was_packed_comes_out_and_a_bomb_does_not() {
        let plain = b"{\"type\":\"flow\"}\n".repeat(100);
        for (packing, pack) in [(Packing::Gzip, gzip as fn(&[u8]) -> Bytes), (Packing::Zstd, zstd)] {
            assert_eq!(packing.unpack(pack(&plain), 1600).unwrap(), plain, "{packing:?}");
            let bomb = pack(&vec![0; 100_000_000]);
            assert!(bomb.len() < 200_000);
            assert_eq!(packing.unpack(bomb, 1600).unwrap_err().error(), "too_large", "{packing:?}");
            let torn = pack(&plain);
            assert_eq!(packing.unpack(torn.slice(..torn.len() / 2), 1600).unwrap_err().error(), "malformed");
            assert_eq!(packing.unpack(Bytes::from_static(b"{}"), 1600).unwrap_err().error(), "malformed");
        }
    }

    #[test]
    fn only_known_encodings_are_taken() {
        let named = |name: &'static str| {
            Packing::of(&HeaderMap::from_iter([(CONTENT_ENCODING, name.parse().unwrap())])).map_err(|p| p.error())
        };
        assert_eq!(Packing::of(&HeaderMap::new()).map_err(|p| p.error()), Ok(Packing::Plain));
        assert_eq!(
            [named("GZIP"), named("zstd"), named("identity")].map(Result::unwrap),
            [Packing::Gzip, Packing::Zstd, Packing::Plain]
        );
        assert_eq!(named("br"), Err("unknown_encoding"));
        assert_eq!(named("gzip, zstd"), Err("unknown_encoding"));
    }
}
