//! Raw bytes made fit to keep: no plates, no more than a kilobyte.

use std::sync::LazyLock;

use regex_lite::Regex;

/// Raw bytes are kept up to this length.
const MAX_BYTES: usize = 1024;

/// A value of any key with `plate` in its name, whatever quotes and case; and whatever looks like a Chinese plate.
static PLATES: LazyLock<[Regex; 2]> = LazyLock::new(|| {
    let named = r#"(?i)(["']?[a-z_]*plate[a-z_]*["']?\s*[:=]\s*)("(?:[^"\\]|\\.)*"?|'[^']*'?|[^\s,;}\]]+)"#;
    let looking = r"[\u{4e00}-\u{9fff}]\s?[A-Za-z][·.\- ]?[A-Za-z0-9]{4,6}[\u{4e00}-\u{9fff}]?";
    [named, looking].map(|pattern| Regex::new(pattern).expect("a constant pattern"))
});

/// The bytes as text, plates replaced, cut to a kilobyte.
pub(super) fn redacted(raw: &[u8]) -> String {
    let text = String::from_utf8_lossy(&raw[..raw.len().min(4 * MAX_BYTES)]);
    let text = PLATES[0].replace_all(&text, "${1}\"***\"");
    let mut text = PLATES[1].replace_all(&text, "***").into_owned();
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
    fn long_and_broken_bytes_are_cut_to_a_kilobyte_of_text() {
        let mut raw = vec![0xff; 10];
        raw.extend("字".repeat(2000).into_bytes());
        let text = redacted(&raw);
        assert!(text.len() <= MAX_BYTES && text.contains('字'));
    }
}
