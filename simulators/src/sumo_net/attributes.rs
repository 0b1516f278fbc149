//! Attributes of XML elements, read with errors that tell where.

use std::str::FromStr;

use roxmltree::Node;

use super::ImportError;

/// An element for people: its tag, its `id` if any, its line.
pub(super) fn describe(node: Node<'_, '_>) -> String {
    let line = node.document().text_pos_at(node.range().start).row;
    let id = node.attribute("id").map(|id| format!(" id=\"{id}\"")).unwrap_or_default();
    format!("<{}{id}> in line {line}", node.tag_name().name())
}

/// An attribute that must be there.
pub(super) fn text<'a>(node: Node<'a, '_>, name: &str) -> Result<&'a str, ImportError> {
    let missing = || ImportError::Missing { at: describe(node), what: format!("attribute {name}") };
    node.attribute(name).ok_or_else(missing)
}

/// A number that must be there.
pub(super) fn number<T: FromStr>(node: Node<'_, '_>, name: &str) -> Result<T, ImportError> {
    let value = text(node, name)?;
    value.trim().parse().map_err(|_| wrong(node, name, value, "a number"))
}

/// A number that may be there.
pub(super) fn optional<T: FromStr>(node: Node<'_, '_>, name: &str) -> Result<Option<T>, ImportError> {
    node.attribute(name).map(|_| number(node, name)).transpose()
}

/// A time in s, as ms.
pub(super) fn seconds_ms(node: Node<'_, '_>, name: &str) -> Result<Option<u32>, ImportError> {
    let seconds: Option<f64> = optional(node, name)?;
    let ms = |s: f64| match s.is_finite() && (0.0..=1e6).contains(&s) {
        true => Ok((s * 1000.0).round() as u32),
        false => Err(wrong(node, name, &s.to_string(), "a time from 0 to 1e6 s")),
    };
    seconds.map(ms).transpose()
}

/// Pairs `x,y` (a third coordinate is ignored), at least `least` of them.
pub(super) fn shape(node: Node<'_, '_>, name: &str, least: usize) -> Result<Vec<(f64, f64)>, ImportError> {
    let value = text(node, name)?;
    let pair = |p: &str| {
        let mut numbers = p.split(',').map(|n| n.parse::<f64>().ok().filter(|n| n.is_finite()));
        Some((numbers.next()??, numbers.next()??))
    };
    let places: Option<Vec<(f64, f64)>> = value.split_whitespace().map(pair).collect();
    let expected = format!("a list of at least {least} places x,y");
    places.filter(|p| p.len() >= least).ok_or_else(|| wrong(node, name, value, &expected))
}

/// The error for an attribute that does not read.
pub(super) fn wrong(node: Node<'_, '_>, name: &str, value: &str, expected: &str) -> ImportError {
    ImportError::Value { at: describe(node), name: name.into(), value: value.into(), expected: expected.into() }
}

/// The error for a reference to nothing.
pub(super) fn unknown(node: Node<'_, '_>, what: String) -> ImportError {
    ImportError::Unknown { at: describe(node), what }
}

/// Child elements with a tag.
pub(super) fn children<'a, 'b: 'a>(node: Node<'a, 'b>, tag: &'static str) -> impl Iterator<Item = Node<'a, 'b>> {
    node.children().filter(move |n| n.has_tag_name(tag))
}
