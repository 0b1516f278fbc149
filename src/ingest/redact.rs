//! Raw bytes made fit to keep: no plates, no callers, no more than a kilobyte.

use std::sync::LazyLock;

use regex_lite::Regex;

/// Raw bytes are kept up to this length.
const MAX_BYTES: usize = 1024;

/// A value of any key with `plate` or `caller` in its name, whatever quotes and case; whatever looks like a Chinese plate;
/// whatever looks like a Chinese mobile number; and whom a message of WeChat is from.
static PRIVATE: LazyLock<[(Regex, &str); 4]> = LazyLock::new(|| {
    let named = r#"(?i)(["']?[a-z_]*(?:plate|caller)[a-z_]*["']?\s*[:=]\s*)("(?:[^"\\]|\\.)*"?|'[^']*'?|[^\s,;}\]]+)"#;
    let plate = r"[\u{4e00}-\u{9fff}]\s?[A-Za-z][·.\- ]?[A-Za-z0-9]{4,6}[\u{4e00}-\u{9fff}]?";
    let number = r"\b1[3-9][0-9]{9}\b";
    let sender = r"(?s)<(FromUserName)>.*?(?:</FromUserName>|$)";
    [(named, "${1}\"***\""), (plate, "***"), (number, "***"), (sender, "<$1>***")]
        .map(|(pattern, put)| (Regex::new(pattern).expect("a constant pattern"), put))
});

/// The bytes as text, plates and callers replaced, cut to a kilobyte.
pub(super) fn redacted(raw: &[u8]) -> String {
    let mut text = String::from_utf8_lossy(&raw[..raw.len().min(4 * MAX_BYTES)]).into_owned();
    for (pattern, put) in PRIVATE.iter() {
        text = pattern.replace_all(&text, *put).into_owned();
    }
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
            "<xml><FromUserName><![CDATA[oABC8512-345]]></FromUserName></xml>",
            "<xml><FromUserName>oABC8512-345",
        ] {
            let text = redacted(raw.as_bytes());
            assert!(!text.contains("13800138000") && !text.contains("8512-345"), "{raw} -> {text}");
        }
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
