//! A value that vendors write as text, number, truth or nothing at all.

use serde::Deserialize;
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The value as text without spaces about it; none when it is absent, null, "" or not a single value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loose(pub Option<String>);

impl Loose {
    /// As text.
    pub fn text(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// As a number, where it is one.
    pub fn number(&self) -> Option<Result<f64, std::num::ParseFloatError>> {
        self.text().map(str::parse)
    }

    /// Whether it says no: 0, false.
    pub fn is_no(&self) -> bool {
        self.text().is_some_and(|text| text == "0" || text.eq_ignore_ascii_case("false"))
    }

    /// As a whole number without leading zeros, such as that of a lane.
    pub fn ordinal(&self) -> Option<u32> {
        self.text()?.parse().ok()
    }
}

impl From<&str> for Loose {
    fn from(text: &str) -> Loose {
        let text = text.trim();
        Loose((!text.is_empty()).then(|| text.to_owned()))
    }
}

impl<'de> Deserialize<'de> for Loose {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Loose, D::Error> {
        deserializer.deserialize_any(Any)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Loose;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a value")
    }

    fn visit_str<E>(self, text: &str) -> Result<Loose, E> {
        Ok(text.into())
    }

    fn visit_bool<E>(self, yes: bool) -> Result<Loose, E> {
        Ok(if yes { "1" } else { "0" }.into())
    }

    fn visit_u64<E>(self, number: u64) -> Result<Loose, E> {
        Ok(Loose(Some(number.to_string())))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Loose, E> {
        Ok(Loose(Some(number.to_string())))
    }

    /// A number that is too large to be exact, such as an ID without quotes, says nothing.
    fn visit_f64<E>(self, number: f64) -> Result<Loose, E> {
        Ok(Loose((number.abs() < 9e15).then(|| number.to_string())))
    }

    fn visit_unit<E>(self) -> Result<Loose, E> {
        Ok(Loose::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Loose, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Loose::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Loose, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Loose::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_is_read_however_it_is_written() {
        let read = |json: &str| serde_json::from_str::<Loose>(json).unwrap();
        for json in ["7", "\"7\"", "\" 7 \"", "7.0"] {
            assert_eq!(read(json).number(), Some(Ok(7.0)), "{json}");
        }
        for json in ["\"\"", "52010000011315000000", "null", "[1]", "{\"a\":1}", "\" \""] {
            assert_eq!(read(json), Loose(None), "{json}");
        }
        assert!(read("false").is_no() && read("\"0\"").is_no() && read("0").is_no());
        assert!(!read("true").is_no() && !read("\"\"").is_no());
        assert_eq!([read("\"01\"").ordinal(), read("1").ordinal(), read("-1").ordinal()], [Some(1), Some(1), None]);
    }
}
