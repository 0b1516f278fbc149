//! Who asks a roster, where `rosters.key` is set: a person, who sees and answers what is theirs, or the desk of a roster,
//! which may do all. Without a key whoever asks is believed.

use axum::http::{HeaderMap, StatusCode};
use nanming_dataflows::ids::PersonId;
use nanming_dataflows::network::Roster;

use super::{App, Problem, find};
use crate::clock::wall_ms;
use crate::config::Secret;
use crate::http::keys::bearer;
use crate::login_token::{Claim, Purpose, TokenError, verify};

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    /// The desk, or anybody where there is no key.
    Desk,
    /// A person.
    Person(PersonId),
}

impl Who {
    /// Only the desk may.
    pub(super) fn desk(self) -> Result<(), Problem> {
        if self == Who::Desk { Ok(()) } else { Err(not_yours()) }
    }

    /// Only this person and the desk may.
    pub(super) fn is(self, person: PersonId) -> Result<(), Problem> {
        if self.sees(Some(person)) { Ok(()) } else { Err(not_yours()) }
    }

    /// Whether what is this person's may be shown.
    pub(super) fn sees(self, person: Option<PersonId>) -> bool {
        self == Who::Desk || person.is_some_and(|person| self == Who::Person(person))
    }
}

fn not_yours() -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "not_yours",
        "the token is another person's; ask with theirs, or with the desk's",
    )
}

/// The roster of a name, and who asks it.
pub(super) fn enter<'a>(app: &'a App, headers: &HeaderMap, name: &str) -> Result<(&'a Roster, Who), Problem> {
    let Some(key) = &app.roster_key else { return find(app, name).map(|roster| (roster, Who::Desk)) };
    let claim = claim(app, key, headers)?;
    let (of, person) = claim.who.split_once('/').map_or((claim.who.as_str(), None), |(of, who)| (of, Some(who)));
    if of != name {
        return Err(not_yours());
    }
    let roster = find(app, name)?;
    let who = match person {
        None => Who::Desk,
        Some(person) => Who::Person(super::find_person(roster, person)?),
    };
    Ok((roster, who))
}

/// The rosters that who asks may see.
pub(super) fn rosters<'a>(app: &'a App, headers: &HeaderMap) -> Result<Vec<&'a Roster>, Problem> {
    let all = app.city.rosters.iter();
    let Some(key) = &app.roster_key else { return Ok(all.collect()) };
    let claim = claim(app, key, headers)?;
    let of = claim.who.split('/').next().unwrap_or_default();
    Ok(all.filter(|roster| roster.name == of).collect())
}

fn claim(app: &App, key: &Secret, headers: &HeaderMap) -> Result<Claim, Problem> {
    let refused = |reason: &'static str, detail: String| {
        app.metrics.http_refused("roster", reason);
        Problem::new(StatusCode::UNAUTHORIZED, reason, detail)
    };
    let detail = "send a token of nanming roster-token as Authorization: Bearer";
    let token = bearer(headers).ok_or_else(|| refused("no_token", detail.into()))?;
    verify(key, Purpose::Roster, token, wall_ms() / 1000).map_err(|e: TokenError| refused(e.as_str(), e.to_string()))
}
