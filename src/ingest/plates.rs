//! Pseudonyms for plates. The clear plate goes no further than this.
//!
//! The hash is keyed BLAKE3, a pseudorandom function as HMAC-SHA-256 is: without the key nobody can try all plates of a
//! country, which takes minutes on a bare hash. A key is used for passages of its time: by the time of the event, so that what
//! comes late is still known under the old key, and a recording plays as it was. No record links the pseudonyms of two keys:
//! that would undo the change of keys. So a vehicle that is under way at that moment counts once as two; have the moment at
//! the quietest hour.

use super::redact::plain;
use nanming_dataflows::ids::VehicleId;

/// A keyed hash, whose key changes with time.
#[derive(Clone)]
pub struct Plates {
    /// From when on, ms, and the key: oldest first, and the first from the beginning of time.
    keys: Vec<(u64, [u8; 32])>,
    is_random: bool,
}

impl Plates {
    /// With the key of the configuration; an empty one stands for a new random key, so that nothing can be linked over
    /// restarts.
    pub fn new(secret: &str) -> Plates {
        let is_random = secret.is_empty();
        Plates { keys: vec![(0, if is_random { random_key() } else { derived(secret) })], is_random }
    }

    /// The same, with another key from a time on, ms: later than those before.
    pub fn then(mut self, from_ms: u64, secret: &str) -> Plates {
        self.keys.push((from_ms, derived(secret)));
        self
    }

    /// With a fixed key, where names are no plates but those of simulated vehicles, or pseudonyms: every run gives the same
    /// numbers.
    pub(crate) fn fixed() -> Plates {
        Plates::new("recording")
    }

    /// Whether the first key is of this process only.
    pub fn is_random(&self) -> bool {
        self.is_random
    }

    /// The vehicle that a plate stands for at a time, ms; spaces, dots, dashes and letter case do not matter. 0 for an empty
    /// plate.
    pub fn vehicle_at(&self, plate: &str, time_ms: u64) -> VehicleId {
        let row = self.keys.partition_point(|(from_ms, _)| *from_ms <= time_ms).saturating_sub(1);
        named(&self.keys[row].1, plate)
    }

    /// The same where time does not matter: under the first key.
    pub fn vehicle(&self, plate: &str) -> VehicleId {
        named(&self.keys[0].1, plate)
    }

    /// The vehicles that a plate has stood for, one for each key.
    pub fn all(&self, plate: &str) -> Vec<VehicleId> {
        self.keys.iter().map(|(_, key)| named(key, plate)).collect()
    }
}

fn derived(secret: &str) -> [u8; 32] {
    blake3::derive_key("nanming 2026 plates", secret.as_bytes())
}

fn named(key: &[u8; 32], plate: &str) -> VehicleId {
    // What is written plainly is hashed as it is.
    let rest = plate.trim_start_matches(|c| ('\u{4E00}'..='\u{9FFF}').contains(&c)).as_bytes();
    if !rest.is_empty() && rest.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()) {
        return hashed(key, plate);
    }
    let letters = plate.chars().filter_map(plain).filter(|c| c.is_alphanumeric());
    let plain: String = letters.flat_map(char::to_uppercase).collect();
    if plain.is_empty() { VehicleId(0) } else { hashed(key, &plain) }
}

fn hashed(key: &[u8; 32], plain: &str) -> VehicleId {
    let hash = blake3::keyed_hash(key, plain.as_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&hash.as_bytes()[..8]);
    VehicleId(u64::from_le_bytes(first).max(1))
}

/// From the seeds that the standard library draws from the system for its hash maps.
pub(crate) fn random_key() -> [u8; 32] {
    use std::hash::{BuildHasher, RandomState};
    let mut hasher = blake3::Hasher::new();
    for n in 0..8_u64 {
        hasher.update(&RandomState::new().hash_one(n).to_le_bytes());
    }
    if let Ok(mut source) = std::fs::File::open("/dev/urandom") {
        let mut bytes = [0; 32];
        if std::io::Read::read_exact(&mut source, &mut bytes).is_ok() {
            hasher.update(&bytes);
        }
    }
    hasher.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_plate_is_one_vehicle_however_it_is_written() {
        let plates = Plates::new("key");
        assert_eq!(plates.vehicle("贵A·12345"), plates.vehicle("贵a 12345"));
        assert_eq!(plates.vehicle("贵A12345"), plates.vehicle("贵a 12345"));
        assert_ne!(plates.vehicle("贵A12345"), plates.vehicle("贵A12346"));
        assert_ne!(plates.vehicle("贵A12345"), VehicleId(0));
        assert_eq!(plates.vehicle(" "), VehicleId(0));
    }

    #[test]
    fn another_key_gives_other_vehicles() {
        assert_ne!(Plates::new("a").vehicle("贵A12345"), Plates::new("b").vehicle("贵A12345"));
        assert_ne!(Plates::new("").vehicle("贵A12345"), Plates::new("").vehicle("贵A12345"));
    }

    #[test]
    fn a_key_is_used_for_its_time_and_the_old_one_for_what_comes_late() {
        let plates = Plates::new("a").then(100, "b").then(200, "c");
        let at = |time_ms| plates.vehicle_at("贵A12345", time_ms);
        let of = |key| Plates::new(key).vehicle("贵A12345");
        assert_eq!([0, 99, 100, 199, 200, u64::MAX].map(at), ["a", "a", "b", "b", "c", "c"].map(of));
        assert_eq!(plates.all("贵A12345"), ["a", "b", "c"].map(of));
        assert_eq!(plates.vehicle_at(" ", 150), VehicleId(0));
    }
}
