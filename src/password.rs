//! What is kept of passwords: Argon2id with a salt of its own, as a PHC string. From it nobody gets the password back but by
//! guessing, and each guess takes 19 MiB and tens of ms.

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, Salt};
use argon2::{Argon2, Params};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use crate::ingest::random_key;

/// A shorter one is guessed too soon, characters.
pub const SHORTEST: usize = 12;
/// A longer one is not hashed, bytes: nobody types it, and it would cost.
pub const LONGEST_BYTES: usize = 1024;
/// Hashes that take more memory or passes than this are not checked: a check is to end soon. KiB, and passes.
const MOST: (u32, u32) = (256 << 10, 16);

/// A password that is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// It would be guessed.
    #[error(
        "a password has at least {SHORTEST} characters; four words that nobody else would put together make a good one"
    )]
    Short,
    /// It would cost.
    #[error("a password has at most {LONGEST_BYTES} bytes")]
    Long,
    /// It is no hash that can be checked.
    #[error("this is no hash of Argon2id: {0}; make one with `nanming password`")]
    Hash(String),
}

/// The hash of a new password, with a new salt.
pub fn hash(password: &str) -> Result<String, PasswordError> {
    if password.chars().count() < SHORTEST {
        return Err(PasswordError::Short);
    }
    if password.len() > LONGEST_BYTES {
        return Err(PasswordError::Long);
    }
    let salt = STANDARD_NO_PAD.encode(&random_key()[..16]);
    let broken = |error: argon2::password_hash::Error| PasswordError::Hash(error.to_string());
    let salt = Salt::from_b64(&salt).map_err(broken)?;
    Ok(Argon2::default().hash_password(password.as_bytes(), salt).map_err(broken)?.to_string())
}

/// Whether a hash can be checked at all, in bounded time and memory.
pub fn check(hash: &str) -> Result<(), PasswordError> {
    parsed(hash).map(|_| ())
}

/// Whether it is this password. It takes tens of ms: not for a thread that serves requests.
pub fn is(hash: &str, password: &str) -> bool {
    let fits = password.len() <= LONGEST_BYTES;
    fits && parsed(hash).is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

fn parsed(text: &str) -> Result<PasswordHash<'_>, PasswordError> {
    let hash = PasswordHash::new(text).map_err(|error| PasswordError::Hash(error.to_string()))?;
    let costs = Params::try_from(&hash).map_err(|error| PasswordError::Hash(error.to_string()))?;
    let fits = hash.algorithm == argon2::ARGON2ID_IDENT
        && hash.hash.is_some()
        && costs.m_cost() <= MOST.0
        && costs.t_cost() <= MOST.1;
    if fits { Ok(hash) } else { Err(PasswordError::Hash("another algorithm, no hash in it, or too costly".into())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_knows_its_password_and_no_other() {
        let (one, other) = (hash("correct horse battery").unwrap(), hash("correct horse battery").unwrap());
        assert!(one.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{one}");
        assert_ne!(one, other, "each has a salt of its own");
        assert!(is(&one, "correct horse battery") && is(&other, "correct horse battery"));
        assert!(!is(&one, "correct horse batterz") && !is(&one, "") && !is("", ""));
    }

    #[test]
    fn what_is_weak_or_would_cost_is_refused() {
        assert_eq!(hash("eleven char"), Err(PasswordError::Short));
        assert_eq!(hash("十二个字的口令应当可以"), Err(PasswordError::Short), "characters, not bytes");
        assert!(hash("十二个字的口令应当可以用").is_ok());
        assert_eq!(hash(&"x".repeat(LONGEST_BYTES + 1)), Err(PasswordError::Long));
        let good = hash("correct horse battery").unwrap();
        for bad in [
            "plain",
            "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ",
            &good.replace("argon2id", "argon2d"),
            &good.replace("m=19456", "m=4194304"),
            &good.replace("t=2", "t=1000"),
        ] {
            assert!(matches!(check(bad), Err(PasswordError::Hash(_))), "{bad}");
            assert!(!is(bad, "correct horse battery"), "{bad}");
        }
        assert_eq!(check(&good), Ok(()));
    }
}
