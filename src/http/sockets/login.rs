//! Whose terminal it is: by a token in the head of the request, in the name of a subprotocol, or in the first frame. Without
//! a key in the configuration a terminal is believed.

use axum::extract::ws::{Message, WebSocket};
use axum::http::header::SEC_WEBSOCKET_PROTOCOL;
use axum::http::{HeaderMap, StatusCode};
use nanming_dataflows::ids::UnitId;
use serde::Deserialize;
use tokio::time::{Duration, sleep, timeout};

use super::heard::error;
use super::{Goodbye, NOT_ALLOWED, send};
use crate::clock::wall_ms;
use crate::config::Secret;
use crate::http::keys::bearer;
use crate::http::{App, Problem};
use crate::ingest::NameOrId;
use crate::login_token::{Purpose, TokenError, verify};

/// The subprotocol that is spoken.
pub(super) const PROTOCOL: &str = "nanming.terminal";
/// Browsers offer a token as one more subprotocol, whose name begins so.
const OFFERED: &str = "token.";
/// The first frame must come within so long.
const LOGIN: Duration = Duration::from_secs(10);

/// What a terminal says in the address.
#[derive(Deserialize)]
pub(in crate::http) struct Who {
    unit: Option<String>,
    after: Option<u64>,
}

/// Which unit a terminal is of, what it has seen, and until when it may stay, s since the Unix epoch.
pub(super) struct Pass {
    pub(super) unit: UnitId,
    pub(super) after: u64,
    pub(super) until_s: Option<u64>,
}

/// How a terminal comes in.
pub(super) enum Entry {
    /// It is known.
    Known(Pass),
    /// Its first frame must say who it is, and that it is the unit of the address, if there is one.
    Asked(Option<UnitId>, u64),
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(in crate::http) enum First {
    Login {
        token: String,
        #[serde(default)]
        after: u64,
    },
}

/// Looks at the head of a request.
pub(super) fn entry(app: &App, headers: &HeaderMap, who: Who) -> Result<Entry, Problem> {
    let after = who.after.unwrap_or_default();
    let Some(key) = &app.terminal_key else {
        let unit = named(app, who.unit.as_deref().unwrap_or_default())?;
        return Ok(Entry::Known(Pass { unit, after, until_s: None }));
    };
    let unit = who.unit.as_deref().map(|unit| named(app, unit)).transpose()?;
    let Some(token) = shown(headers) else { return Ok(Entry::Asked(unit, after)) };
    let known = of_token(app, key, token, unit, after);
    known.map(Entry::Known).map_err(|(reason, detail)| {
        app.metrics.http_refused("terminal", reason);
        Problem::new(StatusCode::UNAUTHORIZED, reason, detail)
    })
}

/// Hears the first frame, where it must say who the terminal is.
pub(super) async fn pass(app: &App, entry: Entry, socket: &mut WebSocket) -> Result<Pass, Goodbye> {
    let (unit, after) = match entry {
        Entry::Known(pass) => return Ok(pass),
        Entry::Asked(unit, after) => (unit, after),
    };
    let known = match timeout(LOGIN, first(socket)).await {
        Ok(Some(text)) => logged_in(app, &text, unit, after),
        _ => Err(("no_token", "log in within 10 s".into())),
    };
    match known {
        Ok(pass) => Ok(pass),
        Err((reason, detail)) => {
            app.metrics.http_refused("terminal", reason);
            send(socket, error(reason, &detail).into()).await;
            Err(Some((NOT_ALLOWED, "not logged in")))
        }
    }
}

/// Ends when a token does.
pub(in crate::http) async fn expired(until_s: Option<u64>) {
    match until_s {
        Some(until_s) => sleep(Duration::from_millis((until_s * 1000).saturating_sub(wall_ms()))).await,
        None => std::future::pending().await,
    }
}

async fn first(socket: &mut WebSocket) -> Option<String> {
    loop {
        match socket.recv().await? {
            Ok(Message::Text(text)) => return Some(text.to_string()),
            Ok(Message::Ping(_) | Message::Pong(_)) => {}
            _ => return None,
        }
    }
}

/// A reason, and what to do.
type Refusal = (&'static str, String);

fn logged_in(app: &App, text: &str, unit: Option<UnitId>, after: u64) -> Result<Pass, Refusal> {
    let no_key: Refusal = ("no_token", "terminals have no key here".into());
    let key = app.terminal_key.as_ref().ok_or(no_key)?;
    let First::Login { token, after: seen } = serde_json::from_str(text)
        .map_err(|e| ("no_token", format!("the first frame must be {{\"type\":\"login\",\"token\":..}}: {e}")))?;
    of_token(app, key, &token, unit, after.max(seen))
}

fn of_token(app: &App, key: &Secret, token: &str, unit: Option<UnitId>, after: u64) -> Result<Pass, Refusal> {
    let claim =
        verify(key, Purpose::Terminal, token, wall_ms() / 1000).map_err(|e: TokenError| (e.as_str(), e.to_string()))?;
    let of = app.validator.names().unit(&NameOrId::Name(claim.who.clone()));
    let of = of.map_err(|unfit| (unfit.reason.as_str(), unfit.detail))?;
    match unit.filter(|unit| *unit != of) {
        Some(_) => {
            Err(("wrong_unit", format!("the token is that of {}; log in as this unit, or leave it out", claim.who)))
        }
        None => Ok(Pass { unit: of, after, until_s: Some(claim.until_s) }),
    }
}

/// The token of a request, as its authorization or among the subprotocols offered.
pub(in crate::http) fn shown(headers: &HeaderMap) -> Option<&str> {
    let offers = headers.get_all(SEC_WEBSOCKET_PROTOCOL).into_iter().filter_map(|h| h.to_str().ok());
    let mut names = offers.flat_map(|offer| offer.split(',')).map(str::trim);
    bearer(headers).or_else(|| names.find_map(|name| name.strip_prefix(OFFERED)))
}

fn named(app: &App, unit: &str) -> Result<UnitId, Problem> {
    let which = unit.parse().map_or_else(|_| NameOrId::Name(unit.into()), NameOrId::Id);
    Ok(app.validator.names().unit(&which)?)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use axum::http::header::AUTHORIZATION;

    use super::*;

    #[test]
    fn a_token_is_found_as_authorization_or_among_subprotocols() {
        let with = |name, value| HeaderMap::from_iter([(name, HeaderValue::from_static(value))]);
        assert_eq!(shown(&with(AUTHORIZATION, "Bearer a.1.b")), Some("a.1.b"));
        assert_eq!(shown(&with(SEC_WEBSOCKET_PROTOCOL, "nanming.terminal, token.a.1.b")), Some("a.1.b"));
        assert_eq!(shown(&with(SEC_WEBSOCKET_PROTOCOL, "nanming.terminal")), None);
        assert_eq!(shown(&with(AUTHORIZATION, "Basic a.1.b")), None);
    }
}
