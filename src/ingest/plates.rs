//! Pseudonyms for plates. The clear plate goes no further than this.

use nanming_dataflows::ids::VehicleId;

/// A keyed hash.
#[derive(Clone)]
pub struct Plates {
    key: [u8; 32],
}

impl Plates {
    /// With the key of the configuration; an empty one stands for a new random key, so that nothing can be linked over
    /// restarts.
    pub fn new(secret: &str) -> Plates {
        let key =
            if secret.is_empty() { random_key() } else { blake3::derive_key("nanming 2026 plates", secret.as_bytes()) };
        Plates { key }
    }

    /// With a fixed key, where names are no plates but those of simulated vehicles, or pseudonyms: every run gives the same
    /// numbers.
    pub(crate) fn fixed() -> Plates {
        Plates::new("recording")
    }

    /// The vehicle that a plate stands for; spaces, dots, dashes and letter case do not matter. 0 for an empty plate.
    pub fn vehicle(&self, plate: &str) -> VehicleId {
        // What is written plainly is hashed as it is.
        let rest = plate.trim_start_matches(|c| ('\u{4E00}'..='\u{9FFF}').contains(&c)).as_bytes();
        if !rest.is_empty() && rest.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()) {
            return self.hashed(plate);
        }
        let plain: String = plate.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect();
        if plain.is_empty() {
            return VehicleId(0);
        }
        self.hashed(&plain)
    }

    fn hashed(&self, plain: &str) -> VehicleId {
        let hash = blake3::keyed_hash(&self.key, plain.as_bytes());
        let mut first = [0; 8];
        first.copy_from_slice(&hash.as_bytes()[..8]);
        VehicleId(u64::from_le_bytes(first).max(1))
    }
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
}
