//! Incidents as messages for other systems: told once, told again when they change or the message is about to expire, and
//! taken back when they are over.

use std::collections::BTreeMap;

use super::Incident;

/// A message holds for so long, ms, and is told anew after half of it while the incident lasts.
const HOLDS_MS: u64 = 3_600_000;
/// A message that takes another back stays on the list for so long, ms.
const OVER_MS: u64 = 1_800_000;

/// What a message does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It is the first about its incident.
    Alert,
    /// It takes the place of the one before.
    Update,
    /// It takes that back.
    Cancel,
}

/// A message.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// What it does.
    pub step: Step,
    /// What it is about.
    pub incident: Incident,
    /// When it was made, ms.
    pub sent_ms: u64,
    /// When the one before it was made, ms.
    pub before_ms: Option<u64>,
}

impl Notice {
    /// Its own ID: no two messages of a city about one incident are made within a second.
    pub fn id(&self, city: &str) -> String {
        id(city, &self.incident, self.sent_ms)
    }

    /// The ID of the one before it.
    pub fn before_id(&self, city: &str) -> Option<String> {
        self.before_ms.map(|sent_ms| id(city, &self.incident, sent_ms))
    }

    /// Until when it holds, ms.
    pub fn expires_ms(&self) -> u64 {
        self.sent_ms + HOLDS_MS
    }
}

/// CAP allows no spaces, commas, `<` and `&`; a path needs no more than this.
fn id(city: &str, incident: &Incident, sent_ms: u64) -> String {
    let city: String = city.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
    format!("{city}-{}-{}", incident.id, sent_ms / 1000)
}

/// The messages that stand.
#[derive(Default)]
pub struct Notices(BTreeMap<String, Notice>);

impl Notices {
    /// Brings them up to date; all that stand, by incident.
    pub fn bring_up(&mut self, now_ms: u64, incidents: &[Incident]) -> Vec<Notice> {
        let now_ms = now_ms / 1000 * 1000;
        for incident in incidents {
            let before = self.0.get(&incident.id);
            if let Some(step) = step(before, incident, now_ms) {
                let before_ms = before.filter(|_| step != Step::Alert).map(|notice| notice.sent_ms);
                let notice = Notice { step, incident: incident.clone(), sent_ms: now_ms, before_ms };
                self.0.insert(incident.id.clone(), notice);
            }
        }
        let is_over = |id: &str| incidents.iter().all(|incident| incident.id != id);
        for (id, notice) in self.0.iter_mut().filter(|(_, notice)| notice.step != Step::Cancel) {
            if is_over(id) && now_ms > notice.sent_ms {
                notice.before_ms = Some(notice.sent_ms);
                (notice.step, notice.sent_ms) = (Step::Cancel, now_ms);
            }
        }
        self.0.retain(|_, notice| notice.step != Step::Cancel || now_ms < notice.sent_ms + OVER_MS);
        self.0.values().cloned().collect()
    }
}

/// What is to be told of an incident, if anything.
fn step(before: Option<&Notice>, incident: &Incident, now_ms: u64) -> Option<Step> {
    let Some(before) = before else { return Some(Step::Alert) };
    if now_ms <= before.sent_ms {
        return None;
    }
    if before.step == Step::Cancel {
        return Some(Step::Alert);
    }
    let told = (&before.incident.kind, before.incident.confirmed);
    let is_old = now_ms >= before.sent_ms + HOLDS_MS / 2;
    (told != (&incident.kind, incident.confirmed) || is_old).then_some(Step::Update)
}

#[cfg(test)]
mod tests {
    use nanming_dataflows::network::Point;

    use super::super::Kind;
    use super::*;

    fn incident(confirmed: bool) -> Incident {
        Incident {
            id: "collision-7".into(),
            kind: Kind::Collision,
            road: "文昌路".into(),
            heading: None,
            links: vec![],
            at: Point::default(),
            since_ms: 0,
            confirmed,
        }
    }

    #[test]
    fn an_incident_is_told_changed_told_anew_and_taken_back() {
        let mut notices = Notices::default();
        let mut told = |now_ms, incidents: &[Incident]| {
            let stand = notices.bring_up(now_ms, incidents);
            stand.iter().map(|n| (n.step, n.sent_ms / 1000, n.before_ms.map(|ms| ms / 1000))).collect::<Vec<_>>()
        };
        use Step::*;
        assert_eq!(told(10_400, &[incident(false)]), [(Alert, 10, None)]);
        assert_eq!(told(20_000, &[incident(false)]), [(Alert, 10, None)], "nothing new");
        assert_eq!(told(30_000, &[incident(true)]), [(Update, 30, Some(10))]);
        assert_eq!(told(1_830_000, &[incident(true)]), [(Update, 1_830, Some(30))], "before it expires");
        assert_eq!(told(1_900_000, &[]), [(Cancel, 1_900, Some(1_830))]);
        assert_eq!(told(1_950_000, &[]), [(Cancel, 1_900, Some(1_830))]);
        assert_eq!(told(1_960_000, &[incident(false)]), [(Alert, 1_960, None)], "another at the same place");
        assert_eq!(told(1_970_000, &[]), [(Cancel, 1_970, Some(1_960))]);
        assert_eq!(told(3_770_000, &[]), []);
    }
}
