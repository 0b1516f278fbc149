//! The decoder of GA/T 1049, for [`crate::fuzzing`].

use std::sync::{Arc, LazyLock};

use super::client::Client;
use super::message::MAX_MESSAGE;
use super::{Crosses, Desk, Kind, Message, Object, Operation, Split};
use crate::clock::Clock;
use crate::config::{Gat1049Config, Secret};
use crate::fuzzing::{CITY, NOW_MS};
use crate::metrics::Metrics;

/// A city without controllers of its own: a second after its start.
static DESK: LazyLock<Desk> = LazyLock::new(|| {
    let users = [("ticp".to_owned(), Secret::from("secret".to_owned()))].into();
    let config = Gat1049Config { users, ..Gat1049Config::default() };
    let crosses = Arc::new(Crosses::new(Arc::clone(&CITY), None, config.agency.clone()));
    crosses.beat(NOW_MS, 1_000);
    let (clock, metrics) = (Clock::starting_at(NOW_MS, 1.0), Arc::new(Metrics::new(&CITY)));
    Desk::new(&config, (Arc::clone(&CITY), clock), None, crosses, metrics)
});

/// What a platform says on a connection, in pieces; `TOKEN` stands for the token that it was given. All that goes back are
/// messages.
pub(crate) fn messages(bytes: &[u8]) {
    let (mut client, mut split) = (Client::default(), Split::default());
    let token = client
        .hear(&DESK, &login("secret"))
        .first()
        .and_then(|answer| Message::read(answer).ok())
        .map(|answer| answer.token)
        .unwrap_or_default();
    let said = replaced(bytes, b"TOKEN", token.as_bytes());
    for piece in said.chunks(1_000) {
        let Some(texts) = split.take(piece) else {
            assert!(said.len() > MAX_MESSAGE);
            return;
        };
        for text in texts {
            stable(&text);
            let answers = [client.hear(&DESK, &text), client.look(&DESK)].concat();
            for answer in answers {
                assert!(Message::read(&answer).is_ok(), "{}", answer.escape_ascii());
            }
            for hold in client.holds() {
                let stages = CITY.junctions[hold.junction.index()].stages.len();
                assert!(hold.stage.is_none_or(|stage| usize::from(stage) < stages));
            }
        }
    }
}

/// A message that was read and written is read as what it was. What XML makes of line ends comes of it the first time.
fn stable(text: &[u8]) {
    match Message::read(text) {
        Ok(message) => {
            let once = Message::read(&message.write("2.0"));
            let twice = once.as_ref().ok().map(|message| Message::read(&message.write("2.0")));
            assert_eq!(twice.as_ref(), Some(&once));
        }
        Err(fault) => assert!(!fault.why.is_empty()),
    }
}

fn replaced(bytes: &[u8], name: &[u8], value: &[u8]) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::new(), bytes);
    while let Some(at) = rest.windows(name.len()).position(|window| window == name) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(value);
        rest = &rest[at + name.len()..];
    }
    out.extend_from_slice(rest);
    out
}

fn login(password: &str) -> Vec<u8> {
    let user = Object::of("SDO_User", [Object::text("UserName", "ticp"), Object::text("Pwd", password)]);
    request("", "Login", vec![user])
}

fn request(token: &str, name: &str, objects: Vec<Object>) -> Vec<u8> {
    let operations = vec![Operation { order: "1".into(), name: name.into(), objects }];
    let (from, to, seq) = ("TICP".into(), "UTCS".into(), "7".into());
    Message { token: token.into(), from, to, kind: Kind::Request, seq, operations }.write("2.0")
}

pub(crate) fn message_seeds() -> Vec<Vec<u8>> {
    let of = |name: &str, fields: &[(&str, &str)]| {
        Object::of(name, fields.iter().map(|(name, text)| Object::text(name, text)).collect::<Vec<_>>())
    };
    let all = |name: &str| vec![of("SDO_MsgEntity", &[("ObjName", name)])];
    let cross = "520100800001";
    let lock =
        [("CrossID", cross), ("Type", "1"), ("Entrance", "1"), ("Exit", "2"), ("LockStageNo", "1"), ("Duration", "30")];
    let ids = Object::of("CrossIDList", [Object::text("CrossID", cross)]);
    let report = Object::of("CrossReportCtrl", [Object::text("Cmd", "Start"), Object::text("Type", "CrossStage"), ids]);
    let said = [
        login("secret"),
        login("wrong"),
        request("TOKEN", "Subscribe", all("CrossState")),
        request("TOKEN", "Subscribe", Vec::new()),
        request("TOKEN", "Unsubscribe", all("CrossCycle")),
        request("TOKEN", "Get", vec![of("TSCCmd", &[("ObjName", "CrossModePlan"), ("ID", cross)])]),
        request("TOKEN", "Set", vec![of("LockFlowDirection", &lock)]),
        request("TOKEN", "Set", vec![of("LockFlowDirection", &lock[..4])]),
        request("TOKEN", "Set", vec![of("UnlockFlowDirection", &lock[..1])]),
        request("TOKEN", "Set", vec![report]),
        request("TOKEN", "Logout", Vec::new()),
    ];
    let whole = said.concat();
    said.into_iter().chain([whole]).collect()
}
