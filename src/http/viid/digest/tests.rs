use super::*;

fn gate() -> Digests {
    let users = [("platform", "secret"), ("Mufasa", "Circle Of Life")];
    let users = users.map(|(name, password)| (name.to_owned(), Secret::from(password.to_owned())));
    Digests::new("nanming".into(), users.into())
}

fn nonce_of(challenge: &str) -> String {
    challenge.split("nonce=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

/// A header as a client makes it.
fn header(gate: &Digests, user: &str, password: &str, nonce: &str, count: Option<u32>, uri: &str) -> String {
    let qop = count.map(|count| ("auth".to_owned(), "c".to_owned(), format!("{count:08x}")));
    let (username, realm, nonce, uri) = (user.into(), "nanming".into(), nonce.to_owned(), uri.into());
    let shown = Credentials { username, realm, nonce: nonce.clone(), uri, response: String::new(), qop };
    let response = gate.response(&shown, password, "POST");
    let counted = count.map_or(String::new(), |count| format!("qop=auth, nc={count:08x}, cnonce=\"c\", "));
    format!(
        "Digest username=\"{user}\", realm=\"nanming\", nonce=\"{nonce}\", uri=\"{}\", {counted}response=\"{response}\"",
        shown.uri
    )
}

#[test]
fn the_digest_is_that_of_the_rfc() {
    let gate = Digests::new("testrealm@host.com".into(), BTreeMap::new());
    let qop = Some(("auth".into(), "0a4f113b".into(), "00000001".into()));
    let shown = Credentials {
        username: "Mufasa".into(),
        realm: "testrealm@host.com".into(),
        nonce: "dcd98b7102dd2f0e8b11d0f600bfb0c093".into(),
        uri: "/dir/index.html".into(),
        response: String::new(),
        qop,
    };
    assert_eq!(gate.response(&shown, "Circle Of Life", "GET"), "6629fae49393a05397450978507c4ef1");
    let shown = Credentials { qop: None, ..shown };
    assert_eq!(gate.response(&shown, "Circle Of Life", "GET"), "670fd8c2df070c60b045671b8b24ff02");
}

#[test]
fn a_name_is_proved_once_for_each_count() {
    let gate = gate();
    let nonce = nonce_of(&gate.challenge(0, false));
    let check = |count| gate.check(Some(&header(&gate, "platform", "secret", &nonce, count, "/r")), "POST", "/r", 10);
    assert_eq!(check(Some(1)), Ok(()));
    assert_eq!(check(Some(1)), Err(Refusal::ReplayedNonce));
    assert_eq!(check(Some(3)), Ok(()));
    assert_eq!(check(Some(2)), Err(Refusal::ReplayedNonce));
    let nonce = nonce_of(&gate.challenge(0, false));
    let once = || gate.check(Some(&header(&gate, "platform", "secret", &nonce, None, "/r")), "POST", "/r", 10);
    assert_eq!((once(), once()), (Ok(()), Err(Refusal::ReplayedNonce)));
}

#[test]
fn what_is_wrong_is_not_let_in() {
    let gate = gate();
    let nonce = nonce_of(&gate.challenge(0, false));
    let check = |user: &str, password: &str, nonce: &str, uri: &str, now_ms: u64| {
        gate.check(Some(&header(&gate, user, password, nonce, Some(1), uri)), "POST", "/r", now_ms)
    };
    assert_eq!(gate.check(None, "POST", "/r", 0), Err(Refusal::NoDigest));
    assert_eq!(check("platform", "wrong", &nonce, "/r", 0), Err(Refusal::WrongDigest));
    assert_eq!(check("nobody", "", &nonce, "/r", 0), Err(Refusal::WrongDigest));
    assert_eq!(check("platform", "secret", &nonce, "/other", 0), Err(Refusal::WrongDigest));
    assert_eq!(check("platform", "secret", &nonce, "/r", LIFE_MS + 1), Err(Refusal::StaleNonce));
    let mut forged = nonce.clone();
    forged.replace_range(..1, "1");
    assert_eq!(check("platform", "secret", &forged, "/r", 0), Err(Refusal::StaleNonce));
    assert_eq!(check("platform", "secret", "贵贵贵贵贵贵贵贵贵贵贵贵", "/r", 0), Err(Refusal::StaleNonce));
    assert_eq!(check("platform", "secret", &nonce, "/r", 0), Ok(()), "it is still good for who knows");
}

#[test]
fn used_nonces_are_bounded() {
    let gate = gate();
    for number in 0..MOST_USED as u64 {
        assert_eq!(gate.use_up(number, 0, 1, 0), Ok(()));
    }
    assert_eq!(gate.use_up(1 << 40, 0, 1, 0), Err(Refusal::StaleNonce));
    assert_eq!(gate.use_up(1 << 40, LIFE_MS + 1, 1, LIFE_MS + 1), Ok(()), "those that expired make place");
}
