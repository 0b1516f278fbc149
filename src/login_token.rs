//! What terminals, persons of rosters and those of a role log in with: who it is and an end, signed with `terminals.key`,
//! `rosters.key` or `access.key`.
//!
//! `<call sign, or roster or roster/person, base64url>.<end, s since the Unix epoch>.<HMAC-SHA256 of both, base64url>`: letters, digits, `-`, `_` and
//! points, so that it fits into a header, a URL's fragment and the name of a subprotocol.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::config::Secret;

/// What a token is for. Signed with the rest, so that a signature made for something else with the same key is none here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The terminal of a unit.
    Terminal,
    /// A person of a roster, or its desk.
    Roster,
    /// Somebody of a role.
    Role,
}

impl Purpose {
    fn signed(self) -> &'static [u8] {
        match self {
            Purpose::Terminal => b"nanming terminal\n",
            Purpose::Roster => b"nanming roster\n",
            Purpose::Role => b"nanming role\n",
        }
    }
}

/// Whom a token stands for, and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The unit's call sign; of a roster its name, and a person's after a `/`; a role, and a name after a `/`.
    pub who: String,
    /// It ends then, s since the Unix epoch.
    pub until_s: u64,
}

/// Why a token is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It is not one of this key.
    #[error(
        "the token is not one of this engine; ask for a new one (nanming terminal-token, roster-token, role-token)"
    )]
    Wrong,
    /// It is over.
    #[error("the token has expired; ask for a new one (nanming terminal-token, roster-token, role-token)")]
    Expired,
}

impl TokenError {
    /// The name in answers and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            TokenError::Wrong => "wrong_token",
            TokenError::Expired => "expired_token",
        }
    }
}

/// Makes the token of a claim.
pub fn sign(key: &Secret, purpose: Purpose, claim: &Claim) -> String {
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(&claim.who), claim.until_s);
    let signature = mac(key, purpose, &signed).finalize().into_bytes();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// Whom a token stands for, now in s since the Unix epoch. How long it takes tells nothing of the signature.
pub fn verify(key: &Secret, purpose: Purpose, token: &str, now_s: u64) -> Result<Claim, TokenError> {
    let (signed, signature) = token.rsplit_once('.').ok_or(TokenError::Wrong)?;
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| TokenError::Wrong)?;
    mac(key, purpose, signed).verify_slice(&signature).map_err(|_| TokenError::Wrong)?;
    let claim = claim(signed).ok_or(TokenError::Wrong)?;
    if now_s < claim.until_s { Ok(claim) } else { Err(TokenError::Expired) }
}

fn claim(signed: &str) -> Option<Claim> {
    let (who, until_s) = signed.split_once('.')?;
    let who = String::from_utf8(URL_SAFE_NO_PAD.decode(who).ok()?).ok()?;
    Some(Claim { who, until_s: until_s.parse().ok()? })
}

fn mac(key: &Secret, purpose: Purpose, signed: &str) -> Hmac<Sha256> {
    // A key of any length will do.
    let mac = Hmac::<Sha256>::new_from_slice(key.expose().as_bytes());
    let mut mac = mac.unwrap_or_else(|error| panic!("HMAC refuses a key: {error}"));
    mac.update(purpose.signed());
    mac.update(signed.as_bytes());
    mac
}

#[cfg(test)]
mod tests {
    use super::Purpose::*;
    use super::*;

    fn key(text: &str) -> Secret {
        text.to_owned().into()
    }

    #[test]
    fn a_token_stands_for_its_unit_until_it_ends() {
        let claim = Claim { who: "巡12".into(), until_s: 100 };
        let token = sign(&key("k"), Terminal, &claim);
        assert!(token.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)), "{token}");
        assert_eq!(verify(&key("k"), Terminal, &token, 99), Ok(claim));
        assert_eq!(verify(&key("k"), Terminal, &token, 100), Err(TokenError::Expired));
        assert_eq!(
            verify(&key("k"), Roster, &token, 99),
            Err(TokenError::Wrong),
            "of the same key, for something else"
        );
        assert_eq!(verify(&key("other"), Terminal, &token, 99), Err(TokenError::Wrong));
    }

    #[test]
    fn nothing_of_a_token_can_be_changed() {
        let token = sign(&key("k"), Terminal, &Claim { who: "P12".into(), until_s: 100 });
        let later = token.replacen(".100.", ".999.", 1);
        let other = token.replacen(&URL_SAFE_NO_PAD.encode("P12"), &URL_SAFE_NO_PAD.encode("P13"), 1);
        for forged in [later.as_str(), other.as_str(), &token[..token.len() - 2], "", ".", "..", "a.b.c"] {
            assert_eq!(verify(&key("k"), Terminal, forged, 1), Err(TokenError::Wrong), "{forged}");
        }
    }
}
