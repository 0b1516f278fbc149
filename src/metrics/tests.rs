use super::*;

#[test]
fn measures_stand_at_zero_before_anything_happens() {
    let text = Metrics::new(&nanming_simulators::town::small(2, 2, 1)).render();
    for line in [
        "nanming_envelope_violations_total 0",
        "nanming_long_reds_total{waiting=\"people\"} 0",
        "nanming_events_total{stream=\"passages\"} 0",
        "nanming_signal_commands_total{reason=\"max_red\"} 0",
        "nanming_tick_latency_seconds_bucket{le=\"0.01\"} 0",
        "nanming_ack_seconds_bucket{le=\"180\"} 0",
        "nanming_calls_open{priority=\"A\"} 0",
        "nanming_dead_letters_total{reason=\"malformed\",stream=\"unknown\"} 0",
    ] {
        assert!(text.lines().any(|l| l == line), "{line} is missing in\n{text}");
    }
    assert!(text.contains("nanming_build_info{"), "{text}");
}

#[test]
fn levels_and_process_figures_show() {
    let city = nanming_simulators::town::small(2, 2, 1);
    let metrics = Metrics::new(&city);
    metrics.levels(&Levels { available_units: 7, open_calls: vec![(Priority::B, 2)], ..Levels::default() });
    let text = metrics.render();
    assert!(text.contains("nanming_units_available 7") && text.contains("nanming_calls_open{priority=\"B\"} 2"));
    assert!(!text.contains("nanming_process_resident_bytes 0\n"), "{text}");
}
