//! What large bodies must pass, wherever they come in: a key where there are any, a place, time, and unpacking within bounds.
//! Only so many are held at a time, and fewer unpacked: who comes then waits for a place, and is not read meanwhile.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::Request;
use nanming_dataflows::decision::Reason;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use super::Problem;
use super::access::Asker;
use super::body::{Packing, whole};
use super::keys::check;
use crate::config::{HttpConfig, Secret};
use crate::ingest::DeadLetters;
use crate::metrics::Metrics;

/// Large bodies held at a time, and those unpacked.
const BODIES: usize = 64;
const UNPACKED: usize = 4;

/// The way in for large bodies.
pub(super) struct Intake {
    keys: Vec<Secret>,
    within: Duration,
    unpacked_bytes: usize,
    bodies: Semaphore,
    unpacked: Semaphore,
}

/// A body with the places that it takes.
pub(super) struct Held<'a> {
    pub(super) bytes: Bytes,
    _places: Vec<SemaphorePermit<'a>>,
}

impl Intake {
    /// As it is configured.
    pub(super) fn new(config: &HttpConfig) -> Intake {
        Intake {
            keys: config.api_keys.clone(),
            within: Duration::from_secs(config.body_s),
            unpacked_bytes: config.unpacked_bytes,
            bodies: Semaphore::new(BODIES),
            unpacked: Semaphore::new(UNPACKED),
        }
    }

    /// A body as it was sent.
    pub(super) async fn body(&self, request: Request) -> Result<Held<'_>, Problem> {
        let place = self.place(&self.bodies).await?;
        Ok(Held { bytes: whole(request, self.within).await?, _places: vec![place] })
    }

    /// JSON Lines of a sender with a key, unpacked. What cannot be unpacked is a dead letter of `now_ms`.
    pub(super) async fn lines(
        &self,
        request: Request,
        metrics: &Metrics,
        letters: &Arc<DeadLetters>,
        now_ms: u64,
    ) -> Result<Held<'_>, Problem> {
        // Who has proved a role needs no key besides.
        if !request.extensions().get::<Asker>().is_some_and(Asker::is_known) {
            let admitted = check(&self.keys, request.headers());
            admitted.inspect_err(|problem| metrics.http_refused("ingest", problem.error()))?;
        }
        let packing = Packing::of(request.headers())?;
        let mut held = self.body(request).await?;
        if packing == Packing::Plain {
            return Ok(held);
        }
        held._places.push(self.place(&self.unpacked).await?);
        let (packed, most, letters) = (held.bytes, self.unpacked_bytes, Arc::clone(letters));
        let unpacked = tokio::task::spawn_blocking(move || {
            packing.unpack(packed.clone(), most).inspect_err(|problem| {
                let reason = if problem.error() == "too_large" { Reason::OutOfRange } else { Reason::Malformed };
                letters.bury(now_ms, "unknown", reason, problem.detail(), &packed);
            })
        });
        let bytes = unpacked.await.map_err(|_| Problem::broken("the body cannot be unpacked"))??;
        Ok(Held { bytes, ..held })
    }

    async fn place<'a>(&self, places: &'a Semaphore) -> Result<SemaphorePermit<'a>, Problem> {
        match timeout(self.within, places.acquire()).await {
            Ok(Ok(place)) => Ok(place),
            _ => Err(Problem::unavailable("busy", "too many bodies at a time; send it again later")),
        }
    }
}
