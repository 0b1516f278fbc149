use axum::http::Method;
use axum::http::header::AUTHORIZATION;
use proptest::prelude::*;

use super::*;
use crate::login_token::{Claim, sign};

const KEY: &str = "the key of roles, 32 bytes or more";

fn access(with: impl FnOnce(&mut Config)) -> Arc<Access> {
    let mut config = Config::default();
    config.access.key = Secret::from(KEY.to_owned());
    config.terminals.key = Secret::from("of terminals".to_owned());
    config.http.api_keys = vec![Secret::from("one".to_owned()), Secret::from("two".to_owned())];
    with(&mut config);
    let city = nanming_simulators::town::small(2, 2, 1);
    Access::new(&config, &Arc::new(Metrics::new(&city)))
}

fn token(key: &str, purpose: Purpose, who: &str, for_s: i64) -> String {
    let until_s = (wall_ms() / 1000).saturating_add_signed(for_s);
    sign(&Secret::from(key.to_owned()), purpose, &Claim { who: who.into(), until_s })
}

/// What a route says to whoever shows something.
fn asks(access: &Access, method: Method, path: &str, shown: Option<&str>) -> Result<String, &'static str> {
    let header = |shown: &str| (AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {shown}")).unwrap());
    let headers = shown.map(header).into_iter().collect();
    access.admit(rule(&method, path), &headers).map(|asker| asker.who).map_err(|refused| refused.problem().error())
}

#[test]
fn a_token_lets_in_where_its_role_may_and_nowhere_else() {
    let access = access(|_| ());
    let reads = |shown: Option<&str>| asks(&access, Method::GET, "/calls/{id}", shown);
    let role = |who: &str, for_s| token(KEY, Purpose::Role, who, for_s);
    assert_eq!(reads(Some(&role("dispatcher/李", 60))), Ok("李".into()));
    assert_eq!(reads(Some(&role("auditor/a/b", 60))), Ok("a/b".into()));
    assert_eq!(reads(Some(&role("traffic-operator/wang", 60))), Err("not_your_role"));
    assert_eq!(reads(None), Err("no_token"));
    assert_eq!(reads(Some(&role("dispatcher/li", -1))), Err("expired_token"));
    assert_eq!(
        reads(Some(&token("another key of 32 bytes or more..", Purpose::Role, "dispatcher/li", 60))),
        Err("wrong_token")
    );
    assert_eq!(reads(Some(&role("admin/li", 60))), Err("wrong_token"), "there is no such role");
    assert_eq!(reads(Some(&role("unit/P12", 60))), Err("wrong_token"), "units have tokens of their own");
    assert_eq!(reads(Some(&token("of terminals", Purpose::Terminal, "dispatcher/li", 60))), Err("not_your_role"));
    assert_eq!(reads(Some("two")), Err("not_your_role"), "a key raises calls, and reads none");
    assert_eq!(asks(&access, Method::POST, "/calls", Some("two")), Ok("key 2".into()));
    assert_eq!(asks(&access, Method::GET, "/healthz", Some("nonsense")), Ok(String::new()), "that is everybody's");
    assert_eq!(asks(&access, Method::PUT, "/calls", Some(&role("dispatcher/li", 60))), Err("no_rule"));
}

#[test]
fn the_page_s_cookie_is_a_token_too() {
    let access = access(|_| ());
    let with = |cookie: String| HeaderMap::from_iter([(COOKIE, HeaderValue::from_str(&cookie).unwrap())]);
    let admit = |cookie| access.admit(rule(&Method::GET, "/api/events"), &with(cookie)).map(|asker| asker.until_s);
    let token = token(KEY, Purpose::Role, "auditor/a", 60);
    assert!(admit(format!("lang=zh; {KEPT}={token}")).is_ok_and(|until_s| until_s.is_some()));
    assert!(admit(format!("x{KEPT}={token}")).is_err());
}

#[test]
fn without_a_key_everybody_may_do_everything() {
    let access = access(|config| config.access.key = Secret::default());
    assert_eq!(asks(&access, Method::DELETE, "/calls/{id}", None), Ok(String::new()));
}

#[test]
fn a_caller_channel_is_held_to_its_limit_and_a_dispatcher_is_not() {
    let access = access(|config| config.access.calls_per_minute = 2);
    let raise = |shown: &str| asks(&access, Method::POST, "/calls", Some(shown));
    assert_eq!(
        [raise("one"), raise("one"), raise("one")],
        [Ok("key 1".into()), Ok("key 1".into()), Err("too_many_requests")]
    );
    assert_eq!(raise("two"), Ok("key 2".into()), "another's are another's");
    let dispatcher = token(KEY, Purpose::Role, "dispatcher/li", 60);
    assert!((0..9).all(|_| raise(&dispatcher).is_ok()));
}

proptest! {
    #[test]
    fn whatever_is_shown_lets_nobody_in(shown in "[ -~]{0,80}|[A-Za-z0-9_-]{1,20}\\.[0-9]{0,25}\\.[A-Za-z0-9_-]{0,50}") {
        let access = access(|_| ());
        let header = |value: String| HeaderValue::from_str(&value).unwrap();
        for (name, value) in [(AUTHORIZATION, format!("Bearer {shown}")), (COOKIE, format!("{KEPT}={shown}")), (AUTHORIZATION, shown.clone())] {
            let headers = HeaderMap::from_iter([(name, header(value))]);
            prop_assert!(access.admit(rule(&Method::GET, "/metrics"), &headers).is_err());
        }
    }
}
