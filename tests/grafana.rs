//! What `grafana/` shows and rings: every panel, variable and rule over the running engine, asked of a real Prometheus.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io::Write;
use std::process::Stdio;

use regex_lite::Regex;
use serde_json::{Value, json};

use crate::board::events;
use crate::running::{Running, Socket};

mod dashboard;
mod prometheus;
use dashboard::{Dashboard, Variable, filled};
use prometheus::{Prometheus, grafana, program};

const BOARDS: [&str; 3] = ["traffic", "dispatch", "engine"];

#[test]
fn boards_and_rules_find_their_data_and_it_is_the_citys() {
    // Busy and fast, so that stages change within the patience of a test.
    let busy = ["--start", "08:00", "--demand", "4", "--speed", "3"];
    let city = crate::rosters::start_in(tempfile::tempdir().unwrap(), &busy);
    let prometheus = Prometheus::watching(&city);
    let _connected = what_dispatch_needs(&city, &prometheus);
    variables_list_what_the_city_has(&city, &prometheus);
    panels_show_numbers(&city, &prometheus);
    rules_are_sound_and_quiet(&city, &prometheus);
    figures_are_those_of_the_page(&city, &prometheus);
    stages_are_those_of_the_junctions(&city, &prometheus);
    promtool(&["check", "metrics"], &city.text("/metrics"));
}

/// A call that is accepted, one more, a task, and a line that is refused, all after the first scrape: rates need a before.
fn what_dispatch_needs(city: &Running, prometheus: &Prometheus) -> Socket {
    city.wait_for("scrape", || prometheus.sum("nanming_assignments_total").is_some());
    let mut terminal = city.terminal(3);
    terminal.report(city.post_of(3));
    city.wait_for("units", || prometheus.sum("nanming_units_available").is_some_and(|units| units > 1.0));
    for unit in [3, 0] {
        assert_eq!(city.post("/calls", &city.alarm(unit, json!({}))).0, 201);
    }
    let sent = terminal.hear("assignment");
    for answer in ["accept", "arrived"] {
        terminal.say(&json!({"type": "ack", "assignment": sent["assignment"], "answer": answer}).to_string());
        assert_eq!(terminal.hear("ack_result")["ok"], true);
    }
    let task = json!({"kind": "dust", "point": city.city.sites[0].name});
    assert_eq!(city.post("/api/rosters/sites/tasks", &task.to_string()).0, 201);
    city.post("/api/ingest", &json!({"type": "passage", "camera": "nowhere", "speed_kmh": 40}).to_string());
    terminal
}

fn variables_list_what_the_city_has(city: &Running, prometheus: &Prometheus) {
    let variables = Dashboard::read("traffic").variables(prometheus);
    let listed = |name: &str| variables.iter().find(|v| v.name == name).unwrap().values.iter().cloned().collect();
    let districts: BTreeSet<String> = city.city.districts.iter().map(|d| d.name_en.clone()).collect();
    let junctions: BTreeSet<String> = city.city.junctions.iter().map(|j| j.name.clone()).collect();
    assert_eq!(districts, listed("district"));
    assert_eq!(junctions, listed("junction"));
}

fn panels_show_numbers(city: &Running, prometheus: &Prometheus) {
    for board in BOARDS.map(Dashboard::read) {
        let variables = board.variables(prometheus);
        for panel in board.panels() {
            for expression in Dashboard::expressions(panel) {
                let asked = filled(expression, &variables);
                assert!(!asked.contains('$'), "{}: {asked}", panel["title"]);
                let what = format!("{} of {}: {asked}", panel["title"], board.0["title"]);
                let shows = || prometheus.now(&asked).unwrap_or_else(|error| panic!("{what}: {error}"));
                // Of forecasts nothing is scored yet, which is no number; `board.rs` waits until it is one.
                let scored_later = asked.contains("nanming_forecast_");
                city.wait_for(&what, || shows().iter().any(|(_, value)| value.is_finite() || scored_later));
            }
        }
        for annotation in board.0["annotations"]["list"].as_array().unwrap() {
            prometheus.now(annotation["expr"].as_str().unwrap()).unwrap();
        }
    }
}

/// Each rule is evaluated, everything it selects exists, and nobody is woken.
fn rules_are_sound_and_quiet(city: &Running, prometheus: &Prometheus) {
    let rules = || -> Vec<Value> {
        let groups = prometheus.ask("rules", &[]).unwrap()["groups"].take();
        groups.as_array().unwrap().iter().flat_map(|group| group["rules"].as_array().unwrap().clone()).collect()
    };
    city.wait_for("rules", || rules().iter().all(|rule| rule["health"] != "unknown"));
    let selector = Regex::new(r"\b(nanming_\w+|up)\b(\{[^}]*\})?").unwrap();
    for rule in rules() {
        let name = &rule["name"];
        assert_eq!(rule["health"], "ok", "{name}: {}", rule["lastError"]);
        for selected in selector.find_iter(rule["query"].as_str().unwrap()) {
            assert!(prometheus.sum(selected.as_str()).is_some(), "{name}: nothing is {}", selected.as_str());
        }
        let wakes = rule["labels"]["severity"] == "page";
        assert!(!wakes || rule["state"] != "firing", "{rule}");
    }
}

/// What the boards count is what the operators' page counts at that time.
fn figures_are_those_of_the_page(city: &Running, prometheus: &Prometheus) {
    let [traffic, dispatch] = ["traffic", "dispatch"].map(Dashboard::read);
    let variables = traffic.variables(prometheus);
    for (expression, figure) in [
        (dispatch.expression("Units available"), "available_units"),
        (dispatch.expression("Waiting calls"), "waiting_calls"),
        (dispatch.expression("Open calls by priority"), "open_calls"),
        (dispatch.expression("Open calls by phase"), "open_calls"),
        (traffic.expression("Congested links by district"), "congested_links"),
        ("nanming_dead_letters_total", "dead_letters"),
    ] {
        let asked = filled(expression, &variables);
        let page = || events(city, None, 1).remove(0).2["figures"][figure].as_f64();
        city.wait_for(&format!("{figure} of {asked}"), || prometheus.sum(&asked) == page());
    }
    let onsets = || events(city, None, 1).remove(0).2["onsets"].as_array().unwrap().len() as f64;
    city.wait_for("onsets", || prometheus.sum("nanming_links_about_to_congest") == Some(onsets()));
    assert!(prometheus.sum("sum(nanming_calls_open)") >= Some(2.0), "the calls raised here are open");
    assert_eq!(prometheus.sum("nanming_district_links"), Some(city.city.links.len() as f64));
}

/// The stages of all junctions, each chosen alone, and once more after one of them has changed.
fn stages_are_those_of_the_junctions(city: &Running, prometheus: &Prometheus) {
    let traffic = Dashboard::read("traffic");
    let asked = |junction: &str| {
        let chosen = Variable { name: "junction".into(), values: vec![junction.into()] };
        filled(traffic.expression("Stage in force"), &[chosen])
    };
    let page = |row| city.get(&format!("/api/junctions/{row}")).1["stage"].as_f64();
    let shown = || -> Vec<_> { city.city.junctions.iter().map(|j| prometheus.sum(&asked(&j.name))).collect() };
    let real = || -> Vec<_> { (0..city.city.junctions.len()).map(page).collect() };
    for _ in 0..2 {
        let before = real();
        city.wait_for("a change of stage", || {
            let now = real();
            now != before && shown() == now
        });
    }
}

#[test]
fn every_panel_tells_what_it_shows_and_in_what_unit() {
    let mut boards = BTreeSet::new();
    for board in BOARDS.map(Dashboard::read) {
        assert!(boards.insert(board.0["uid"].to_string()) && board.0["schemaVersion"] == 39);
        let mut ids = BTreeSet::new();
        for panel in board.panels() {
            let title = &panel["title"];
            assert!(ids.insert(panel["id"].as_u64()), "{title} has the ID of another");
            assert!(panel["description"].as_str().is_some_and(|text| text.ends_with('.')), "{title} tells nothing");
            assert!(panel["fieldConfig"]["defaults"]["unit"].is_string(), "{title} has no unit");
            assert_eq!(panel["datasource"]["uid"], "${ds}", "{title}");
        }
    }
    assert_eq!(std::fs::read_dir(grafana("dashboards")).unwrap().count(), boards.len());
}

#[test]
fn grafana_knows_how_often_prometheus_scrapes() {
    let text = |path| std::fs::read_to_string(grafana(path)).unwrap();
    assert!(text("prometheus.yml").contains("scrape_interval: 5s"));
    assert!(text("provisioning/datasources/prometheus.yml").contains("timeInterval: 5s"));
}

#[test]
fn each_alert_fires_when_it_must_and_only_then() {
    let files = |folder: &str| -> Vec<String> {
        let all = std::fs::read_dir(grafana(folder)).unwrap().map(|entry| entry.unwrap().path());
        all.filter(|path| path.is_file()).map(|path| path.to_str().unwrap().into()).collect()
    };
    promtool(&["check", "config", "--lint-fatal", grafana("prometheus.yml").to_str().unwrap()], "");
    for (task, folder) in [("check", "rules"), ("test", "rules/tests")] {
        let arguments: Vec<String> = [task.into(), "rules".into()].into_iter().chain(files(folder)).collect();
        promtool(&arguments, "");
    }
}

/// promtool finds nothing to complain of.
fn promtool(arguments: &[impl AsRef<OsStr>], input: &str) {
    let mut command = program("promtool");
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let said = child.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(said.status.success(), "{}{}", text(&said.stdout), text(&said.stderr));
}
