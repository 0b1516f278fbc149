//! Raw bytes made fit to keep: no plates, no callers, no more than a kilobyte.

use std::sync::LazyLock;

use regex_lite::Regex;

/// Raw bytes are kept up to this length.
const MAX_BYTES: usize = 1024;

/// A value of any key with one of these words in its name, whatever quotes and case; whatever looks like a Chinese plate, one of
/// the armed police, or a Chinese telephone number; and whom a message of WeChat is from.
static PRIVATE: LazyLock<[(Regex, &str); 7]> = LazyLock::new(|| {
    let keys =
        "plate|caller|phone|mobile|licen[cs]e|vrm|car_?no|hphm|cphm|号牌|车牌|token|password|secret|authorization";
    let value = r#"("(?:[^"\\]|\\.)*"?|'[^']*'?|[^\s,;}\]]+)"#;
    let named = format!(
        r#"(?i)(["']?[a-z_\u{{4e00}}-\u{{9fff}}]*(?:{keys})[a-z_\u{{4e00}}-\u{{9fff}}]*["']?\s*[:=]\s*){value}"#
    );
    // The province as it is, as JSON escapes it, as a URL does.
    let plate = r"(?:[\u{4e00}-\u{9fff}]|\\u[4-9][0-9A-Fa-f]{3}|(?i:%e[4-9]%[89ab][0-9a-f]%[89ab][0-9a-f]))\s?[(（]?[A-Za-z][)）]?[·.\- ]?[A-Za-z0-9]{4,6}[\u{4e00}-\u{9fff}]?";
    let police = r"\b(?i:WJ)[·.\- ]?[\u{4e00}-\u{9fff}]?[·.\- ]?[A-Za-z0-9]{4,5}\b";
    let number = r"(?:\b|\+)(?:(?:00)?86[ -]?)?1[3-9][0-9](?:[ -]?[0-9]){8}\b";
    let landline = r"(?:\b|\()0[0-9]{2,3}\)?[ -]?[0-9]{7,8}\b";
    let service = r"\b[48]00[ -][0-9]{3}[ -]?[0-9]{4}\b";
    let sender = r"(?s)<(FromUserName)>.*?(?:</FromUserName>|$)";
    let hidden = [plate, police, number, landline, service].map(|pattern| (pattern, "***"));
    let [plate, police, number, landline, service] = hidden;
    let all = [(named.as_str(), "${1}\"***\""), plate, police, number, landline, service, (sender, "<$1>***")];
    all.map(|(pattern, put)| (Regex::new(pattern).expect("a constant pattern"), put))
});

/// A text of people without what looks like a plate or a telephone number.
pub(crate) fn without_private(text: &str) -> String {
    let mut text: String = text.chars().filter_map(plain).collect();
    for (pattern, put) in PRIVATE.iter() {
        text = pattern.replace_all(&text, *put).into_owned();
    }
    text
}

/// Whether a text holds what looks like a plate or a telephone number.
pub(crate) fn is_private(text: &str) -> bool {
    without_private(text).contains("***")
}

/// Letters and digits of full width are those that they look like; what has no width, and spaces of other kinds, hide nothing.
pub(crate) fn plain(letter: char) -> Option<char> {
    match letter {
        '０'..='９' | 'Ａ'..='Ｚ' | 'ａ'..='ｚ' => char::from_u32(u32::from(letter) - 0xFEE0),
        '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}' => None,
        '\u{a0}' | '\u{3000}' => Some(' '),
        _ => Some(letter),
    }
}

/// The bytes as text, plates and callers replaced, cut to a kilobyte.
pub(super) fn redacted(raw: &[u8]) -> String {
    let mut text = without_private(&String::from_utf8_lossy(&raw[..raw.len().min(4 * MAX_BYTES)]));
    if text.len() > MAX_BYTES {
        text.truncate(text.floor_char_boundary(MAX_BYTES));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plates_do_not_survive() {
        for raw in [
            r#"{"type":"passage","plate":"贵A12345","camera":"x"}"#,
            r#"{"PlateNo" : "贵A12345", "camera":"x"}"#,
            r#"{"plate_no":'贵A12345'"#,
            r#"{"plate":"贵A12345"#,
            "plate=贵A12345;x",
            "1,贵A·12345,3",
            "garbage 贵AD12345 garbage",
            r#"{"what":"\u8d35A12345"}"#,
            "GET /x?p=%E8%B4%B5A12345",
            r#"{"号牌":"K12345"}"#,
            r#"{"车牌号码":"K12345"}"#,
            r#"{"HPHM":"K12345"}"#,
            r#"{"car_no":"K12345"}"#,
            "京Ａ12345 京A１２３４５ 京\u{200b}A12345 京（A）12345 京\u{a0}A12345 WJ粤12345 WJ12345",
        ] {
            let text = redacted(raw.as_bytes());
            assert!(!text.contains("12345"), "{raw} -> {text}");
        }
        assert!(redacted(br#"{"plate":"ABC 99","camera":"x"}"#).contains(r#""camera":"x""#));
        assert!(!redacted(br#"{"plate":"ABC \" 99","camera":"x"}"#).contains("99"));
    }

    #[test]
    fn callers_do_not_survive() {
        for raw in [
            r#"{"caller":"13800138000","words":"x"}"#,
            r#"{"caller":"8512-345","words":"call back 138001380"}"#,
            "my number is 13800138000.",
            "电话138 0013 8000，或0851-8512345",
            "+8613800138000 008613800138000 8613800138000 １３８００１３８０００ +86 138 0013 8000 (0851)8512345 400-138-8000",
            "<xml><FromUserName><![CDATA[oABC8512-345]]></FromUserName></xml>",
            "<xml><FromUserName>oABC8512-345",
        ] {
            let text = redacted(raw.as_bytes());
            assert!(!text.contains("13800138000") && !text.contains("8512-345"), "{raw} -> {text}");
            assert!(!text.contains("138 0013") && !text.contains("8512345"), "{raw} -> {text}");
            assert!(!text.contains("138-8000") && !text.contains("１３"), "{raw} -> {text}");
        }
        let login = redacted(br#"{"type":"ack","token":"UDAwMTI.1795761404.8-GBB","assignment":"bad"}"#);
        assert!(!login.contains("UDAwMTI") && login.contains("bad"), "{login}");
        assert!(redacted(br#"{"time_ms":1767657600000}"#).contains("1767657600000"));
    }

    #[test]
    fn long_and_broken_bytes_are_cut_to_a_kilobyte_of_text() {
        let mut raw = vec![0xff; 10];
        raw.extend("字".repeat(2000).into_bytes());
        let text = redacted(&raw);
        assert!(text.len() <= MAX_BYTES && text.contains('字'));
    }
}
