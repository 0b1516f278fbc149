//! Pseudonyms for callers: a telephone number or the ID of an account goes no further than this.

use super::plates::random_key;

/// Longest that a caller may be told as, characters.
pub(super) const MAX_CALLER: usize = 64;

/// A keyed hash.
#[derive(Clone)]
pub struct Callers {
    key: [u8; 32],
}

impl Callers {
    /// With the key of the configuration; an empty one stands for a new random key.
    pub fn new(secret: &str) -> Callers {
        let key = if secret.is_empty() {
            random_key()
        } else {
            blake3::derive_key("nanming 2026 callers", secret.as_bytes())
        };
        Callers { key }
    }

    /// 16 hexadecimal digits that stand for a caller; spaces and dashes do not matter. "" for nobody.
    pub fn pseudonym(&self, caller: &str) -> String {
        let plain: String = caller.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
        if plain.is_empty() {
            return String::new();
        }
        blake3::keyed_hash(&self.key, plain.as_bytes()).to_hex()[..16].to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_caller_is_one_pseudonym_and_another_key_gives_another() {
        let callers = Callers::new("key");
        assert_eq!(callers.pseudonym("138 0013-8000"), callers.pseudonym("13800138000"));
        assert_ne!(callers.pseudonym("13800138000"), callers.pseudonym("13800138001"));
        assert_ne!(callers.pseudonym("13800138000"), Callers::new("other").pseudonym("13800138000"));
        assert_eq!((callers.pseudonym(" - ").as_str(), callers.pseudonym("x").len()), ("", 16));
    }
}
