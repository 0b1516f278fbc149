//! The `Authorization: Digest` header.

/// What a sender shows.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Credentials {
    pub(super) username: String,
    pub(super) realm: String,
    pub(super) nonce: String,
    pub(super) uri: String,
    pub(super) response: String,
    /// qop, cnonce and nonce count as they are written; none where the sender knows no qop.
    pub(super) qop: Option<(String, String, String)>,
}

impl Credentials {
    /// Reads the header's value; none if it is no digest by MD5 with all that it needs.
    pub(super) fn read(header: &str) -> Option<Credentials> {
        let (scheme, rest) = header.trim().split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("digest") {
            return None;
        }
        let fields = fields(rest)?;
        let field = |name: &str| fields.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.clone());
        if field("algorithm").is_some_and(|name| !name.eq_ignore_ascii_case("md5")) {
            return None;
        }
        let qop = match field("qop") {
            None => None,
            Some(qop) if qop == "auth" => Some((qop, field("cnonce")?, field("nc").filter(|nc| is_count(nc))?)),
            Some(_) => return None,
        };
        Some(Credentials {
            username: field("username")?,
            realm: field("realm")?,
            nonce: field("nonce")?,
            uri: field("uri")?,
            response: field("response")?,
            qop,
        })
    }

    /// How often the nonce was used with this one; without qop it is used only once.
    pub(super) fn count(&self) -> u32 {
        self.qop.as_ref().and_then(|(_, _, nc)| u32::from_str_radix(nc, 16).ok()).unwrap_or(u32::MAX)
    }

    /// Whether it was made for this path, told as such or as a whole address.
    pub(super) fn is_for(&self, path: &str) -> bool {
        let after_host = self.uri.split_once("://").and_then(|(_, rest)| rest.find('/').map(|slash| &rest[slash..]));
        self.uri == path || after_host == Some(path)
    }
}

fn is_count(nc: &str) -> bool {
    nc.len() == 8 && nc.bytes().all(|b| b.is_ascii_hexdigit())
}

/// `name=value, name="quoted \" value"`; none if it is anything else.
fn fields(text: &str) -> Option<Vec<(&str, String)>> {
    let (mut fields, mut rest) = (Vec::new(), text.trim());
    while !rest.is_empty() {
        let (name, after) = rest.split_once('=')?;
        let after = after.trim_start();
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => quoted_value(quoted)?,
            None => after
                .split_once(',')
                .map_or((after.trim().to_owned(), ""), |(v, _)| (v.trim().to_owned(), &after[v.len()..])),
        };
        fields.push((name.trim(), value));
        rest = after.trim_start();
        match rest.strip_prefix(',') {
            Some(more) => rest = more.trim_start(),
            None if rest.is_empty() => {}
            None => return None,
        }
    }
    Some(fields)
}

/// The value up to its closing quote, and what follows.
fn quoted_value(text: &str) -> Option<(String, &str)> {
    let (mut value, mut escaped) = (String::new(), false);
    for (at, c) in text.char_indices() {
        match c {
            '\\' if !escaped => escaped = true,
            '"' if !escaped => return Some((value, &text[at + 1..])),
            _ => {
                value.push(c);
                escaped = false;
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WHOLE: &str = r#"Digest username="a, \"b", realm="r", nonce="n", uri="/x?a=1,2", qop=auth, nc=0000000a, cnonce="c", response="f""#;

    #[test]
    fn a_header_is_read_with_its_quotes_and_commas() {
        let shown = Credentials::read(WHOLE).unwrap();
        assert_eq!((shown.username.as_str(), shown.uri.as_str(), shown.count()), ("a, \"b", "/x?a=1,2", 10));
        let plain = WHOLE.replace("qop=auth, nc=0000000a, cnonce=\"c\", ", "");
        assert_eq!(Credentials::read(&plain).unwrap().count(), u32::MAX);
        assert!(shown.is_for("/x?a=1,2") && !shown.is_for("/x"));
        let whole = Credentials { uri: "http://10.0.0.1:80/x".into(), ..Credentials::default() };
        assert!(whole.is_for("/x") && !whole.is_for("/y"));
    }

    #[test]
    fn what_is_no_digest_is_refused() {
        for wrong in [
            "",
            "Basic abc",
            "Digest",
            "Digest x",
            "Digest username=\"a",
            &WHOLE.replace("qop=auth", "qop=auth-int"),
            &WHOLE.replace("nc=0000000a", "nc=a"),
            &WHOLE.replace("nonce=\"n\", ", ""),
            &(WHOLE.to_owned() + ", algorithm=SHA-256"),
            &WHOLE.replace("realm=\"r\",", "realm=\"r\""),
        ] {
            assert_eq!(Credentials::read(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn whatever_comes_is_read_or_refused(text in "(Digest )?([a-z]{1,5}=\"?.{0,9}\"?,? ?){0,6}") {
            let _never_a_panic = Credentials::read(&text);
        }
    }
}
