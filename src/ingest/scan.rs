//! A passage in the plainest JSON, read in one go: what cameras' platforms write by far the most often. Whatever is not as
//! plain as that is read by serde, which also says what is wrong with it.

use std::borrow::Cow;

use nanming_dataflows::event::VehicleClass;

use super::line::PassageLine;

/// The largest number of digits after a point: powers of ten up to there are exact.
const DECIMALS: usize = 9;

/// A passage in an object without nested values, escapes in texts, exponents or repeated fields. None: read it otherwise.
pub(super) fn passage(raw: &[u8]) -> Option<PassageLine<'_>> {
    let mut rest = Rest(raw);
    let (mut tag, mut time_ms, mut camera, mut plate, mut speed_kmh, mut class) = (None, None, None, None, None, None);
    rest.expect(b'{')?;
    loop {
        let name = rest.text()?;
        rest.expect(b':')?;
        let is_new = match name {
            b"time_ms" => time_ms.replace(rest.whole()?).is_none(),
            b"camera" => camera.replace(rest.text()?).is_none(),
            b"plate" => plate.replace(rest.text()?).is_none(),
            b"speed_kmh" => speed_kmh.replace(rest.number()?).is_none(),
            b"class" => class.replace(class_of(rest.text()?)?).is_none(),
            b"type" => tag.replace((rest.text()? == b"passage").then_some(())?).is_none(),
            _ => std::str::from_utf8(name).is_ok() && rest.skip().is_some(),
        };
        match (is_new, rest.next()?) {
            (true, b',') => {}
            (true, b'}') => break,
            _ => return None,
        }
    }
    let text = |bytes| std::str::from_utf8(bytes).ok().map(Cow::Borrowed);
    tag?;
    rest.skip_spaces();
    rest.0.is_empty().then_some(PassageLine {
        time_ms,
        camera: text(camera?)?,
        plate: plate.map_or(Some(Cow::Borrowed("")), text)?,
        speed_kmh: speed_kmh?,
        class: class.unwrap_or_default(),
    })
}

fn class_of(text: &[u8]) -> Option<VehicleClass> {
    Some(match text {
        b"car" => VehicleClass::Car,
        b"bus" => VehicleClass::Bus,
        b"truck" => VehicleClass::Truck,
        b"motorcycle" => VehicleClass::Motorcycle,
        b"taxi" => VehicleClass::Taxi,
        _ => return None,
    })
}

/// What is still to be read.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    /// The next byte that is no space.
    fn next(&mut self) -> Option<u8> {
        self.skip_spaces();
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    fn skip_spaces(&mut self) {
        while let Some(rest) = self.0.strip_prefix(b" ") {
            self.0 = rest;
        }
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.next()? == byte).then_some(())
    }

    /// A text without escapes and control characters.
    fn text(&mut self) -> Option<&'a [u8]> {
        self.expect(b'"')?;
        let end = self.0.iter().position(|b| matches!(b, b'"' | b'\\' | 0..0x20))?;
        let (text, rest) = self.0.split_at(end);
        self.0 = rest;
        self.expect(b'"')?;
        Some(text)
    }

    /// A value of no interest that is plain too.
    fn skip(&mut self) -> Option<()> {
        self.skip_spaces();
        if self.0.starts_with(b"\"") {
            return std::str::from_utf8(self.text()?).ok().map(drop);
        }
        for word in [b"true".as_slice(), b"false", b"null"] {
            if let Some(rest) = self.0.strip_prefix(word) {
                self.0 = rest;
                return Some(());
            }
        }
        self.number().map(drop)
    }

    /// Digits that make a number below 2^53, without a leading 0 if there are more.
    fn whole(&mut self) -> Option<u64> {
        self.skip_spaces();
        let (value, digits) = self.digits()?;
        (digits == 1 || value >= 10_u64.pow(digits as u32 - 1)).then_some(value)
    }

    fn digits(&mut self) -> Option<(u64, usize)> {
        let digits = self.0.iter().take_while(|b| b.is_ascii_digit()).count();
        let (number, rest) = self.0.split_at(digits);
        self.0 = rest;
        // 15 digits are below 2^53: exact as a float too.
        (1..=15).contains(&digits).then(|| (number.iter().fold(0, |n, d| n * 10 + u64::from(d - b'0')), digits))
    }

    /// A number not below 0, with a point or without. Both parts together have few enough digits to be exact, so that the
    /// quotient is the float nearest to what is written.
    fn number(&mut self) -> Option<f64> {
        let whole = self.whole()?;
        let Some(rest) = self.0.strip_prefix(b".") else { return Some(whole as f64) };
        self.0 = rest;
        let (part, digits) = self.digits()?;
        let scale = 10_u64.pow(digits.min(DECIMALS) as u32);
        let all = whole.checked_mul(scale)?.checked_add(part)?;
        (digits <= DECIMALS && all < 1 << 53).then_some(all as f64 / scale as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::super::line::Line;
    use super::*;
    use proptest::prelude::*;

    fn by_serde(raw: &[u8]) -> PassageLine<'_> {
        serde_json::from_slice(raw).expect("JSON")
    }

    #[test]
    fn what_is_plain_reads_as_by_serde() {
        for raw in [
            r#"{"type":"passage","time_ms":1767657600012,"camera":"c 1","plate":"贵A12345","speed_kmh":41.3,"class":"bus"}"#,
            r#"{ "camera": "c", "speed_kmh": 0.100, "type": "passage" }"#,
            r#"{"type":"passage","camera":"","speed_kmh":120,"time_ms":0,"plate":""}"#,
            r#"{"type":"passage","camera":"c","note":"x","lane":2.5,"wrong_way":false,"speed_kmh":1,"colour":null}"#,
        ] {
            let (read, expected) = (passage(raw.as_bytes()).expect(raw), by_serde(raw.as_bytes()));
            assert_eq!(format!("{read:?}"), format!("{expected:?}"));
        }
    }

    #[test]
    fn what_is_not_plain_is_left_to_serde() {
        for raw in [
            r#"{"type":"flow","camera":"c","speed_kmh":1}"#,
            r#"{"type":"passage","camera":"a\"b","speed_kmh":1}"#,
            r#"{"type":"passage","camera":"c","speed_kmh":-1}"#,
            r#"{"type":"passage","camera":"c","speed_kmh":01}"#,
            r#"{"type":"passage","camera":"c","speed_kmh":1e3}"#,
            r#"{"type":"passage","camera":"c","speed_kmh":1.}"#,
            r#"{"type":"passage","camera":"c","speed_kmh":1,"lane":[2]}"#,
            r#"{"type":"passage","camera":"c","speed_kmh":1,"lane":-2}"#,
            r#"{"type":"passage","camera":"c","camera":"c","speed_kmh":1}"#,
            r#"{"type":"passage","camera":"c","speed_kmh":1}}"#,
            r#"{"type":"passage","camera":"c","speed_kmh":1,}"#,
            r#"{"type":"passage","camera":"c"}"#,
            r#"{"type":"passage","time_ms":12345678901234567,"camera":"c","speed_kmh":1}"#,
            r#"{"type":"passage","camera":"c","speed_kmh":1,"class":"tram"}"#,
            "{",
            "",
        ] {
            assert!(passage(raw.as_bytes()).is_none(), "{raw}");
        }
        assert!(passage(b"{\"type\":\"passage\",\"camera\":\"\xff\",\"speed_kmh\":1}").is_none());
        assert!(passage(b"{\"type\":\"passage\",\"camera\":\"c\",\"speed_kmh\":1,\"\xff\":1}").is_none());
    }

    proptest! {
        #[test]
        fn numbers_are_those_of_serde(whole in 0_u64..2_000_000, part in "[0-9]{1,9}") {
            let raw = format!(r#"{{"type":"passage","camera":"c","speed_kmh":{whole}.{part}}}"#);
            let read = passage(raw.as_bytes()).map(|read| read.speed_kmh.to_bits());
            prop_assert_eq!(read, Some(by_serde(raw.as_bytes()).speed_kmh.to_bits()));
        }

        #[test]
        fn what_is_read_serde_reads_too(damage in prop::collection::vec((0_usize..120, any::<u8>()), 0..3), note in "[ -~]{0,6}") {
            let plain = format!(
                r#"{{"type":"passage","note":"{note}","camera":"c 1","speed_kmh":36.5, "lane":2,"time_ms":12,"class":"bus"}}"#
            );
            let mut raw = plain.into_bytes();
            damage.iter().filter(|(at, _)| *at < 100).for_each(|(at, byte)| raw[at % 90] = *byte);
            if let Some(read) = passage(&raw) {
                let Ok(Line::Passage(slow)) = serde_json::from_slice(&raw) else { panic!("{}", raw.escape_ascii()) };
                prop_assert_eq!(format!("{read:?}"), format!("{slow:?}"));
            }
        }
    }
}
