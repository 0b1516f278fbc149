//! Controllers that take plans: they run the engine's, in turn under two numbers, refuse one, and give way to a unit.

use nanming_dataflows::network::{City, Link, SignalMode};
use nanming_simulators::gbt20999::PlanRow;
use serde_json::{Value, json};

use super::*;
use crate::running::lines;

/// A city all in plan mode, and its controllers, each of which runs a plan of the engine.
fn start_in_plans() -> (Running, Vec<Controller>) {
    let dir = tempfile::tempdir().unwrap();
    let all = controllers_with(dir.path(), std::array::from_fn(|_| Script::default()), "orders = \"plan\"");
    // Away from midnight, when plans are written anew.
    let options = ["--no-sim", "--speed", &SPEED.to_string(), "--plan-mode", "all", "--jsonl", ".", "--start", "08:00"];
    let city = Running::start_as(command(), dir, &options);
    city.wait_for("plans", || all.iter().all(|controller| runs(controller, 31) || runs(controller, 32)));
    (city, all)
}

fn runs(controller: &Controller, plan: u8) -> bool {
    let seen = controller.seen();
    seen.mode == Mode::CENTRE_COORDINATED && seen.plan.number == plan
}

/// Whether the engine has told a plan of a junction that a row is.
fn is_told(city: &Running, junction: usize, row: &PlanRow) -> bool {
    let name = &city.city.junctions[junction].name;
    let is_it = |plan: &Value| {
        let ms = |step: &Value, column: usize| step[column].as_i64().unwrap();
        let steps = plan["steps"].as_array().unwrap();
        plan["junction"] == **name
            && plan["cycle_ms"] == u64::from(row.cycle_s()) * 1000
            && steps.len() == row.steps.len()
            && steps.iter().zip(&row.steps).all(|(told, step)| {
                let apart_ms = ms(told, 1) + ms(told, 2) - i64::from(step.time_s) * 1000;
                apart_ms.abs() <= 1_000
            })
    };
    lines(&city.dir.path().join("plans.jsonl")).iter().any(is_it)
}

/// Vehicles pass the cameras of a junction's approach.
fn pass(city: &Running, approach: usize) {
    let lanes = &city.city.links[city.city.junctions[0].approaches[approach].link.index()].lanes;
    let cameras = city.city.cameras.iter().filter(|camera| camera.lane.is_some_and(|(lane, _)| lanes.contains(&lane)));
    let passage = |name: &String| json!({"type": "passage", "camera": name, "speed_kmh": 40}).to_string();
    let passages: Vec<String> = cameras.map(|camera| passage(&camera.name)).collect();
    city.post("/api/ingest", &passages.join("\n"));
}

#[test]
fn they_run_the_engine_s_plans_and_keep_the_one_in_force_when_they_refuse_another() {
    let (city, all) = start_in_plans();
    assert!(is_told(&city, 0, &all[0].seen().plan), "{:?}", all[0].seen().plan);
    let first = all[0].seen().plan.number;
    city.wait_for("the other number", || {
        pass(&city, 0);
        runs(&all[0], 63 - first)
    });
    assert!(is_told(&city, 0, &all[0].seen().plan), "{:?}", all[0].seen().plan);

    all.iter().for_each(|controller| controller.behave(Manner::Refuse));
    let before = all[0].seen().plan;
    let told = |kind: &str| count(&city, &format!("nanming_controller_alarms_total{{kind=\"{kind}\"}}"));
    city.wait_for("a refusal", || {
        pass(&city, 1);
        told("plan_refused") > 0 && count(&city, "nanming_controller_orders_total{outcome=\"refused\"}") > 0
    });
    assert!(all.iter().all(|controller| controller.seen().mode == Mode::CENTRE_COORDINATED));
    assert_eq!(all[0].seen().plan, before);
    assert_eq!((told("disobeyed"), told("lie"), told("conflict")), (0, 0, 0));
    assert!(city.measures("nanming_envelope_violations_total 0"));
    all.iter().for_each(|controller| controller.behave(Manner::Obey));
    city.end();
    assert!(all.iter().all(|controller| controller.seen().mode == Mode::LOCAL_FIXED), "given back in good order");
}

#[test]
fn a_unit_on_an_urgent_call_goes_before_the_plan_which_comes_back() {
    let (city, all) = start_in_plans();
    let (here, there) = way(&city.city);
    let mut terminal = city.terminal(3);
    terminal.report(here);
    city.wait_for("unit", || city.measures("nanming_units_available 1"));
    let mut call = json!({"priority": "A", "category": "crime", "words": "救命"});
    (call["lon"], call["lat"]) = (there.0.into(), there.1.into());
    assert_eq!(city.post("/calls", &call.to_string()).0, 201);
    let sent = terminal.hear("assignment");
    terminal.say(&json!({"type": "ack", "assignment": sent["assignment"], "answer": "accept"}).to_string());
    let obeyed = all[0].seen().obeyed;
    city.wait_for("stages for the unit", || {
        terminal.report(here);
        all[0].seen().mode == Mode::CENTRE_ADAPTIVE
    });
    city.wait_for("its plan again", || runs(&all[0], 31) || runs(&all[0], 32));
    assert!(all[0].seen().obeyed >= obeyed);
    assert_eq!(count(&city, "nanming_controller_alarms_total{kind=\"disobeyed\"}"), 0);
}

#[test]
fn a_stage_that_somebody_holds_goes_before_the_plan_which_comes_back() {
    let (city, all) = start_in_plans();
    let say = |stage: Value| {
        let mut hold = json!({"type": "hold", "junction": 0, "by": "desk"});
        if !stage.is_null() {
            (hold["stage"], hold["for_s"]) = (stage, 3_600.into());
        }
        assert_eq!(city.post("/api/ingest", &hold.to_string()).1["accepted"], 1);
    };
    say(1.into());
    city.wait_for("the stage held", || {
        let (seen, told) = (all[0].seen(), city.get("/api/junctions/0").1);
        seen.mode == Mode::CENTRE_ADAPTIVE && seen.stage == 1 && told["reason"] == "hold"
    });
    assert!(all[1..].iter().all(|controller| runs(controller, 31) || runs(controller, 32)), "nobody else is disturbed");
    say(Value::Null);
    city.wait_for("its plan again", || runs(&all[0], 31) || runs(&all[0], 32));
    assert_eq!(count(&city, "nanming_controller_alarms_total{kind=\"disobeyed\"}"), 0);
}

#[test]
fn one_that_is_switched_to_its_own_plan_is_taken_over_and_runs_the_engine_s_again() {
    let (city, all) = start_in_plans();
    assert!(all[0].by_hand(Mode::LOCAL_FIXED) && !runs(&all[0], 31) && !runs(&all[0], 32));
    city.wait_for("the engine's plan", || runs(&all[0], 31) || runs(&all[0], 32));
    let told = |kind: &str| count(&city, &format!("nanming_controller_alarms_total{{kind=\"{kind}\"}}"));
    assert_eq!((told("disobeyed"), told("plan_refused"), told("unreachable")), (0, 0, 0));
}

/// A place short of the first junction's line, and one beyond it, degrees.
fn way(city: &City) -> ((f64, f64), (f64, f64)) {
    let approach = &city.links[city.junctions[0].approaches[0].link.index()];
    let beyond = city.links.iter().find(|link| link.from == approach.to && link.to != approach.from).unwrap();
    let at = |link: &Link, part: f64| {
        let ends = [link.shape[0], link.shape[link.shape.len() - 1]].map(|p| p.to_lon_lat(city.origin).degrees());
        let between = |a: f64, b: f64| a + (b - a) * part;
        (between(ends[0].0, ends[1].0), between(ends[0].1, ends[1].1))
    };
    (at(approach, 0.85), at(beyond, 0.5))
}

#[test]
fn plans_are_only_for_junctions_in_plan_mode() {
    let dir = tempfile::tempdir().unwrap();
    let town = Running::lay_out(dir.path());
    assert!(town.junctions.iter().all(|junction| junction.mode == SignalMode::Stage));
    drop(controllers_with(dir.path(), std::array::from_fn(|_| Script::default()), "orders = \"plan\""));
    let mut command = command();
    command.args(["run", "--city", "town.json", "--no-sim", "--listen", "127.0.0.1:0"]).current_dir(dir.path());
    let ended = command.output().unwrap();
    assert_eq!(ended.status.code(), Some(1));
    assert!(String::from_utf8(ended.stderr).unwrap().contains("in plan mode (signals.plan)"));
}
