//! Logging in with a name and a password, for people at the operators' page; and out again.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, SET_COOKIE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::{Access, KEPT, Refused};
use crate::clock::wall_ms;
use crate::http::body::whole;
use crate::http::travel::client;
use crate::http::{Problem, Surface};
use crate::login_token::{Claim, Purpose, sign};
use crate::password;
use crate::roles::Role;

/// Passwords are checked one at a time; whoever waits longer for it is asked to come again.
const PATIENCE: Duration = Duration::from_secs(3);
/// The name and password must be there within so long.
const WITHIN: Duration = Duration::from_secs(10);
/// The hash that an unknown name is checked against, so that the time does not tell which names there are. Nobody's.
const NOBODY_S: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGF0IGFsbCE$5uOoJOkDL4dtvz5n2LhyKXjVUUykU1qJcu3GLlMrdrQ";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct Shown {
    name: String,
    password: String,
}

/// `POST /login`.
pub(in crate::http) async fn login(
    State(surface): State<Arc<Surface>>,
    request: Request,
) -> Result<Response, Response> {
    let access = Arc::clone(&surface.app.access);
    let Some(key) = access.key.clone() else { return Err(off().into_response()) };
    let from = client(&access.proxies, &request);
    access.may_try(from).map_err(IntoResponse::into_response)?;
    let body = whole(request, WITHIN).await.map_err(IntoResponse::into_response)?;
    let shown: Shown = serde_json::from_slice(&body).map_err(|_| malformed().into_response())?;
    let name = shown.name.clone();
    let Some(role) = access.checked(shown).await.map_err(IntoResponse::into_response)? else {
        access.metrics.http_refused("role", "wrong_password");
        // Who types a password where the name belongs is not to find it in the log.
        tracing::warn!(%from, "a log-in failed");
        let detail = "there is nobody of this name and password";
        return Err(Problem::new(StatusCode::UNAUTHORIZED, "wrong_password", detail).into_response());
    };
    let until_s = wall_ms() / 1000 + access.login_min * 60;
    let who = format!("{}/{name}", role.as_str());
    let token = sign(&key, Purpose::Role, &Claim { who, until_s });
    tracing::info!(name, role = role.as_str(), %from, "logged in");
    let answer = json!({"token": token, "name": name, "role": role.as_str(), "until_s": until_s});
    Ok(with_cookie(&access, Json(answer), &token, access.login_min * 60))
}

/// `POST /logout`: the browser forgets. A token that was read out of the answer is good until it ends.
pub(in crate::http) async fn logout(State(surface): State<Arc<Surface>>) -> Response {
    with_cookie(&surface.app.access, Json(json!({"ok": true})), "", 0)
}

impl Access {
    /// An address tries so often a minute and no more.
    fn may_try(&self, from: std::net::IpAddr) -> Result<(), Refused> {
        let now_ms = self.began.elapsed().as_millis() as u64;
        let tried = self.logins.lock().unwrap_or_else(PoisonError::into_inner).take(from, now_ms);
        tried.map_err(|after_s| {
            self.metrics.http_refused("role", "too_many_requests");
            Refused::TooOften(after_s)
        })
    }

    /// The role of a name with its password; none where they are nobody's.
    async fn checked(&self, shown: Shown) -> Result<Option<Role>, Problem> {
        let busy = || Problem::unavailable("busy", "too many log in at once; again in a moment");
        let Ok(Ok(turn)) = timeout(PATIENCE, Arc::clone(&self.turn).acquire_owned()).await else { return Err(busy()) };
        let person = self.persons.get(&shown.name);
        let hash = person.map_or(NOBODY_S, |person| person.password.expose()).to_owned();
        let checked = spawn_blocking(move || {
            let _turn = turn;
            password::is(&hash, &shown.password)
        });
        let is_theirs = checked.await.map_err(|_| Problem::broken("the password could not be checked"))?;
        Ok(person.filter(|_| is_theirs).map(|person| person.role))
    }
}

/// An answer with the cookie: no script reads it, and no other site makes a browser send it.
fn with_cookie(access: &Access, answer: Json<serde_json::Value>, token: &str, age_s: u64) -> Response {
    let secure = if access.is_secure { "; Secure" } else { "" };
    let cookie = format!("{KEPT}={token}; Path=/; Max-Age={age_s}; HttpOnly; SameSite=Strict{secure}");
    let mut response = ([(CACHE_CONTROL, "no-store")], answer).into_response();
    // Tokens are made of letters, digits, and what headers may hold.
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    response
}

fn off() -> Problem {
    let detail = "there are no roles here, and nobody logs in: set access.key and access.persons";
    Problem::new(StatusCode::NOT_FOUND, "not_enabled", detail)
}

fn malformed() -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "malformed", "send {\"name\":\"..\",\"password\":\"..\"}")
}
