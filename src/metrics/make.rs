//! Making measures: names get their prefix, labels are resolved at once. A name registered twice is a programming error
//! that the first test finds.

use prometheus::core::Collector;
use prometheus::{
    Counter, Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec,
    Opts, Registry,
};

/// A registry under construction.
pub(super) struct Make(Registry);

impl Make {
    pub(super) fn new() -> Make {
        Make(Registry::new())
    }

    fn add<M: Collector + Clone + 'static>(&self, measure: prometheus::Result<M>) -> M {
        let added = measure.and_then(|m| self.0.register(Box::new(m.clone())).map(|()| m));
        added.unwrap_or_else(|error| panic!("a measure is ill-formed: {error}"))
    }

    pub(super) fn counter(&self, name: &str, help: &str) -> IntCounter {
        self.add(IntCounter::with_opts(opts(name, help)))
    }

    pub(super) fn float_counter(&self, name: &str, help: &str) -> Counter {
        self.add(Counter::with_opts(opts(name, help)))
    }

    pub(super) fn int_gauge(&self, name: &str, help: &str) -> IntGauge {
        self.add(IntGauge::with_opts(opts(name, help)))
    }

    pub(super) fn gauge(&self, name: &str, help: &str) -> Gauge {
        self.add(Gauge::with_opts(opts(name, help)))
    }

    pub(super) fn histogram(&self, name: &str, help: &str, edges: &[f64]) -> Histogram {
        self.add(Histogram::with_opts(HistogramOpts { common_opts: opts(name, help), buckets: edges.to_vec() }))
    }

    pub(super) fn histograms<'a, K>(
        &self,
        (name, help): (&str, &str),
        edges: &[f64],
        label: &str,
        values: impl IntoIterator<Item = (&'a str, K)>,
    ) -> Vec<(K, Histogram)> {
        let options = HistogramOpts { common_opts: opts(name, help), buckets: edges.to_vec() };
        let all = self.add(HistogramVec::new(options, &[label]));
        values.into_iter().map(|(value, key)| (key, all.with_label_values(&[value]))).collect()
    }

    pub(super) fn counter_vec(&self, name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
        self.add(IntCounterVec::new(opts(name, help), labels))
    }

    pub(super) fn gauge_vec(&self, name: &str, help: &str, labels: &[&str]) -> GaugeVec {
        self.add(GaugeVec::new(opts(name, help), labels))
    }

    pub(super) fn counters<'a, K>(
        &self,
        name: &str,
        help: &str,
        label: &str,
        values: impl IntoIterator<Item = (&'a str, K)>,
    ) -> Vec<(K, IntCounter)> {
        let all = self.counter_vec(name, help, &[label]);
        values.into_iter().map(|(value, key)| (key, all.with_label_values(&[value]))).collect()
    }

    pub(super) fn int_gauges<'a, K>(
        &self,
        name: &str,
        help: &str,
        label: &str,
        values: impl IntoIterator<Item = (&'a str, K)>,
    ) -> Vec<(K, IntGauge)> {
        let all = self.add(IntGaugeVec::new(opts(name, help), &[label]));
        values.into_iter().map(|(value, key)| (key, all.with_label_values(&[value]))).collect()
    }

    pub(super) fn gauges<'a, K>(
        &self,
        name: &str,
        help: &str,
        label: &str,
        values: impl IntoIterator<Item = (&'a str, K)>,
    ) -> Vec<(K, Gauge)> {
        let all = self.add(GaugeVec::new(opts(name, help), &[label]));
        values.into_iter().map(|(value, key)| (key, all.with_label_values(&[value]))).collect()
    }

    pub(super) fn registry_with_build_info(self) -> Registry {
        let info = self.add(IntGaugeVec::new(opts("build_info", "Version of the engine; always 1."), &["version"]));
        info.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        self.0
    }
}

fn opts(name: &str, help: &str) -> Opts {
    Opts::new(format!("nanming_{name}"), help)
}
