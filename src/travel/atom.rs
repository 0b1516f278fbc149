//! The list of alerts as an Atom feed (RFC 4287): each entry leads to its CAP message.

use quick_xml::escape::escape;

use super::cap::{Voice, headline, time};
use super::{Notice, Streets};

/// The media type of a CAP message.
pub const CAP_MIME: &str = "application/cap+xml";

/// The feed of the messages that stand, newest first. Links are relative to its own address.
pub fn feed(voice: &Voice, streets: &Streets, notices: &[Notice], now_ms: u64) -> String {
    let (city, offset_min) = (streets.city.name.as_str(), streets.city.utc_offset_min);
    let mut told: Vec<&Notice> = notices.iter().collect();
    told.sort_by_key(|notice| std::cmp::Reverse(notice.sent_ms));
    let updated_ms = told.first().map_or(now_ms, |notice| notice.sent_ms);
    let entries: String = told.iter().map(|notice| entry(voice, city, notice, offset_min)).collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\"><id>{}</id>\
         <title>{} 出行提示 / travel alerts</title><updated>{}</updated><author><name>{}</name></author>\
         <link rel=\"self\" type=\"application/atom+xml\" href=\"alerts.atom\"/>{entries}</feed>\n",
        urn(&voice.sender, city),
        escape(city),
        atom_time(updated_ms, offset_min),
        escape(voice.sender.as_str()),
    )
}

fn entry(voice: &Voice, city: &str, notice: &Notice, offset_min: i32) -> String {
    let id = notice.id(city);
    format!(
        "<entry><id>{}</id><title>{}</title><updated>{}</updated><published>{}</published>\
         <link rel=\"alternate\" type=\"{CAP_MIME}\" href=\"alerts/{id}\"/></entry>",
        urn(&voice.sender, &id),
        escape(headline(notice)),
        atom_time(notice.sent_ms, offset_min),
        atom_time(notice.sent_ms, offset_min),
    )
}

/// Atom takes `+00:00` where CAP wants `-00:00`.
fn atom_time(time_ms: u64, offset_min: i32) -> String {
    time(time_ms, offset_min).replace("-00:00", "+00:00")
}

/// A UUID (version 8, RFC 9562) that stands for a sender's thing, always the same.
fn urn(sender: &str, thing: &str) -> String {
    let hash = blake3::hash(format!("{sender}\n{thing}").as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.as_bytes()[..16]);
    (bytes[6], bytes[8]) = (bytes[6] & 0x0F | 0x80, bytes[8] & 0x3F | 0x80);
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("urn:uuid:{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_urn_is_a_uuid_of_version_8_and_stays_the_same() {
        let urn = urn("traffic.example", "town-x-7-2");
        assert_eq!(urn, super::urn("traffic.example", "town-x-7-2"));
        assert_eq!((urn.len(), urn.as_bytes()[23]), (45, b'8'), "{urn}");
    }
}
