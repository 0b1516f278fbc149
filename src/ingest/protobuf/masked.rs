//! Bytes of a message that could not be read, made fit to keep.

use std::fmt::Write;

/// So many bytes are shown.
const SHOWN: usize = 256;
/// Letters and digits in a row from which on they may be a plate, or part of one.
const TEXT: usize = 3;

/// The first bytes in hexadecimal. Whatever may be text is shown as `**`: among it there may be plates.
pub(super) fn hex(raw: &[u8]) -> String {
    let mut hex = String::from("hex:");
    for run in raw[..raw.len().min(SHOWN)].chunk_by(|a, b| is_text(*a) == is_text(*b)) {
        for byte in run {
            // Writing to a string cannot fail.
            let _ = match run.len() >= TEXT && is_text(*byte) {
                true => write!(hex, "**"),
                false => write!(hex, "{byte:02x}"),
            };
        }
    }
    if raw.len() > SHOWN {
        let _ = write!(hex, ".. of {} bytes", raw.len());
    }
    hex
}

fn is_text(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || !byte.is_ascii()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn framing_is_shown_and_text_is_not() {
        assert_eq!(hex("\x08\x07\x12\x05ABC99".as_bytes()), "hex:08071205**********");
        assert!(!hex("贵A12345".as_bytes()).contains("31"));
        assert!(hex(&[0; 300]).ends_with("00.. of 300 bytes"));
    }
}
