//! Decoders of what comes by HTTP and WebSocket, for [`crate::fuzzing`].

use std::io::{Cursor, Read, Write};
use std::sync::{Arc, LazyLock};

use axum::body::Bytes;
use axum::extract::Query;
use axum::http::header::{AUTHORIZATION, CONTENT_ENCODING, COOKIE, HOST, ORIGIN, SEC_WEBSOCKET_PROTOCOL};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use nanming_dataflows::event::Event;
use nanming_dataflows::ids::UnitId;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tungstenite::protocol::{Message, Role as End, WebSocket, WebSocketConfig};

use super::access::login::Shown;
use super::body::Packing;
use super::calls::{Order, Why};
use super::rosters::read::{AbsenceJson, AnswerJson, HandoverJson, PlaceJson, TaskJson, object};
use super::rules::rule;
use super::sockets::heard::{Meant, error, understand};
use super::sockets::{FRAME_BYTES, READ_BYTES, login};
use super::travel::{asked, gate};
use super::viid::digest::Digests;
use super::wechat::conversations::Conversations;
use super::wechat::{alarm, signed};
use super::{Access, Wechat, guard, keys};
use crate::config::{Config, Secret, WechatConfig};
use crate::fuzzing::{CITY, NOW_MS, VALIDATOR, assert_known, assert_says, assert_told, choosing, chosen};
use crate::ingest::fuzzing as ingest;
use crate::ingest::wechat::{self, Said};
use crate::login_token::{Claim, Purpose, sign, verify};
use crate::metrics::Metrics;

/// Unpacked, a body may be so long here.
const UNPACKED: usize = 1 << 20;
/// The key of all tokens here.
const KEY: &str = "0123456789abcdef0123456789abcdef";
/// No token here ends before.
const UNTIL_S: u64 = 4_000_000_000;

/// Bodies in JSON, and what bodies are packed in.
pub(crate) fn bodies(bytes: &[u8]) {
    let (which, body) = chosen(bytes);
    let (city, roster) = (&CITY, &CITY.rosters[0]);
    match which % 9 {
        0 => ingest::alarm(body),
        1 => {
            if let Some(Order { unit, reason }) = json::<Order>(body) {
                assert_told(VALIDATOR.names().unit(&unit).map(drop));
                assert_told(crate::ingest::alarm::reason(reason).map(drop));
            }
        }
        2 => {
            let raised = object::<TaskJson>(body).and_then(|task| task.raised(city, roster, VALIDATOR.callers()));
            if let Ok(raised) = &raised {
                assert!(city.grid_at(raised.facts.at).is_some() || raised.facts.point.is_some());
                assert!(usize::from(raised.facts.kind) < roster.kinds.len() && raised.note.pictures.len() <= 9);
            }
            assert_told(raised.map(drop));
        }
        3 => assert_told(object::<AnswerJson>(body).and_then(|answer| answer.answer()).map(drop)),
        4 => {
            let span = object::<AbsenceJson>(body).and_then(|absence| absence.span(NOW_MS));
            assert!(span.as_ref().is_ok_and(|(from, until)| from <= until) || span.is_err());
            assert_told(span.map(drop));
        }
        5 => assert_told(object::<PlaceJson>(body).and_then(|place| place.at(city)).map(drop)),
        6 => assert_told(object::<HandoverJson>(body).map(drop)),
        7 => drop(json::<Shown>(body)),
        _ => {
            for packing in [Packing::Gzip, Packing::Zstd] {
                match packing.unpack(Bytes::copy_from_slice(body), UNPACKED) {
                    Ok(plain) => assert!(plain.len() <= UNPACKED),
                    Err(problem) => assert!(!problem.detail().is_empty()),
                }
            }
        }
    }
}

fn json<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
    assert_says(serde_json::from_slice(body))
}

pub(crate) fn body_seeds() -> Vec<Vec<u8>> {
    let (lon, lat) = CITY.units[0].post.to_lon_lat(CITY.origin).degrees();
    let line = b"{\"type\":\"flow\"}\n".repeat(9);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    let gzip = gzip.write_all(&line).and_then(|()| gzip.finish());
    let packed = [gzip, zstd::encode_all(&line[..], 3)].into_iter().flatten();
    let texts = [
        (1, r#"{"unit":"P0001","reason":"near by"}"#.to_owned()),
        (1, r#"{"unit":3}"#.to_owned()),
        (2, format!(r#"{{"id":7,"kind":"missed","lon":{lon},"lat":{lat},"words":"x","channel":"app"}}"#)),
        (2, r#"{"kind":"missed","point":"a","pictures":["https://x/1"],"caller":"13800138000"}"#.to_owned()),
        (3, r#"{"person":"desk-0001","attempt":1,"answer":"decline","reason":"sick"}"#.to_owned()),
        (3, r#"{"person":"desk-0001","attempt":2,"answer":"accept"}"#.to_owned()),
        (4, r#"{"from_ms":1767657600000,"hours":8.5}"#.to_owned()),
        (4, r#"{"until_ms":1767657700000}"#.to_owned()),
        (5, format!(r#"{{"lon":{lon},"lat":{lat}}}"#)),
        (6, r#"{"to":"desk-0001"}"#.to_owned()),
        (7, r#"{"name":"li","password":"correct horse"}"#.to_owned()),
    ];
    let alarms = ingest::ALARMS.into_iter().map(|alarm| (0, alarm.as_bytes().to_vec()));
    choosing(alarms.chain(texts.map(|(which, text)| (which, text.into_bytes()))).chain(packed.map(|bytes| (8, bytes))))
}

/// What each line of an input is in the head of a request; the last one is its query.
const HEADERS: [HeaderName; 8] = [
    AUTHORIZATION,
    COOKIE,
    HeaderName::from_static("x-api-key"),
    HOST,
    ORIGIN,
    SEC_WEBSOCKET_PROTOCOL,
    HeaderName::from_static("x-forwarded-for"),
    CONTENT_ENCODING,
];

static ACCESS: LazyLock<Arc<Access>> = LazyLock::new(|| {
    let mut config = Config::default();
    config.access.key = Secret::from(KEY.to_owned());
    config.http.api_keys = vec![Secret::from("a key of a gateway".to_owned())];
    Access::new(&config, &Arc::new(Metrics::new(&CITY)))
});

/// Heads of requests: who asks, from where, and for what. Nobody is let in but with a token of this engine.
pub(crate) fn heads(bytes: &[u8]) {
    let mut lines = bytes.split(|byte| *byte == b'\n');
    let mut headers = HeaderMap::new();
    for (name, line) in HEADERS.into_iter().zip(&mut lines) {
        if let Ok(value) = HeaderValue::from_bytes(line) {
            headers.append(name, value);
        }
    }
    let desk = rule(&Method::GET, "/ws/desk");
    match ACCESS.admit(desk, &headers) {
        Ok(asker) => assert!(asker.is_known() && ["wang", "老李"].contains(&asker.who.as_str()), "{asker:?}"),
        Err(refused) => assert!(!refused.problem().detail().is_empty()),
    }
    let shown = [keys::shown(&headers), keys::bearer(&headers), login::shown(&headers)];
    for token in shown.into_iter().flatten() {
        for purpose in [Purpose::Terminal, Purpose::Roster, Purpose::Role] {
            let claim = verify(&Secret::from(KEY.to_owned()), purpose, token, NOW_MS / 1000);
            assert!(claim.is_err() || claims().iter().any(|(of, known)| *of == purpose && claim.as_ref() == Ok(known)));
        }
    }
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let _ours_or_not = (guard::is_ours(host, &["city.example".into()]), guard::is_foreign(&headers, host));
    let _anybody = gate::forwarded(&headers);
    assert!(
        Packing::of(&headers).is_ok_and(|packing| packing == Packing::Plain || headers.contains_key(CONTENT_ENCODING))
            || headers.contains_key(CONTENT_ENCODING)
    );
    lines.for_each(query);
}

/// What stands behind the `?` of an address.
fn query(text: &[u8]) {
    let text = String::from_utf8_lossy(text);
    if let Ok(uri) = format!("/x?{text}").parse::<Uri>() {
        let _any_reading = (Query::<login::Who>::try_from_uri(&uri).is_ok(), Query::<Why>::try_from_uri(&uri).is_ok());
    }
    if let Ok(ms) = asked::departure(Some(&text), NOW_MS) {
        assert!(ms <= 3 * 3_600_000);
    }
    if let Ok(place) = asked::place("from", Some(&text)) {
        let _a_point = place.to_point(CITY.origin);
    }
    let _any_lead = asked::minutes(Some(&text), &[15, 30]).is_ok();
}

fn claims() -> [(Purpose, Claim); 4] {
    let claim = |who: &str| Claim { who: who.into(), until_s: UNTIL_S };
    [
        (Purpose::Role, claim("auditor/wang")),
        (Purpose::Role, claim("dispatcher/老李")),
        (Purpose::Terminal, claim(&CITY.units[0].name)),
        (Purpose::Roster, claim("lanes/desk-0001")),
    ]
}

pub(crate) fn head_seeds() -> Vec<Vec<u8>> {
    let tokens = claims().map(|(purpose, claim)| sign(&Secret::from(KEY.to_owned()), purpose, &claim));
    let [role, other, terminal, roster] = &tokens;
    let query = "unit=12&after=7\n30\n106.713,26.578\n2026-01-06T08:30:00 08:00\nreason=%E8%AF%AF%E6%8A%A5";
    vec![
        format!("Bearer {role}\n\n\n127.0.0.1:8080\nhttp://127.0.0.1:8080\nnanming.terminal\n10.0.0.1\ngzip\n{query}"),
        format!("\na=b; nanming_role={other}; c=d\n\ncity.example:443\nnull\nnanming.terminal, token.{terminal}\n1.2.3.4, ::1\nzstd\n{query}"),
        format!("Bearer {roster}\n\na key of a gateway\n[::1]:80\nhttps://x\n\n\nidentity\n{query}"),
    ]
    .into_iter()
    .map(String::into_bytes)
    .collect()
}

/// A socket on which these bytes come, and nothing goes.
struct Wire<'a>(Cursor<&'a [u8]>);

impl Read for Wire<'_> {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(to)
    }
}

impl Write for Wire<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Frames of terminals: as they come over the socket, and what is said in them.
pub(crate) fn sockets(bytes: &[u8]) {
    let (which, rest) = chosen(bytes);
    match which % 3 {
        0 => terminal(rest),
        1 => {
            if let Some(login::First::Login { token, .. }) = json(rest) {
                let _any_token = verify(&Secret::from(KEY.to_owned()), Purpose::Terminal, &token, NOW_MS / 1000);
            }
        }
        _ => {
            let bounds = WebSocketConfig::default().max_message_size(Some(READ_BYTES)).max_frame_size(Some(READ_BYTES));
            let mut socket = WebSocket::from_raw_socket(Wire(Cursor::new(rest)), End::Server, Some(bounds));
            while let Ok(message) = socket.read() {
                assert!(message.len() <= READ_BYTES);
                if let Message::Text(text) = message
                    && text.len() <= FRAME_BYTES
                {
                    terminal(text.as_bytes());
                }
            }
        }
    }
}

fn terminal(text: &[u8]) {
    match understand(&VALIDATOR, UnitId(0), text, NOW_MS) {
        Ok(Meant::ToTheDoor(event, why)) => {
            assert_known(&event);
            assert!(
                why.is_none_or(|why| why.chars().count() <= 100) && matches!(event, Event::Ack(_) | Event::Unit(_))
            );
        }
        Ok(Meant::Seen(_) | Meant::Ping | Meant::Login) => {}
        Err((_, unfit)) => {
            let frame: Option<Value> = assert_says(serde_json::from_str(&error(unfit.reason.as_str(), &unfit.detail)));
            assert_eq!(frame.map(|frame| frame["type"] == "error"), Some(true));
            assert_told(Err(unfit));
        }
    }
}

pub(crate) const FRAMES: [&str; 5] = [
    r#"{"type":"ack","assignment":"17.1","answer":"accept"}"#,
    r#"{"type":"ack","assignment":"17.1","answer":"decline","why":"车坏了"}"#,
    r#"{"type":"report","lon":106.62,"lat":26.63,"status":"ready"}"#,
    r#"{"type":"seen","id":1767657600000001}"#,
    r#"{"type":"ping"}"#,
];

pub(crate) fn socket_seeds() -> Vec<Vec<u8>> {
    let login = format!(
        r#"{{"type":"login","token":"{}","after":7}}"#,
        sign(&Secret::from(KEY.to_owned()), Purpose::Terminal, &claims()[2].1)
    );
    let mut all: Vec<(u8, Vec<u8>)> = FRAMES.map(|text| (0, text.as_bytes().to_vec())).into();
    all.push((1, login.into_bytes()));
    for count in 1..=FRAMES.len() {
        let mut sent = WebSocket::from_raw_socket(Cursor::new(Vec::new()), End::Client, None);
        let texts = FRAMES[..count].iter().map(|text| Message::text(*text));
        let others = [Message::Ping(Default::default()), Message::binary(vec![1, 2, 3]), Message::Close(None)];
        for message in texts.chain(others) {
            // Into memory, which takes it.
            let _ = sent.send(message);
        }
        all.push((2, sent.get_ref().get_ref().clone()));
    }
    choosing(all)
}

/// Callbacks of WeChat: messages, and what an address says of its signature.
pub(crate) fn wechat(bytes: &[u8]) {
    let (which, rest) = chosen(bytes);
    if which % 2 == 1 {
        return signature(rest);
    }
    let read = wechat::read(rest);
    if let Ok(message) = &read {
        // What goes back is a message too, whatever came.
        let back = wechat::reply(message, "收到", 1).replace("</xml>", "<MsgId>1</MsgId></xml>");
        assert!(wechat::read(back.as_bytes()).is_ok(), "{back}");
        let talk = Conversations::default();
        let _kept_or_not = match &message.said {
            Said::Text(words) => talk.say(&message.from, &message.id, words, "", NOW_MS),
            Said::Picture(picture) => talk.say(&message.from, &message.id, "", picture, NOW_MS),
            Said::Place { lon, lat, label } => {
                let alarm = alarm(message, talk.heard(&message.from, NOW_MS), (*lon, *lat), label);
                assert_told(VALIDATOR.alarm(alarm).map(drop));
                Ok(())
            }
            Said::Event | Said::Other => Ok(()),
        };
    }
    assert_told(read.map(drop));
}

fn signature(query: &[u8]) {
    let Ok(uri) = format!("/wechat?{}", String::from_utf8_lossy(query)).parse::<Uri>() else { return };
    let config = WechatConfig { token: Secret::from("token".to_owned()) };
    let (Ok(Query(mut shown)), Some(account)) = (Query::<signed::Signature>::try_from_uri(&uri), Wechat::new(&config))
    else {
        return;
    };
    assert!(signed::check(&account, &shown, NOW_MS / 1000).is_err(), "a signature was guessed");
    shown.signature = wechat::signature("token", &shown.timestamp, &shown.nonce);
    if signed::check(&account, &shown, NOW_MS / 1000).is_ok() {
        assert_eq!(signed::check(&account, &shown, NOW_MS / 1000), Err("replayed_nonce"));
    }
}

pub(crate) fn wechat_seeds() -> Vec<Vec<u8>> {
    let seeds = [
        (
            0,
            "<xml><ToUserName><![CDATA[gh_1]]></ToUserName><FromUserName><![CDATA[oX1]]></FromUserName><CreateTime>1\
             </CreateTime><MsgType><![CDATA[text]]></MsgType><Content><![CDATA[有人]]></Content><MsgId>7</MsgId></xml>",
        ),
        (
            0,
            "<xml><ToUserName>gh_1</ToUserName><FromUserName>oX1</FromUserName><MsgType>location</MsgType><Location_X>\
             26.5</Location_X><Location_Y>106.6</Location_Y><Scale>1</Scale><Label>x</Label><MsgId>8</MsgId></xml>",
        ),
        (
            0,
            "<xml><ToUserName>gh_1</ToUserName><FromUserName>oX1</FromUserName><MsgType>image</MsgType><PicUrl>http://x/1\
             </PicUrl><MediaId>3</MediaId><MsgId>9</MsgId></xml>",
        ),
        (
            0,
            "<xml><ToUserName>gh_1</ToUserName><FromUserName>oX1</FromUserName><MsgType>event</MsgType><Event>subscribe\
             </Event></xml>",
        ),
        (1, "signature=7a&timestamp=1767657600&nonce=12%33&echostr=x"),
    ];
    choosing(seeds)
}

/// Cameras by GA/T 1400: batches, what devices say of themselves, and how they prove who they are.
pub(crate) fn viid(bytes: &[u8]) {
    let (which, rest) = chosen(bytes);
    match which % 3 {
        0 => ingest::vehicles(rest),
        1 => ingest::device(rest),
        _ => {
            let users = [("platform".to_owned(), Secret::from("secret".to_owned()))];
            let gate = Digests::new("nanming".into(), users.into());
            let challenge = gate.challenge(NOW_MS, false);
            let nonce = challenge.split("nonce=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
            let header = String::from_utf8_lossy(rest).replace("NONCE", nonce);
            for path in ["/VIID/System/Register", "/"] {
                assert!(gate.check(Some(&header), "POST", path, NOW_MS).is_err(), "a digest was guessed");
            }
        }
    }
}

pub(crate) fn viid_seeds() -> Vec<Vec<u8>> {
    let digests = [
        r#"Digest username="platform", realm="nanming", nonce="NONCE", uri="/VIID/System/Register", qop=auth, nc=0000000a, cnonce="c", response="00112233445566778899aabbccddeeff""#,
        r#"Digest username="a, \"b", realm="nanming", nonce="NONCE", uri="http://10.0.0.1:80/VIID/System/Register", response="f", algorithm=MD5"#,
    ];
    let devices = ingest::DEVICES.map(|text| (1, text.to_owned()));
    choosing([(0, ingest::vehicle_seed())].into_iter().chain(devices).chain(digests.map(|text| (2, text.to_owned()))))
}
