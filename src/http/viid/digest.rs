//! HTTP Digest as RFC 2617 has it: MD5, qop=auth, or none where the sender knows none. MD5 is what GA/T 1400 asks for.
//!
//! A nonce carries its time and number under a keyed hash: those that nobody used take no memory. One that was used is
//! remembered with its count until it expires; a count that does not grow, or a nonce without count for the second time,
//! is a replay.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use md5::{Digest, Md5};

use crate::config::Secret;
use crate::ingest::random_key;

mod header;
use header::Credentials;

/// A nonce is good for so long, ms.
const LIFE_MS: u64 = 300_000;
/// Used nonces that are remembered.
const MOST_USED: usize = 65_536;

/// Why somebody is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum Refusal {
    /// No digest, or one that cannot be read.
    NoDigest,
    /// The nonce is too old, or of another run of the engine.
    StaleNonce,
    /// It was used before.
    ReplayedNonce,
    /// Name or password are wrong, or it was made for another request.
    WrongDigest,
}

impl Refusal {
    /// The reason in metrics.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Refusal::NoDigest => "no_digest",
            Refusal::StaleNonce => "stale_nonce",
            Refusal::ReplayedNonce => "replayed_nonce",
            Refusal::WrongDigest => "wrong_digest",
        }
    }

    /// Whether the same name and password will do with a new nonce.
    pub(super) fn is_stale(self) -> bool {
        matches!(self, Refusal::StaleNonce | Refusal::ReplayedNonce)
    }
}

/// The gate.
pub(in crate::http) struct Digests {
    realm: String,
    users: BTreeMap<String, Secret>,
    key: [u8; 32],
    next: AtomicU64,
    used: Mutex<HashMap<u64, Used>>,
}

struct Used {
    issued_ms: u64,
    count: u32,
}

impl Digests {
    pub(in crate::http) fn new(realm: String, users: BTreeMap<String, Secret>) -> Digests {
        Digests { realm, users, key: random_key(), next: AtomicU64::new(0), used: Mutex::default() }
    }

    /// What it lets in to.
    pub(super) fn realm(&self) -> &str {
        &self.realm
    }

    /// `WWW-Authenticate`, with a new nonce.
    pub(in crate::http) fn challenge(&self, now_ms: u64, stale: bool) -> String {
        let (realm, nonce) = (&self.realm, self.nonce(now_ms, self.next.fetch_add(1, Ordering::Relaxed)));
        let stale = if stale { ", stale=true" } else { "" };
        format!("Digest realm=\"{realm}\", qop=\"auth\", nonce=\"{nonce}\", algorithm=MD5{stale}")
    }

    /// Lets a request in whose `Authorization` proves a name of ours.
    pub(in crate::http) fn check(
        &self,
        header: Option<&str>,
        method: &str,
        path: &str,
        now_ms: u64,
    ) -> Result<(), Refusal> {
        let shown = header.and_then(Credentials::read).ok_or(Refusal::NoDigest)?;
        let (issued_ms, number) = self.open_nonce(&shown.nonce, now_ms).ok_or(Refusal::StaleNonce)?;
        let password = self.users.get(&shown.username);
        let wanted = self.response(&shown, password.map_or("", Secret::expose), method);
        // Hashes of BLAKE3 are compared in constant time; whether the name is known takes no less.
        let same = blake3::hash(wanted.as_bytes()) == blake3::hash(shown.response.to_ascii_lowercase().as_bytes());
        if !(same && password.is_some() && shown.realm == self.realm && shown.is_for(path)) {
            return Err(Refusal::WrongDigest);
        }
        self.use_up(number, issued_ms, shown.count(), now_ms)
    }

    fn response(&self, shown: &Credentials, password: &str, method: &str) -> String {
        let secret = md5_hex(&format!("{}:{}:{password}", shown.username, self.realm));
        let request = md5_hex(&format!("{method}:{}", shown.uri));
        match &shown.qop {
            Some((qop, cnonce, count)) => {
                md5_hex(&format!("{secret}:{}:{count}:{cnonce}:{qop}:{request}", shown.nonce))
            }
            None => md5_hex(&format!("{secret}:{}:{request}", shown.nonce)),
        }
    }

    fn nonce(&self, issued_ms: u64, number: u64) -> String {
        let open = format!("{issued_ms:016x}{number:016x}");
        let seal = blake3::keyed_hash(&self.key, open.as_bytes()).to_hex();
        format!("{open}{}", &seal[..32])
    }

    /// When a nonce of ours was issued and its number, while it is good.
    fn open_nonce(&self, nonce: &str, now_ms: u64) -> Option<(u64, u64)> {
        let number = |from: usize, to: usize| u64::from_str_radix(nonce.get(from..to)?, 16).ok();
        let (issued_ms, serial) = (number(0, 16)?, number(16, 32)?);
        let ours = self.nonce(issued_ms, serial);
        let same = blake3::hash(ours.as_bytes()) == blake3::hash(nonce.as_bytes());
        (same && now_ms.saturating_sub(issued_ms) <= LIFE_MS).then_some((issued_ms, serial))
    }

    fn use_up(&self, number: u64, issued_ms: u64, count: u32, now_ms: u64) -> Result<(), Refusal> {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        match used.get_mut(&number) {
            Some(before) if before.count >= count => return Err(Refusal::ReplayedNonce),
            Some(before) => {
                before.count = count;
                return Ok(());
            }
            None => {}
        }
        if used.len() >= MOST_USED {
            used.retain(|_, used| now_ms.saturating_sub(used.issued_ms) <= LIFE_MS);
        }
        if used.len() >= MOST_USED {
            return Err(Refusal::StaleNonce);
        }
        used.insert(number, Used { issued_ms, count });
        Ok(())
    }
}

fn md5_hex(text: &str) -> String {
    Md5::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
