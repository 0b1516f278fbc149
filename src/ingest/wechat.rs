//! Messages to a WeChat official account, as its server passes them on: XML in plain mode. Pure.

use nanming_dataflows::decision::Reason;
use roxmltree::{Document, ParsingOptions};
use sha1::{Digest, Sha1};

use super::{Unfit, gcj02};

/// Nodes of a message at most: one has about a dozen elements.
const MOST_NODES: u32 = 200;
/// Longest account ID.
const MAX_ACCOUNT: usize = 64;

/// A message.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Who sent it (an OpenID).
    pub from: String,
    /// The official account.
    pub to: String,
    /// `MsgId`: the same when it is passed on again.
    pub id: String,
    /// What it says.
    pub said: Said,
}

/// What a message says.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    /// Words.
    Text(String),
    /// Where a picture is.
    Picture(String),
    /// A place, degrees of WGS-84, and what the sender's map calls it.
    Place {
        /// Longitude.
        lon: f64,
        /// Latitude.
        lat: f64,
        /// Its name.
        label: String,
    },
    /// No message of a person: somebody follows the account, say.
    Event,
    /// What cannot be taken: voice, films, links.
    Other,
}

/// Reads a message.
pub fn read(body: &[u8]) -> Result<Message, Unfit> {
    let malformed = |why: String| Unfit::new(Reason::Malformed, why);
    let text = std::str::from_utf8(body).map_err(|error| malformed(error.to_string()))?;
    let options = ParsingOptions { allow_dtd: false, nodes_limit: MOST_NODES, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text, options).map_err(|error| malformed(error.to_string()))?;
    let root = document.root_element();
    let field = |name: &str| {
        let element = root.children().find(|child| child.has_tag_name(name));
        element.and_then(|element| element.text()).map(str::trim).filter(|text| !text.is_empty())
    };
    let needed = |name: &str| field(name).ok_or_else(|| malformed(format!("<{name}> is missing")));
    if field("Encrypt").is_some() {
        return Err(malformed("the account sends in safe mode: set its server to plain mode".into()));
    }
    let account = |name: &str| {
        let id = needed(name)?;
        let holds = |c: char| c.is_ascii_alphanumeric() || "_-@.".contains(c);
        let fits = id.len() <= MAX_ACCOUNT && id.chars().all(holds);
        if fits { Ok(id.to_owned()) } else { Err(malformed(format!("<{name}> is no account"))) }
    };
    let said = match needed("MsgType")? {
        "text" => Said::Text(needed("Content")?.into()),
        "image" => Said::Picture(field("PicUrl").or(field("MediaId")).unwrap_or_default().into()),
        "location" => {
            let degrees = |name: &str| {
                needed(name)?.parse::<f64>().map_err(|_| malformed(format!("<{name}> is not a number of degrees")))
            };
            // X is the latitude here.
            let (lon, lat) = gcj02::to_wgs84(degrees("Location_Y")?, degrees("Location_X")?);
            Said::Place { lon, lat, label: field("Label").unwrap_or_default().into() }
        }
        "event" => Said::Event,
        _ => Said::Other,
    };
    let id = match (&said, field("MsgId")) {
        (Said::Event | Said::Other, id) => id.unwrap_or_default(),
        (_, id) => id.ok_or_else(|| malformed("<MsgId> is missing".into()))?,
    };
    Ok(Message { from: account("FromUserName")?, to: account("ToUserName")?, id: id.chars().take(64).collect(), said })
}

/// The signature that a request with this timestamp and nonce must bear: SHA-1 of the three, sorted.
pub fn signature(token: &str, timestamp: &str, nonce: &str) -> String {
    let mut parts = [token, timestamp, nonce];
    parts.sort_unstable();
    Sha1::digest(parts.concat().as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The answer to a message: words, for its sender to read.
pub fn reply(to: &Message, words: &str, now_s: u64) -> String {
    format!(
        "<xml><ToUserName><![CDATA[{}]]></ToUserName><FromUserName><![CDATA[{}]]></FromUserName>\
         <CreateTime>{now_s}</CreateTime><MsgType><![CDATA[text]]></MsgType>\
         <Content><![CDATA[{}]]></Content></xml>",
        to.from,
        to.to,
        words.replace("]]>", "")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: &str, rest: &str) -> String {
        format!(
            "<xml><ToUserName><![CDATA[gh_1]]></ToUserName><FromUserName><![CDATA[oX-_1]]></FromUserName>\
             <CreateTime>1</CreateTime><MsgType><![CDATA[{kind}]]></MsgType>{rest}<MsgId>7</MsgId></xml>"
        )
    }

    fn said(kind: &str, rest: &str) -> Result<Said, Reason> {
        read(message(kind, rest).as_bytes()).map(|message| message.said).map_err(|unfit| unfit.reason)
    }

    #[test]
    fn words_pictures_and_places_are_read() {
        let text = read(message("text", "<Content><![CDATA[ 有人 <打架> ]]></Content>").as_bytes()).unwrap();
        assert_eq!((text.from.as_str(), text.to.as_str(), text.id.as_str()), ("oX-_1", "gh_1", "7"));
        assert_eq!(text.said, Said::Text("有人 <打架>".into()));
        assert_eq!(said("image", "<PicUrl>http://x/1</PicUrl>"), Ok(Said::Picture("http://x/1".into())));
        assert_eq!(said("event", "<Event>subscribe</Event>"), Ok(Said::Event));
        assert_eq!(said("voice", "<MediaId>1</MediaId>"), Ok(Said::Other));
        let place =
            "<Location_X>31.17530398364597</Location_X><Location_Y>121.531541859215</Location_Y><Label>这里</Label>";
        let Ok(Said::Place { lon, lat, label }) = said("location", place) else { panic!("no place") };
        assert!(
            (lon - 121.527_210_6).abs() < 1e-6 && (lat - 31.177_427_6).abs() < 1e-6,
            "one datum inside: {lon} {lat}"
        );
        assert_eq!(label, "这里");
    }

    #[test]
    fn what_is_no_message_is_refused() {
        let deep = format!("{}{}", "<a>".repeat(5000), "</a>".repeat(5000));
        for wrong in [
            "",
            "{}",
            "<xml>",
            "<xml><MsgType>text</MsgType></xml>",
            &message("text", ""),
            &message("location", "<Location_X>x</Location_X><Location_Y>1</Location_Y>"),
            &message("text", "<Content>x</Content>").replace("<MsgId>7</MsgId>", ""),
            &message("text", "<Content>x</Content>").replace("oX-_1", "o]]&gt;<x>"),
            &message("text", "<Content>x</Content><Encrypt>x</Encrypt>"),
            &message("text", &deep),
            "<!DOCTYPE x [<!ENTITY a \"b\">]><xml>&a;</xml>",
            &format!("<!DOCTYPE x>{}", message("text", "<Content>x</Content>")),
        ] {
            assert_eq!(read(wrong.as_bytes()).map_err(|unfit| unfit.reason), Err(Reason::Malformed), "{wrong:.200}");
        }
        assert!(read(&[0xff, 0xfe]).is_err());
    }

    #[test]
    fn a_signature_is_sha1_of_the_sorted_parts() {
        // sha1("1" "a" "token"), whatever the order in which they are told.
        assert_eq!(signature("token", "1", "a"), signature("a", "token", "1"));
        assert_eq!(signature("b", "c", "a"), "a9993e364706816aba3e25717850c26c9cd0d89d");
    }

    #[test]
    fn a_reply_goes_back_to_its_sender() {
        let asked = read(message("text", "<Content>x</Content>").as_bytes()).unwrap();
        let text = reply(&asked, "收到]]>", 9);
        let back = read(text.replace("</xml>", "<MsgId>1</MsgId></xml>").as_bytes()).unwrap();
        assert_eq!((back.to.as_str(), back.from.as_str(), back.said), ("oX-_1", "gh_1", Said::Text("收到".into())));
    }
}
