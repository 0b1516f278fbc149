//! Alerts by the Common Alerting Protocol, CAP 1.2 (OASIS, 2010): one message an incident, in Chinese and English.
//!
//! Times bear an offset and never a `Z` (3.3.2 of the standard; UTC is `-00:00`); polygons are closed rings of `lat,lon`.

use chrono::{DateTime, FixedOffset};
use nanming_dataflows::network::Point;
use quick_xml::escape::escape;

use super::notices::Step;
use super::places::ring_around;
use super::{Incident, Kind, Notice, Streets};

/// The namespace of its messages.
pub const NAMESPACE: &str = "urn:oasis:names:tc:emergency:cap:1.2";
/// How far an alert reaches from the middle of its links, mm.
const REACH_MM: f64 = 30_000.0;

/// Who speaks, and of what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Voice {
    /// The sender, unique in the world: a domain of theirs, mostly.
    pub sender: String,
    /// Whether the city is real: what happens in a simulated one is an exercise.
    pub is_real: bool,
}

/// A message.
pub fn message(voice: &Voice, streets: &Streets, notice: &Notice) -> String {
    let offset_min = streets.city.utc_offset_min;
    let (step, status) = match (notice.step, voice.is_real) {
        (Step::Alert, real) => ("Alert", real),
        (Step::Update, real) => ("Update", real),
        (Step::Cancel, real) => ("Cancel", real),
    };
    let mut alert = Xml::default();
    alert.text("identifier", &notice.id(&streets.city.name));
    alert.text("sender", &voice.sender);
    alert.text("sent", &time(notice.sent_ms, offset_min));
    alert.text("status", if status { "Actual" } else { "Exercise" });
    alert.text("msgType", step);
    alert.text("scope", "Public");
    if !voice.is_real {
        alert.text("note", "A simulated city: nothing of this happened.");
    }
    if let (Some(id), Some(sent_ms)) = (notice.before_id(&streets.city.name), notice.before_ms) {
        alert.text("references", &format!("{},{id},{}", voice.sender, time(sent_ms, offset_min)));
    }
    for language in [Language::Chinese, Language::English] {
        alert.nest("info", info(streets, notice, language));
    }
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<alert xmlns=\"{NAMESPACE}\">{}</alert>\n", alert.0)
}

#[derive(Clone, Copy)]
enum Language {
    Chinese,
    English,
}

/// In the order of the schema.
fn info(streets: &Streets, notice: &Notice, language: Language) -> Xml {
    let Notice { step, incident, sent_ms, .. } = notice;
    let (is_over, offset_min) = (*step == Step::Cancel, streets.city.utc_offset_min);
    let words = words(incident, is_over, language);
    let mut info = Xml::default();
    info.text("language", if let Language::Chinese = language { "zh-CN" } else { "en-US" });
    info.text("category", "Transport");
    info.text("event", words.event);
    info.text("responseType", response(incident.kind, is_over));
    info.text("urgency", urgency(incident.kind, is_over));
    info.text("severity", if incident.kind == Kind::Collision { "Moderate" } else { "Minor" });
    info.text("certainty", if incident.confirmed { "Observed" } else { "Likely" });
    info.text("effective", &time(*sent_ms, offset_min));
    info.text("onset", &time(onset_ms(notice), offset_min));
    info.text("expires", &time(notice.expires_ms(), offset_min));
    info.text("senderName", &streets.city.name);
    info.text("headline", &words.headline);
    info.text("description", &words.description);
    info.text("instruction", words.instruction);
    info.nest("area", area(streets, incident, language));
    info
}

/// When the thing itself began, or is expected to begin, ms.
fn onset_ms(notice: &Notice) -> u64 {
    match notice.incident.kind {
        Kind::Expected(in_min) => notice.sent_ms + u64::from(in_min) * 60_000,
        Kind::Collision | Kind::Congestion => notice.incident.since_ms,
    }
}

fn response(kind: Kind, is_over: bool) -> &'static str {
    match kind {
        _ if is_over => "AllClear",
        Kind::Expected(_) => "Monitor",
        Kind::Collision | Kind::Congestion => "Avoid",
    }
}

fn urgency(kind: Kind, is_over: bool) -> &'static str {
    match kind {
        _ if is_over => "Past",
        Kind::Expected(_) => "Expected",
        Kind::Collision | Kind::Congestion => "Immediate",
    }
}

fn area(streets: &Streets, incident: &Incident, language: Language) -> Xml {
    let mut area = Xml::default();
    area.text("areaDesc", &place(incident, language));
    for link in &incident.links {
        let ring = ring_around(streets.link(*link), REACH_MM);
        let pair = |at: &Point| {
            let [lon, lat] = streets.degrees(*at);
            format!("{lat},{lon}")
        };
        area.text("polygon", &ring.iter().map(pair).collect::<Vec<_>>().join(" "));
    }
    area
}

/// The road and its direction.
fn place(incident: &Incident, language: Language) -> String {
    let row = language as usize;
    let road = if incident.road.is_empty() { ["无名道路", "a road without a name"][row] } else { &incident.road };
    match incident.heading {
        None => road.to_owned(),
        Some(heading) => format!("{road}{}{}", ["", " "][row], heading.words()[row]),
    }
}

struct Words {
    event: &'static str,
    headline: String,
    description: String,
    instruction: &'static str,
}

fn words(incident: &Incident, is_over: bool, language: Language) -> Words {
    let place = place(incident, language);
    match (language, incident.kind) {
        (Language::Chinese, _) if is_over => Words {
            event: chinese_event(incident.kind),
            headline: format!("{place}：已恢复"),
            description: format!("此前{place}的提示已解除。"),
            instruction: "请照常通行。",
        },
        (Language::English, _) if is_over => Words {
            event: english_event(incident.kind),
            headline: format!("Over: {place}"),
            description: format!("What was told of {place} is over."),
            instruction: "Travel as usual.",
        },
        (Language::Chinese, kind) => Words {
            event: chinese_event(kind),
            headline: match kind {
                Kind::Collision => format!("{place}发生交通事故"),
                Kind::Congestion => format!("{place}拥堵"),
                Kind::Expected(in_min) => format!("{place}预计{in_min}分钟内拥堵"),
            },
            description: match kind {
                Kind::Collision if incident.confirmed => format!("{place}发生交通事故，警员已到场。"),
                Kind::Collision => format!("有人报告{place}发生交通事故，尚未核实。"),
                Kind::Congestion => format!("{place}多处路段的车速低于畅通时的一半。"),
                Kind::Expected(_) => format!("{place}目前尚可通行，预计多处路段将拥堵。"),
            },
            instruction: if let Kind::Expected(_) = kind {
                "请提前或改道出行。"
            } else {
                "请绕行，不要驶入。"
            },
        },
        (Language::English, kind) => Words {
            event: english_event(kind),
            headline: match kind {
                Kind::Collision => format!("Collision on {place}"),
                Kind::Congestion => format!("Congestion on {place}"),
                Kind::Expected(in_min) => format!("Congestion expected on {place} within {in_min} min"),
            },
            description: match kind {
                Kind::Collision if incident.confirmed => format!("Collision on {place}; police are there."),
                Kind::Collision => format!("A collision was reported on {place}; it is not confirmed yet."),
                Kind::Congestion => format!("Much of {place} moves at less than half of its free speed."),
                Kind::Expected(_) => format!("{place} still moves; much of it is expected to congest."),
            },
            instruction: if let Kind::Expected(_) = kind {
                "Leave earlier, or take another way."
            } else {
                "Take another way."
            },
        },
    }
}

fn chinese_event(kind: Kind) -> &'static str {
    match kind {
        Kind::Collision => "交通事故",
        Kind::Congestion => "道路拥堵",
        Kind::Expected(_) => "即将拥堵",
    }
}

fn english_event(kind: Kind) -> &'static str {
    match kind {
        Kind::Collision => "Road collision",
        Kind::Congestion => "Road congestion",
        Kind::Expected(_) => "Road congestion expected",
    }
}

/// What a message is called on a list.
pub fn headline(notice: &Notice) -> String {
    let is_over = notice.step == Step::Cancel;
    let [chinese, english] =
        [Language::Chinese, Language::English].map(|l| words(&notice.incident, is_over, l).headline);
    format!("{chinese} / {english}")
}

/// A time as CAP writes it.
pub fn time(time_ms: u64, offset_min: i32) -> String {
    let offset = FixedOffset::east_opt(offset_min * 60).filter(|_| offset_min != 0);
    let utc = DateTime::from_timestamp((time_ms / 1000) as i64, 0).unwrap_or_default();
    match offset {
        Some(offset) => utc.with_timezone(&offset).format("%Y-%m-%dT%H:%M:%S%:z").to_string(),
        None => utc.format("%Y-%m-%dT%H:%M:%S-00:00").to_string(),
    }
}

/// Elements one after another.
#[derive(Default)]
struct Xml(String);

impl Xml {
    fn text(&mut self, name: &str, text: &str) {
        // XML 1.0 has no way to write most control characters.
        let clean: String = text.chars().filter(|c| !c.is_control()).collect();
        self.0 += &format!("<{name}>{}</{name}>", escape(clean));
    }

    fn nest(&mut self, name: &str, inside: Xml) {
        self.0 += &format!("<{name}>{}</{name}>", inside.0);
    }
}

#[cfg(test)]
mod rules;
#[cfg(test)]
mod tests;
