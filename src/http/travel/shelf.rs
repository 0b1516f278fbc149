//! A picture, and what was made of it for all who ask the same.

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use tokio::sync::OnceCell;

use super::{Refusal, Travel};
use crate::http::packed::Packed;
use crate::travel::{AHEAD_MIN, KNOTS, Picture, Roads, Streets, Traffic};

/// A document that is made when it is first asked for.
pub(super) type Slot = OnceCell<Packed>;

/// A picture with its documents.
pub(super) struct Shelf {
    pub(super) picture: Picture,
    pub(super) rows: OnceCell<Arc<Roads>>,
    /// By when they are sorted: now, then each of [`AHEAD_MIN`].
    pub(super) roads: [Slot; 1 + AHEAD_MIN.len()],
    /// By steps of 5 min.
    pub(super) congestion: [Slot; KNOTS],
    pub(super) levels: [Slot; KNOTS],
    pub(super) city: Slot,
    pub(super) incidents: Slot,
    pub(super) alerts: Slot,
}

impl Shelf {
    pub(super) fn new(picture: Picture) -> Shelf {
        Shelf {
            picture,
            rows: OnceCell::new(),
            roads: Default::default(),
            congestion: Default::default(),
            levels: Default::default(),
            city: Slot::new(),
            incidents: Slot::new(),
            alerts: Slot::new(),
        }
    }

    /// Before anything was seen.
    pub(super) fn empty(streets: Arc<Streets>) -> Shelf {
        let traffic = Traffic { time_ms: 0, links: Vec::new() };
        Shelf::new(Picture { streets, traffic, incidents: Vec::new(), notices: Vec::new() })
    }

    pub(super) fn is_filled(&self) -> bool {
        self.picture.traffic.time_ms > 0
    }
}

impl Travel {
    /// The answer from a slot of the shelf, made now if nobody has asked for it yet.
    pub(super) async fn shelved(
        &self,
        slot: impl Fn(&Shelf) -> &Slot,
        (asked, mime): (&HeaderMap, &'static str),
        make: impl FnOnce(&Shelf) -> Vec<u8> + Send + 'static,
    ) -> Result<Response, Refusal> {
        let shelf = self.filled()?;
        let made = slot(&shelf).get_or_try_init(|| {
            let shelf = Arc::clone(&shelf);
            self.make(move || Packed::new(make(&shelf)))
        });
        Ok(made.await?.answer(asked, mime, self.caching()))
    }

    /// The answer to a question of its own.
    pub(super) async fn own(
        &self,
        (asked, mime): (&HeaderMap, &'static str),
        make: impl FnOnce() -> Result<Vec<u8>, Refusal> + Send + 'static,
    ) -> Result<Response, Refusal> {
        let made = self.make(|| make().map(Packed::new)).await??;
        Ok(made.answer(asked, mime, self.caching()))
    }

    /// Whoever asked may keep the answer until there is a new picture.
    fn caching(&self) -> HeaderValue {
        let text = format!("public, max-age={}", self.config.refresh_s);
        HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("public"))
    }
}
