//! The story of a call for people to read.

use std::fmt::Write;

use chrono::{DateTime, FixedOffset};
use serde::Serialize;
use serde_json::Value;

use super::{Could, Explained, Named, Sent, Step, What};

/// A line a step, with times in local time `utc_offset_min` ahead of UTC.
pub fn text(story: &Explained, utc_offset_min: i32) -> String {
    let mut out = String::new();
    let page = &story.page;
    let of = |key: &str| page[key].as_str().unwrap_or_default();
    let _ = writeln!(
        out,
        "call {}: {}, priority {}, {}; needs {}",
        story.call,
        of("category"),
        of("priority"),
        of("phase"),
        page["needs"]
    );
    if !of("words").is_empty() {
        let _ = writeln!(out, "  \"{}\" ({})", visible(of("words")), visible(of("channel")));
    }
    head(page, &mut out);
    for step in &story.steps {
        let _ = writeln!(out, "{}  {}", clock(step.time_ms, utc_offset_min), line(step));
    }
    out
}

/// How it was understood, and with what it was merged.
fn head(page: &Value, out: &mut String) {
    if let Some(rule) = page["classified"]["rule"].as_str() {
        let phrase = visible(page["classified"]["phrase"].as_str().unwrap_or_default());
        let by = if phrase.is_empty() { String::new() } else { format!(" by \"{phrase}\"") };
        let _ = writeln!(out, "  classified by rule '{rule}'{by}: {}", gave(&page["classified"]["gave"]));
    }
    if !page["into"].is_null() {
        let _ = writeln!(out, "  merged into call {}", page["into"]);
    }
    for joined in page["joined"].as_array().into_iter().flatten() {
        let words = visible(joined["words"].as_str().unwrap_or_default());
        let _ = writeln!(
            out,
            "  joined by call {} ({}): \"{words}\"",
            joined["call"],
            joined["phase"].as_str().unwrap_or_default()
        );
    }
}

/// What somebody has sent, on one line: a terminal obeys nothing of it, and nothing runs backwards.
fn visible(text: &str) -> String {
    let turns = |c| matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().map(|c| if c.is_control() || turns(c) { '\u{fffd}' } else { c }).collect()
}

fn gave(gave: &Value) -> String {
    let names = ["priority", "category", "needs"].into_iter().filter(|name| gave[name] == true);
    format!("gave {}", names.collect::<Vec<_>>().join(", "))
}

fn line(step: &Step) -> String {
    match &step.what {
        What::Phase { phase, unit, reason, note } => {
            let unit = unit.as_ref().map_or(String::new(), |unit| format!(" ({})", called(unit)));
            format!(
                "{}{unit}{}{}",
                word(phase),
                reason.as_ref().map_or(String::new(), |why| format!(": {}", word(why))),
                noted(note)
            )
        }
        What::Changed { changed, note } => {
            format!("changed: {}{}", serde_json::to_string(changed).unwrap_or_default(), noted(note))
        }
        What::Assigned(sent) => assigned(sent),
        What::Answered { assignment, unit, answer, refused } => {
            let refused = if refused.is_empty() { String::new() } else { format!(", refused: {refused}") };
            format!("{assignment}: {} answers {}{refused}", called(unit), word(answer))
        }
        What::Escalated { step, why, unit } => {
            let about = unit.as_ref().map_or(String::new(), |unit| format!(" ({})", called(unit)));
            format!("told: {}{about}, because of {}", word(step), word(why))
        }
        What::Waited { for_ms: Some(for_ms), why } => format!("waits {} s: {why}", for_ms / 1000),
        What::Waited { for_ms: None, why } => format!("waits: {why}"),
    }
}

fn assigned(sent: &Sent) -> String {
    let but = |c: &Could| c.but.as_ref().map_or(String::new(), |but| format!(" (but {})", word(but)));
    let could = sent.candidates.iter().map(|c| format!("{} {} s{}", called(&c.unit), c.eta_ms / 1000, but(c)));
    format!(
        "{}: {} is sent, {} s away ({}; {}); could go: {}",
        sent.assignment,
        called(&sent.unit),
        sent.eta_ms / 1000,
        word(&sent.reason),
        word(&sent.became),
        could.collect::<Vec<_>>().join(", ")
    )
}

fn called(unit: &Named) -> String {
    if unit.name.is_empty() { format!("unit {}", unit.id.0) } else { unit.name.clone() }
}

fn noted(note: &str) -> String {
    if note.is_empty() { String::new() } else { format!(" \"{note}\"") }
}

fn word(variant: &impl Serialize) -> String {
    let json = serde_json::to_value(variant).unwrap_or_default();
    json.as_str().unwrap_or_default().to_owned()
}

fn clock(time_ms: u64, utc_offset_min: i32) -> String {
    let offset = FixedOffset::east_opt(utc_offset_min * 60);
    let time = i64::try_from(time_ms).ok().and_then(DateTime::from_timestamp_millis);
    let local = offset.zip(time).map(|(offset, time)| time.with_timezone(&offset));
    local.map_or_else(|| time_ms.to_string(), |time| time.format("%Y-%m-%d %H:%M:%S%.3f").to_string())
}
