use super::*;

fn call(priority: Priority, phase: CallPhase, seconds: [Option<u64>; 3]) -> Response {
    let at = |s: Option<u64>| s.map(|s| 1_000_000 + s * 1000);
    let [assigned, accepted, arrived] = seconds;
    let accepting_ms = assigned.zip(accepted).map(|(from, to)| (to - from) * 1000);
    let (assigned_ms, accepted_ms, arrived_ms) = (at(assigned), at(accepted), at(arrived));
    Response { priority, phase, opened_ms: 1_000_000, assigned_ms, accepted_ms, accepting_ms, arrived_ms }
}

#[test]
fn shares_are_of_the_calls_that_somebody_had_to_answer() {
    use CallPhase::*;
    use Priority::*;
    let all = [
        call(A, Closed, [Some(0), Some(30), Some(480)]),
        call(A, Arrived, [Some(0), Some(31), Some(481)]),
        call(B, Accepted, [Some(400), Some(410), None]),
        call(B, Assigned, [Some(0), None, None]),
        call(C, Cancelled, [Some(0), None, None]),
        call(C, Merged, [None, None, None]),
        call(C, Closed, [None, None, None]),
        call(C, Referred, [None, None, None]),
    ];
    let report = Report::of(&all);
    assert_eq!((report.calls, report.withdrawn, report.merged, report.referred), (8, 1, 2, 1));
    let quarter = |n: f64| Some(n / 4.0);
    let Columns { count, within_30s, within_60s, later, .. } = report.acknowledged;
    assert_eq!((count, within_30s, within_60s, later), (4, quarter(1.0), quarter(1.0), quarter(2.0)));
    assert_eq!(
        (report.accepted.within_30s, report.accepted.later),
        (quarter(2.0), quarter(1.0)),
        "the wait before counts not"
    );
    assert_eq!(report.departed_within_5min, quarter(2.0));
    let a = &report.arrived[0];
    assert_eq!((a.count, a.mean_s, a.p90_s, a.within_8min), (2, Some(480.5), Some(481.0), Some(0.5)));
    assert_eq!((report.arrived[1].missing, report.arrived[2].within_8min), (2, None));
}

#[test]
fn nothing_is_shared_where_nothing_was_raised() {
    let report = Report::of(&[]);
    assert_eq!((report.acknowledged.within_30s, report.departed_within_5min), (None, None));
    assert!(report.to_string().contains("call to acceptance"), "{report}");
}
