//! Measures of public travel information.

use prometheus::{IntCounter, IntCounterVec};

use super::make::Make;

/// Requests of travellers.
pub struct TravelMeasures {
    requests: IntCounterVec,
    limited: IntCounter,
}

impl TravelMeasures {
    pub(super) fn new(make: &Make) -> TravelMeasures {
        let measures = TravelMeasures {
            requests: make.counter_vec(
                "travel_requests_total",
                "Requests for travel information, by route and status.",
                &["route", "status"],
            ),
            limited: make.counter("travel_limited_total", "Such requests that came too often from one address."),
        };
        measures.requests.with_label_values(&["roads", "200"]).inc_by(0);
        measures
    }

    /// A request was answered.
    pub fn answered(&self, route: &str, status: u16) {
        self.requests.with_label_values(&[route, &status.to_string()]).inc();
    }

    /// A request came too often.
    pub fn limited(&self) {
        self.limited.inc();
    }
}
