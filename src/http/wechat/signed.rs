//! Requests that bear the signature of the account's token. It covers a timestamp and a nonce, and not the message: so a
//! timestamp is good for five minutes only, and a nonce until its message has been answered.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::{FromRequestParts, Query};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::Deserialize;

use super::super::{Problem, Surface};
use super::{Wechat, account};
use crate::clock::wall_ms;
use crate::ingest::wechat::signature;

/// A timestamp may be so far from ours, s.
const SKEW_S: u64 = 300;
/// Nonces that are remembered; with more valid ones in ten minutes the oldest are forgotten.
const MOST: usize = 65_536;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(in crate::http) struct Signature {
    pub(in crate::http) signature: String,
    pub(in crate::http) timestamp: String,
    pub(in crate::http) nonce: String,
    echostr: String,
}

/// A request with a right signature. Unless it is kept, its nonce may come again: what was not answered is sent again.
pub(in crate::http) struct Signed {
    pub(super) echo: String,
    surface: Arc<Surface>,
    nonce: (u64, String),
    kept: std::sync::atomic::AtomicBool,
}

impl Signed {
    /// It was answered.
    pub(super) fn keep(&self) {
        self.kept.store(true, std::sync::atomic::Ordering::Relaxed);
    }
}

impl Drop for Signed {
    fn drop(&mut self) {
        if let Some(wechat) = self.surface.app.wechat.as_ref().filter(|_| !*self.kept.get_mut()) {
            wechat.spent.lock().remove(&self.nonce);
        }
    }
}

impl FromRequestParts<Arc<Surface>> for Signed {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, surface: &Arc<Surface>) -> Result<Signed, Problem> {
        let wechat = account(&surface.app)?;
        let shown = Query::<Signature>::try_from_uri(&parts.uri).map(|Query(shown)| shown).unwrap_or_default();
        match check(wechat, &shown, wall_ms() / 1000) {
            Ok(nonce) => {
                Ok(Signed { echo: shown.echostr, surface: Arc::clone(surface), nonce, kept: Default::default() })
            }
            Err(reason) => {
                surface.app.metrics.http_refused("wechat", reason);
                let detail =
                    "signature is SHA-1 of the sorted token, timestamp and nonce; each nonce once, within 5 min";
                Err(Problem::new(StatusCode::FORBIDDEN, reason, detail))
            }
        }
    }
}

pub(in crate::http) fn check(wechat: &Wechat, shown: &Signature, now_s: u64) -> Result<(u64, String), &'static str> {
    let wanted = signature(wechat.token.expose(), &shown.timestamp, &shown.nonce);
    // Hashes of BLAKE3 are compared in constant time.
    if blake3::hash(wanted.as_bytes()) != blake3::hash(shown.signature.as_bytes()) {
        return Err("wrong_signature");
    }
    let time_s: u64 = shown.timestamp.parse().map_err(|_| "wrong_signature")?;
    if time_s.abs_diff(now_s) > SKEW_S {
        return Err("stale_timestamp");
    }
    let nonce = (time_s, shown.nonce.clone());
    if wechat.spent.spend(&nonce, now_s) { Ok(nonce) } else { Err("replayed_nonce") }
}

/// Nonces that came, by their time.
#[derive(Default)]
pub(super) struct Spent {
    nonces: Mutex<BTreeSet<(u64, String)>>,
}

impl Spent {
    /// False: it came before.
    fn spend(&self, nonce: &(u64, String), now_s: u64) -> bool {
        let mut nonces = self.lock();
        while nonces.first().is_some_and(|(time_s, _)| time_s + SKEW_S < now_s) || nonces.len() >= MOST {
            nonces.pop_first();
        }
        nonces.insert(nonce.clone())
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<(u64, String)>> {
        self.nonces.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Secret, WechatConfig};

    #[test]
    fn a_nonce_is_good_once_and_a_timestamp_for_five_minutes() {
        let wechat = Wechat::new(&WechatConfig { token: Secret::from("token".to_owned()) }).unwrap();
        let check = |token: &str, time_s: &str, nonce: &str| {
            let signature = signature(token, time_s, nonce);
            let shown = Signature { signature, timestamp: time_s.into(), nonce: nonce.into(), echostr: String::new() };
            check(&wechat, &shown, 1000).map(|_| "in")
        };
        assert_eq!(check("token", "1000", "a"), Ok("in"));
        assert_eq!(check("token", "1000", "a"), Err("replayed_nonce"));
        assert_eq!(check("token", "1000", "b"), Ok("in"));
        assert_eq!(check("other", "1000", "c"), Err("wrong_signature"));
        assert_eq!(check("token", "x", "c"), Err("wrong_signature"));
        assert_eq!((check("token", "700", "c"), check("token", "1300", "c")), (Ok("in"), Ok("in")));
        assert_eq!(check("token", "699", "c"), Err("stale_timestamp"));
        assert_eq!(check("token", "1301", "c"), Err("stale_timestamp"));
        assert!(Wechat::new(&WechatConfig::default()).is_none());
    }

    #[test]
    fn nonces_are_bounded() {
        let spent = Spent::default();
        (0..MOST as u64 + 10).for_each(|n| assert!(spent.spend(&(1000, format!("{n:020}")), 1000)));
        assert_eq!(spent.lock().len(), MOST);
        assert!(spent.spend(&(2000, "x".into()), 2000));
        assert_eq!(spent.lock().len(), 1);
    }
}
