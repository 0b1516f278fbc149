//! Who asks, and whether they may: every request passes here on its way to a route, and the table of [`super::rules`] decides.
//! Without a key of roles whoever reaches the engine may do all; it then listens on this machine only.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{COOKIE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::sync::Semaphore;

use super::Problem;
use super::keys::shown as shown_key;
use super::rules::{Proof, Rule, rule};
use crate::clock::wall_ms;
use crate::config::{Config, PersonConfig, Secret};
use crate::login_token::{Purpose, TokenError, verify};
use crate::metrics::Metrics;
use crate::roles::Role;
use crate::travel::limit::{Limit, Network};

pub(super) mod login;

/// The cookie of the operators' page, which holds the token of a role.
const KEPT: &str = "nanming_role";

/// Keys and persons, and how often they may ask.
pub struct Access {
    key: Option<Secret>,
    terminal_key: Option<Secret>,
    roster_key: Option<Secret>,
    api_keys: Vec<Secret>,
    persons: BTreeMap<String, PersonConfig>,
    login_min: u64,
    /// Whether browsers may send the cookie over TLS only.
    is_secure: bool,
    proxies: Vec<std::net::IpAddr>,
    logins: Mutex<Limit<Network>>,
    calls: Mutex<Limit<String>>,
    /// Of who checks a password: it takes memory.
    turn: Arc<Semaphore>,
    began: Instant,
    metrics: Arc<Metrics>,
}

/// Who asks. Handlers find it among a request's extensions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asker {
    /// A name, a call sign, the number of a key; empty: nobody proved anything.
    pub(super) who: String,
    /// What they have proved. Everybody is a citizen.
    roles: Vec<Role>,
    /// Their token ends then, s since the Unix epoch.
    pub(super) until_s: Option<u64>,
    /// Whether there are roles at all.
    is_held: bool,
}

impl Asker {
    fn nobody(is_held: bool) -> Asker {
        Asker { who: String::new(), roles: Vec::new(), until_s: None, is_held }
    }

    /// Whether roles were asked for, and this one is among them.
    pub(super) fn is_known(&self) -> bool {
        self.is_held && !self.roles.is_empty()
    }

    /// Whether they may do what one of these roles may.
    pub(super) fn has(&self, wanted: &[Role]) -> bool {
        !self.is_held || wanted.contains(&Role::Citizen) || wanted.iter().any(|role| self.roles.contains(role))
    }
}

impl Access {
    /// As it is configured.
    pub fn new(config: &Config, metrics: &Arc<Metrics>) -> Arc<Access> {
        let access = &config.access;
        Arc::new(Access {
            key: access.key().cloned(),
            terminal_key: config.terminal_key().cloned(),
            roster_key: config.roster_key().cloned(),
            api_keys: config.http.api_keys.clone(),
            persons: access.persons.clone(),
            login_min: access.login_min,
            is_secure: config.http.tls_certificate.is_some() || config.http.behind_proxy,
            proxies: config.travel.proxies.clone(),
            logins: Mutex::new(Limit::new(access.logins_per_minute)),
            calls: Mutex::new(Limit::new(access.calls_per_minute)),
            turn: Arc::new(Semaphore::new(1)),
            began: Instant::now(),
            metrics: Arc::clone(metrics),
        })
    }

    /// Who asks for a route, if they may.
    pub(super) fn admit(&self, rule: Option<&Rule>, headers: &HeaderMap) -> Result<Asker, Refused> {
        let Some(key) = &self.key else { return Ok(Asker::nobody(false)) };
        let Some(rule) = rule else { return Err(Refused::NoRule) };
        if rule.proof == Proof::Own {
            return Ok(Asker::nobody(true));
        }
        let asked = self.identify(key, headers);
        let is_open = rule.roles.contains(&Role::Citizen);
        match asked {
            Ok(Some(asker)) if asker.has(rule.roles) => self.in_time(rule, asker),
            Ok(Some(asker)) => Err(Refused::NotYourRole(asker.roles)),
            Ok(None) | Err(_) if is_open => Ok(Asker::nobody(true)),
            Ok(None) => Err(Refused::NoToken),
            Err(error) => Err(Refused::Token(error)),
        }
    }

    /// Whoever a request proves to be from; none where it shows nothing.
    fn identify(&self, key: &Secret, headers: &HeaderMap) -> Result<Option<Asker>, TokenError> {
        let Some(shown) = shown_key(headers).or_else(|| cookie(headers)) else { return Ok(None) };
        // Every key is looked at, so that the time tells nothing.
        let keys = self.api_keys.iter().enumerate();
        let own = keys.fold(None, |found, (number, key)| if key.is(shown) { Some(number) } else { found });
        if let Some(number) = own {
            let roles = vec![Role::CallerChannel, Role::CameraPlatform, Role::Unit];
            return Ok(Some(Asker { who: format!("key {}", number + 1), roles, until_s: None, is_held: true }));
        }
        let keys = [
            (Some(key), Purpose::Role),
            (self.terminal_key.as_ref(), Purpose::Terminal),
            (self.roster_key.as_ref(), Purpose::Roster),
        ];
        let mut told = TokenError::Wrong;
        for (key, purpose) in keys.into_iter().filter_map(|(key, purpose)| Some((key?, purpose))) {
            match verify(key, purpose, shown, wall_ms() / 1000) {
                Ok(claim) => {
                    let (role, who) = match purpose {
                        Purpose::Terminal => (Role::Unit, claim.who),
                        Purpose::Roster => (Role::Staff, claim.who),
                        Purpose::Role => named(&claim.who).ok_or(TokenError::Wrong)?,
                    };
                    return Ok(Some(Asker { who, roles: vec![role], until_s: Some(claim.until_s), is_held: true }));
                }
                Err(TokenError::Expired) => told = TokenError::Expired,
                Err(TokenError::Wrong) => {}
            }
        }
        Err(told)
    }

    fn in_time(&self, rule: &Rule, asker: Asker) -> Result<Asker, Refused> {
        if (rule.method, rule.path) == ("POST", "/calls") {
            self.raises(&asker)?;
        }
        Ok(asker)
    }

    /// A caller channel raises so many alarms a minute and no more; a dispatcher as many as there are.
    pub(super) fn raises(&self, asker: &Asker) -> Result<(), Refused> {
        if !asker.is_held || !asker.roles.contains(&Role::CallerChannel) {
            return Ok(());
        }
        let now_ms = self.began.elapsed().as_millis() as u64;
        let taken = self.calls.lock().unwrap_or_else(PoisonError::into_inner).take(asker.who.clone(), now_ms);
        taken.map_err(Refused::TooOften)
    }
}

/// The role and the name that a token of a role says.
fn named(who: &str) -> Option<(Role, String)> {
    let (role, name) = who.split_once('/')?;
    let role = Role::of(role).filter(|role| role.longest_min().is_some())?;
    Some((role, name.to_owned()))
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let all = headers.get_all(COOKIE).into_iter().filter_map(|header| header.to_str().ok());
    all.flat_map(|header| header.split(';')).find_map(|one| one.trim().strip_prefix(KEPT)?.strip_prefix('='))
}

/// Why somebody may not.
pub(super) enum Refused {
    NoRule,
    NoToken,
    Token(TokenError),
    NotYourRole(Vec<Role>),
    TooOften(u64),
}

impl Refused {
    pub(super) fn problem(&self) -> Problem {
        match self {
            Refused::NoRule => Problem::new(StatusCode::FORBIDDEN, "no_rule", "no role may do this here"),
            Refused::NoToken => Problem::new(
                StatusCode::UNAUTHORIZED,
                "no_token",
                "log in at POST /login, or send a token (nanming role-token) or a key of http.api_keys as Authorization: Bearer",
            ),
            Refused::Token(error) => Problem::new(StatusCode::UNAUTHORIZED, error.as_str(), error.to_string()),
            Refused::NotYourRole(roles) => {
                let roles: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
                let detail = format!("{} may not do this; docs/security.md has who may", roles.join(", "));
                Problem::new(StatusCode::FORBIDDEN, "not_your_role", detail)
            }
            Refused::TooOften(after_s) => {
                let detail = format!("too many at once; again after {after_s} s; an alarm goes another way meanwhile");
                Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", detail)
            }
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut response = self.problem().into_response();
        match self {
            Refused::NoToken | Refused::Token(_) => {
                response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            Refused::TooOften(after_s) => {
                response.headers_mut().insert(RETRY_AFTER, after_s.into());
            }
            Refused::NoRule | Refused::NotYourRole(_) => {}
        }
        response
    }
}

/// Lets a request through, or not. Paths that no route has are answered by the page's files, which are everybody's.
pub(super) async fn admit(State(access): State<Arc<Access>>, mut request: Request, next: Next) -> Response {
    let admitted = match request.extensions().get::<MatchedPath>() {
        Some(path) => access.admit(rule(request.method(), path.as_str()), request.headers()),
        None => Ok(Asker::nobody(access.key.is_some())),
    };
    match admitted {
        Ok(asker) => {
            request.extensions_mut().insert(asker);
            next.run(request).await
        }
        Err(refused) => {
            access.metrics.http_refused("role", refused.problem().error());
            refused.into_response()
        }
    }
}

#[cfg(test)]
mod tests;
