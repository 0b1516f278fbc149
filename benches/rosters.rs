//! Points of the reference city given to the persons of its rosters: how long it takes, against the goal, and that it costs
//! as little as can be, by another algorithm (Kuhn and Munkres, from the crate `pathfinding`, with a column for each point
//! that a person can look after). Fails when the goal is missed or the cost is another.
//!
//! `cargo bench --bench rosters`

use std::process::ExitCode;
use std::time::{Duration, Instant};

use nanming_dataflows::matching::Matching;
use nanming_dataflows::network::{Person, Roster};
use pathfinding::prelude::{Matrix, kuhn_munkres_min};

/// For 1,300 sites and 145 supervisors.
const GOAL: Duration = Duration::from_millis(20);
/// Of so many runs the median counts.
const RUNS: usize = 21;

fn main() -> ExitCode {
    let mut city = nanming_simulators::guiyang::generate(1);
    if let Err(error) = nanming::rosters::reference(&mut city, 1) {
        eprintln!("{error}");
        return ExitCode::FAILURE;
    }
    let mut holds = true;
    for roster in &city.rosters {
        for (row, role) in roster.roles.iter().enumerate().filter(|(_, role)| role.is_standing) {
            let persons: Vec<&Person> = roster.persons.iter().filter(|p| usize::from(p.role) == row).collect();
            let costs = costs(roster, &persons);
            let (took, cost) = given(&costs, &persons);
            let least = least(&costs, &persons);
            let is_in_time = took <= GOAL;
            holds &= is_in_time && cost == least;
            println!(
                "{} {}: {} points to {} persons in {:.1} ms (goal {} ms){}, {:.1} h of travel in all, {}",
                roster.name,
                role.name,
                costs.len(),
                persons.len(),
                took.as_secs_f64() * 1000.0,
                GOAL.as_millis(),
                if is_in_time { "" } else { ": MISSED" },
                cost as f64 / 3_600_000.0,
                if cost == least { "the least there is" } else { "NOT THE LEAST" },
            );
        }
    }
    if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Travel time from each point to each person, ms.
fn costs(roster: &Roster, persons: &[&Person]) -> Vec<Vec<i64>> {
    let of = |at| persons.iter().map(|person| roster.travel_ms(person.at, at) as i64).collect();
    roster.points.iter().map(|point| of(point.at)).collect()
}

/// How long the matching takes, and what it costs.
fn given(costs: &[Vec<i64>], persons: &[&Person]) -> (Duration, i64) {
    let mut took = Vec::new();
    let mut cost = 0;
    for _ in 0..RUNS {
        let began = Instant::now();
        let mut matching = Matching::new(persons.iter().map(|person| u32::from(person.points)));
        costs.iter().enumerate().for_each(|(rank, costs)| {
            matching.insert_row(rank as u64, costs);
        });
        took.push(began.elapsed());
        cost = matching.cost();
    }
    took.sort_unstable();
    (took[RUNS / 2], cost)
}

/// The least cost.
fn least(costs: &[Vec<i64>], persons: &[&Person]) -> i64 {
    let wide = |row: &Vec<i64>| -> Vec<i64> {
        let columns = row.iter().zip(persons);
        columns.flat_map(|(cost, person)| std::iter::repeat_n(*cost, usize::from(person.points))).collect()
    };
    Matrix::from_rows(costs.iter().map(wide)).map_or(-1, |matrix| kuhn_munkres_min(&matrix).0)
}
