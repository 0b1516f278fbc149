//! A link's states, folded to one value every five minutes.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{APART_MS, Regions, STEP_MS};
use crate::Time;
use crate::ids::LinkId;
use crate::keyed::{Machine, Outbox};

/// What was observed of a link. Ordered by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Observed {
    /// When, ms.
    pub time_ms: u64,
    /// Speed as a share of free flow, 1/1000.
    pub speed_milli: u32,
    /// Flow, vehicles/h.
    pub flow_veh_h: u32,
}

/// What a link did in an interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LinkMean {
    /// Which link.
    pub link: LinkId,
    /// When the interval began, ms.
    pub from_ms: u64,
    /// Mean speed as a share of free flow, 1/1000, and mean flow, vehicles/h; none when nothing was observed.
    pub mean: Option<(u32, u32)>,
}

/// The machine of means.
pub struct Means {
    regions: Arc<Regions>,
}

/// Sums over the interval that runs.
#[derive(Default, Serialize, Deserialize)]
pub struct Sums {
    speed_milli: u64,
    flow_veh_h: u64,
    count: u64,
    /// When it ends, ms; 0 before the first.
    ends_ms: u64,
}

impl Means {
    /// For the links of regions.
    pub fn new(regions: Arc<Regions>) -> Self {
        Means { regions }
    }
}

impl Machine for Means {
    type Key = LinkId;
    type Event = Observed;
    type State = Sums;
    type Out = LinkMean;

    fn name(&self) -> &'static str {
        "link_means"
    }

    fn step(
        &self,
        link: LinkId,
        sums: &mut Sums,
        tick: Time,
        events: &[(LinkId, Observed)],
        out: &mut Outbox<LinkMean>,
    ) {
        // What comes in the tick that ends an interval was observed within it.
        for (_, seen) in events {
            sums.speed_milli += u64::from(seen.speed_milli);
            sums.flow_veh_h += u64::from(seen.flow_veh_h);
            sums.count += 1;
        }
        let apart_ms = u64::from(self.regions.of(link).0) * APART_MS % STEP_MS;
        let began_ms = tick.saturating_sub(apart_ms) / STEP_MS * STEP_MS;
        if sums.ends_ms > 0 && tick >= sums.ends_ms {
            // After a gap in ticks nobody knows what the newest interval was like.
            let mean = (sums.count > 0 && tick < sums.ends_ms + STEP_MS)
                .then(|| ((sums.speed_milli / sums.count) as u32, (sums.flow_veh_h / sums.count) as u32));
            out.emit(LinkMean { link, from_ms: began_ms - STEP_MS, mean });
            *sums = Sums::default();
        }
        if sums.ends_ms == 0 {
            sums.ends_ms = began_ms + STEP_MS + apart_ms;
            out.wake_at(sums.ends_ms);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::dispatch::tests::streets;
    use crate::network::Point;

    /// What a link's machine says over the ticks, and when the interval ends.
    fn play(sums: &mut Sums, means: &Means, tick: Time, seen: &[(u64, u32, u32)]) -> (Vec<LinkMean>, Time) {
        let mut out = Outbox::new();
        let events: Vec<(LinkId, Observed)> = seen
            .iter()
            .map(|&(time_ms, speed_milli, flow_veh_h)| (LinkId(0), Observed { time_ms, speed_milli, flow_veh_h }))
            .collect();
        means.step(LinkId(0), sums, tick, &events, &mut out);
        (out.said(), sums.ends_ms)
    }

    #[test]
    fn an_interval_is_told_when_it_ends_and_is_none_where_nobody_drove() {
        let city = streets(&[Point { x_mm: 0, y_mm: 0 }, Point { x_mm: 500_000, y_mm: 0 }]);
        let (means, mut sums) = (Means::new(Arc::new(Regions::new(&city))), Sums::default());
        let first = 7 * STEP_MS;
        assert_eq!(play(&mut sums, &means, first + 10, &[(first, 400, 900)]), (vec![], first + STEP_MS));
        assert_eq!(play(&mut sums, &means, first + 20, &[(first + 5, 800, 300)]).0, vec![]);
        let told = |from_ms, mean| vec![LinkMean { link: LinkId(0), from_ms, mean }];
        let ended = play(&mut sums, &means, first + STEP_MS + 3, &[]);
        assert_eq!(ended, (told(first, Some((600, 600))), first + 2 * STEP_MS));
        let silent = play(&mut sums, &means, first + 2 * STEP_MS, &[]);
        assert_eq!(silent, (told(first + STEP_MS, None), first + 3 * STEP_MS));
    }
}
