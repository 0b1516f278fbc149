//! The rules of CAP 1.2: its schema, and what the standard asks beside it. Knows nothing of how messages are made here.

use chrono::DateTime;
use roxmltree::{Document, Node};

const NAMESPACE: &str = "urn:oasis:names:tc:emergency:cap:1.2";

/// The elements of CAP-v1.2.xsd, in its order: name, at least, at most (0: any number), what its text must be.
type Rule = (&'static str, usize, usize, fn(&str) -> bool);

const ALERT: [Rule; 15] = [
    ("identifier", 1, 1, is_id),
    ("sender", 1, 1, is_id),
    ("sent", 1, 1, is_time),
    ("status", 1, 1, |t| ["Actual", "Exercise", "System", "Test", "Draft"].contains(&t)),
    ("msgType", 1, 1, |t| ["Alert", "Update", "Cancel", "Ack", "Error"].contains(&t)),
    ("source", 0, 1, any),
    ("scope", 1, 1, |t| ["Public", "Restricted", "Private"].contains(&t)),
    ("restriction", 0, 1, any),
    ("addresses", 0, 1, any),
    ("code", 0, 0, any),
    ("note", 0, 1, any),
    ("references", 0, 1, |t| t.split(' ').all(is_reference)),
    ("incidents", 0, 1, any),
    ("info", 0, 0, any),
    ("Signature", 0, 1, any),
];

const INFO: [Rule; 22] = [
    ("language", 0, 1, |t| t.split('-').all(|part| (2..=8).contains(&part.len()))),
    ("category", 1, 0, |t| {
        let words = [
            "Geo",
            "Met",
            "Safety",
            "Security",
            "Rescue",
            "Fire",
            "Health",
            "Env",
            "Transport",
            "Infra",
            "CBRNE",
            "Other",
        ];
        words.contains(&t)
    }),
    ("event", 1, 1, |t| !t.is_empty()),
    ("responseType", 0, 0, |t| {
        let words = ["Shelter", "Evacuate", "Prepare", "Execute", "Avoid", "Monitor", "Assess", "AllClear", "None"];
        words.contains(&t)
    }),
    ("urgency", 1, 1, |t| ["Immediate", "Expected", "Future", "Past", "Unknown"].contains(&t)),
    ("severity", 1, 1, |t| ["Extreme", "Severe", "Moderate", "Minor", "Unknown"].contains(&t)),
    ("certainty", 1, 1, |t| ["Observed", "Likely", "Possible", "Unlikely", "Unknown"].contains(&t)),
    ("audience", 0, 1, any),
    ("eventCode", 0, 0, any),
    ("effective", 0, 1, is_time),
    ("onset", 0, 1, is_time),
    ("expires", 0, 1, is_time),
    ("senderName", 0, 1, any),
    ("headline", 0, 1, |t| !t.is_empty() && t.chars().count() <= 160),
    ("description", 0, 1, any),
    ("instruction", 0, 1, any),
    ("web", 0, 1, any),
    ("contact", 0, 1, any),
    ("parameter", 0, 0, any),
    ("resource", 0, 0, any),
    ("area", 0, 0, any),
    ("Signature", 0, 1, any),
];

const AREA: [Rule; 6] = [
    ("areaDesc", 1, 1, |t| !t.is_empty()),
    ("polygon", 0, 0, is_ring),
    ("circle", 0, 0, any),
    ("geocode", 0, 0, any),
    ("altitude", 0, 1, any),
    ("ceiling", 0, 1, any),
];

fn any(_: &str) -> bool {
    true
}

fn is_id(text: &str) -> bool {
    !text.is_empty() && !text.contains([' ', ',', '<', '&'])
}

fn is_time(text: &str) -> bool {
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    ["0000-00-00T00:00:00+00:00", "0000-00-00T00:00:00-00:00"].contains(&shape.as_str())
        && DateTime::parse_from_rfc3339(text).is_ok()
}

fn is_reference(text: &str) -> bool {
    let parts: Vec<&str> = text.split(',').collect();
    matches!(parts[..], [sender, id, sent] if is_id(sender) && is_id(id) && is_time(sent))
}

fn is_ring(text: &str) -> bool {
    let pairs: Vec<&str> = text.split(' ').collect();
    let is_pair = |pair: &&str| {
        let degrees: Vec<f64> = pair.split(',').filter_map(|d| d.parse().ok()).collect();
        matches!(degrees[..], [lat, lon] if lat.abs() <= 90.0 && lon.abs() <= 180.0)
    };
    pairs.len() >= 4 && pairs.first() == pairs.last() && pairs.iter().all(is_pair)
}

fn check(node: Node<'_, '_>, rules: &[Rule]) {
    let children: Vec<Node<'_, '_>> = node.children().filter(Node::is_element).collect();
    let row = |child: &Node<'_, '_>| rules.iter().position(|rule| rule.0 == child.tag_name().name());
    let rows: Vec<usize> =
        children.iter().map(|c| row(c).unwrap_or_else(|| panic!("{} is not of CAP", c.tag_name().name()))).collect();
    assert!(rows.is_sorted(), "the elements of {} are not in the order of the schema", node.tag_name().name());
    for (row, (name, least, most, fits)) in rules.iter().enumerate() {
        let found: Vec<&Node<'_, '_>> =
            children.iter().zip(&rows).filter(|(_, r)| **r == row).map(|(c, _)| c).collect();
        assert!(found.len() >= *least && (*most == 0 || found.len() <= *most), "{name}: {} of it", found.len());
        for child in found {
            let text = child.text().unwrap_or_default();
            assert_eq!(child.tag_name().namespace(), Some(NAMESPACE));
            assert!(fits(text), "{name} cannot be '{text}'");
        }
    }
}

/// Holds a message against the schema and the standard's rules beside it.
pub(crate) fn check_message(text: &str) {
    let document = Document::parse(text).unwrap();
    let alert = document.root_element();
    assert_eq!((alert.tag_name().name(), alert.tag_name().namespace()), ("alert", Some(NAMESPACE)));
    check(alert, &ALERT);
    let of = |name: &'static str| alert.children().filter(move |n| n.has_tag_name((NAMESPACE, name)));
    let is_first = of("msgType").all(|n| n.text() == Some("Alert"));
    assert_eq!(of("references").count(), usize::from(!is_first), "an update or a cancellation names what it changes");
    for info in of("info") {
        check(info, &INFO);
        info.children().filter(|n| n.has_tag_name((NAMESPACE, "area"))).for_each(|area| check(area, &AREA));
    }
}
