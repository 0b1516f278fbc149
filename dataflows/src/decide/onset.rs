//! Links that flow freely now and are told to congest: what people can still act on.

use crate::Collection;
use crate::decision::{LinkForecast, LinkState, Onset};
use crate::ids::LinkId;
use crate::network::City;
use crate::relation::Upsert;

/// Links about to congest, each with the nearest lead for which that is told: those told to congest less those that are
/// congested already.
pub fn onsets<'s>(
    expected: Collection<'s, (LinkId, u16)>,
    congested: Collection<'s, (LinkId, ())>,
) -> Collection<'s, Onset> {
    expected.antijoin(congested.map(|(link, ())| link)).map(|(link, lead_min)| Onset { link, lead_min })
}

/// Whether a link is congested now, as an upsert: below [`CONGESTED_SHARE`](super::forecast::CONGESTED_SHARE).
pub fn congested_now(city: &City, state: &LinkState) -> (LinkId, Upsert<()>) {
    let free = u64::from(city.links[state.link.index()].free_speed_mm_s);
    let congested = u64::from(state.speed_mm_s) * 2 < free;
    (state.link, Upsert::new(state.time_ms, congested.then_some(())))
}

/// The nearest lead for which congestion is told, as an upsert.
pub fn congested_soon(forecast: &LinkForecast) -> (LinkId, Upsert<u16>) {
    let nearest = forecast.leads.iter().find(|lead| lead.onset).map(|lead| lead.lead_min);
    (forecast.link, Upsert::new(forecast.time_ms, nearest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyed::{Kind, Vault};
    use crate::observe::observe;
    use crate::relation::latest;

    #[test]
    fn an_onset_ends_when_the_congestion_is_there() {
        let soon = vec![(10, (LinkId(1), Upsert::new(10, Some(15))))];
        let now = vec![(30, (LinkId(1), Upsert::new(30, Some(()))))];
        let seen = observe(1..=50, move |scope, ticks| {
            let vault = Vault::default();
            let soon = latest(("soon", Kind::Seen), scope.given(soon), ticks.clone(), None, &vault);
            let now = latest(("now", Kind::Seen), scope.given(now), ticks, None, &vault);
            onsets(soon.collection(), now.collection()).consolidate().inner
        });
        let onset = Onset { link: LinkId(1), lead_min: 15 };
        assert_eq!(seen, vec![(onset, 10, 1), (onset, 30, -1)]);
    }
}
