//! Alarms by a WeChat official account.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use nanming::ingest::gcj02::from_wgs84;
use nanming::ingest::wechat::signature;
use serde_json::json;

use crate::running::{Answer, Running, lines};

const TOKEN: &str = "a token";
const SENDER: &str = "oABCdef0123456789";
static NONCES: AtomicU64 = AtomicU64::new(1);

fn start() -> Running {
    Running::start_with(&[("NANMING_WECHAT__TOKEN", TOKEN)])
}

fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn signed(token: &str, time_s: u64, nonce: &str) -> String {
    let time = time_s.to_string();
    format!("/wechat?signature={}&timestamp={time}&nonce={nonce}", signature(token, &time, nonce))
}

fn fresh() -> String {
    signed(TOKEN, now_s(), &NONCES.fetch_add(1, Ordering::Relaxed).to_string())
}

fn say(city: &Running, id: u64, kind: &str, more: &str) -> Answer {
    let message = format!(
        "<xml><ToUserName><![CDATA[gh_1]]></ToUserName><FromUserName><![CDATA[{SENDER}]]></FromUserName>\
         <CreateTime>1</CreateTime><MsgType><![CDATA[{kind}]]></MsgType>{more}<MsgId>{id}</MsgId></xml>"
    );
    city.send("POST", &fresh(), &[("content-type", "text/xml")], message.as_bytes())
}

/// A place as a telephone tells it.
fn place(city: &Running, unit: usize) -> String {
    let (lon, lat) = city.post_of(unit);
    let (lon, lat) = from_wgs84(lon, lat);
    format!("<Location_X>{lat}</Location_X><Location_Y>{lon}</Location_Y><Label>文昌路口</Label>")
}

#[test]
fn words_and_then_a_place_become_one_call() {
    let city = start();
    let asked = say(&city, 1, "text", "<Content>有人打架</Content>");
    assert!(asked.status == 200 && asked.text.contains("位置"), "{}", asked.text);
    assert!(asked.text.contains(&format!("<ToUserName><![CDATA[{SENDER}]]>")), "{}", asked.text);
    say(&city, 2, "image", "<PicUrl>http://mmbiz.example/1</PicUrl>");
    let raised = say(&city, 3, "location", &place(&city, 3));
    let call: u64 = raised.text.split("编号 ").nth(1).unwrap().split('。').next().unwrap().parse().unwrap();
    let page = city.get(&format!("/calls/{call}")).1;
    assert_eq!((&page["words"], &page["channel"]), (&json!("有人打架\n文昌路口"), &json!("wechat")), "{page}");
    assert_eq!(page["pictures"], json!(["http://mmbiz.example/1"]));
    let (lon, lat) = city.post_of(3);
    let near = |key: &str, degrees: f64| (page[key].as_f64().unwrap() - degrees).abs() < 1e-5;
    assert!(near("lon", lon) && near("lat", lat), "WGS-84 inside: {page}");
    let again = say(&city, 3, "location", &place(&city, 3));
    assert!(again.text.contains(&format!("编号 {call}。")), "passed on again it is the same call: {}", again.text);
    let next = say(&city, 4, "location", &place(&city, 2));
    assert!(!next.text.contains(&format!("编号 {call}。")), "another place is another call: {}", next.text);

    assert_eq!(say(&city, 5, "event", "<Event>subscribe</Event>").text, "success");
    assert!(say(&city, 7, "voice", "<MediaId>1</MediaId>").text.contains("110"), "nobody is left without an answer");
    let outside = say(&city, 6, "location", "<Location_X>39.9</Location_X><Location_Y>116.4</Location_Y>");
    assert!(outside.text.contains("不在本市"), "{}", outside.text);
    assert!(city.measures("nanming_dead_letters_total{reason=\"outside_city\",stream=\"calls\"} 1"));
    let kept = city.dir.path().join("dead_letters.jsonl");
    city.wait_for("letter", || lines(&kept).len() == 1);
    for file in std::fs::read_dir(city.end().path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!String::from_utf8_lossy(&bytes).contains(SENDER), "no file knows the sender");
    }
}

#[test]
fn only_signed_messages_are_heard_and_each_once() {
    let city = start();
    let get = |path: &str| city.send("GET", &format!("{path}&echostr=hello"), &[], b"");
    let path = fresh();
    let (first, second) = (get(&path), get(&path));
    assert_eq!((first.status, first.text.as_str(), second.status), (200, "hello", 403));
    assert_eq!(second.json["error"], "replayed_nonce");
    assert_eq!(get(&signed("another token", now_s(), "x")).json["error"], "wrong_signature");
    assert_eq!(get(&signed(TOKEN, now_s() - 301, "x")).json["error"], "stale_timestamp");
    assert_eq!(city.send("POST", "/wechat", &[], b"<xml/>").status, 403);
    let path = fresh();
    let post = || city.send("POST", &path, &[], b"<xml/>");
    assert_eq!((post().status, post().status), (400, 400), "what was not answered may come again");
    for (reason, times) in [("wrong_signature", 2), ("stale_timestamp", 1), ("replayed_nonce", 1)] {
        let counted = format!("nanming_http_refusals_total{{door=\"wechat\",reason=\"{reason}\"}} {times}");
        assert!(city.measures(&counted), "{counted}");
    }
    assert!(city.measures("nanming_dead_letters_total{reason=\"malformed\",stream=\"calls\"} 2"));
}

#[test]
fn without_a_token_the_callback_is_off() {
    assert_eq!(Running::start().send("GET", &fresh(), &[], b"").json["error"], "not_enabled");
}
