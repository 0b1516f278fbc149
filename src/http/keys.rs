//! Keys of senders: `X-Api-Key`, or `Authorization: Bearer`.

use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};

use super::Problem;
use crate::config::Secret;

/// Whether a sender has a key, or needs none.
pub(super) fn check(keys: &[Secret], headers: &HeaderMap) -> Result<(), Problem> {
    if keys.is_empty() {
        return Ok(());
    }
    let Some(shown) = shown(headers) else {
        let detail = "send a key of http.api_keys as X-Api-Key, or as Authorization: Bearer";
        return Err(Problem::new(StatusCode::UNAUTHORIZED, "no_key", detail));
    };
    // Every key is looked at, so that the time tells nothing.
    if keys.iter().fold(false, |known, key| key.is(shown) | known) {
        Ok(())
    } else {
        Err(Problem::new(StatusCode::FORBIDDEN, "wrong_key", "the key is none of http.api_keys"))
    }
}

/// What somebody shows, as a key or after `Bearer`.
pub(super) fn shown(headers: &HeaderMap) -> Option<&str> {
    headers.get("x-api-key").and_then(|key| key.to_str().ok()).or_else(|| bearer(headers))
}

/// What stands after `Bearer` in the head of a request.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, key) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(key.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_asked_for_where_there_are_any() {
        let keys = ["one", "two"].map(|key| Secret::from(key.to_owned()));
        let said = |name: &'static str, value: &str| {
            check(&keys, &HeaderMap::from_iter([(name.parse().unwrap(), value.parse().unwrap())]))
                .map(|()| "in")
                .map_err(|problem| problem.error())
        };
        assert!(check(&[], &HeaderMap::new()).is_ok());
        assert_eq!(said("accept", "*/*"), Err("no_key"));
        assert_eq!(said("x-api-key", "two"), Ok("in"));
        assert_eq!(said("authorization", "bearer one"), Ok("in"));
        assert_eq!(said("authorization", "Basic one"), Err("no_key"));
        assert_eq!(said("x-api-key", "on"), Err("wrong_key"));
        assert_eq!(said("x-api-key", ""), Err("wrong_key"));
    }
}
