use nanming_dataflows::ids::TaskId;
use nanming_dataflows::network::City;

use super::*;

fn town() -> City {
    nanming_simulators::town::small(2, 2, 1)
}

/// A roster of these points, and one desk.
fn with_points(points: &str) -> String {
    format!(
        "name = \"lanes\"\nspeed_km_h = 4\nroles = [{{ name = \"desk\" }}]\nkinds = [{{ name = \"missed\" }}]\n\
         ladder = [{{ role = \"desk\", accept_min = 1, done_min = 2 }}]\npoints = [{points}]\n\
         persons = [{{ role = \"desk\", placed = 1, tasks = 9 }}]\n"
    )
}

#[test]
fn the_reference_city_has_its_four_rosters_and_room_for_every_point() {
    let mut city = nanming_simulators::guiyang::generate(1);
    reference(&mut city, 1).unwrap();
    city.check().unwrap();
    let names: Vec<&str> = city.rosters.iter().map(|roster| roster.name.as_str()).collect();
    assert_eq!(names, ["sites", "community", "fraud", "cleaning"]);
    let sites = &city.rosters[0];
    let supervisors = || sites.persons.iter().filter(|person| person.role == 0);
    assert_eq!((sites.points.len(), supervisors().count()), (1300, 145));
    assert!(supervisors().all(|person| (9..=12).contains(&person.points)));
    for roster in &city.rosters {
        for (row, role) in roster.roles.iter().enumerate().filter(|(_, role)| role.is_standing) {
            let of_role = roster.persons.iter().filter(|person| usize::from(person.role) == row);
            let room: usize = of_role.map(|person| usize::from(person.points)).sum();
            assert!(room >= roster.points.len(), "{} {}", roster.name, role.name);
        }
    }
}

#[test]
fn points_come_from_a_csv_beside_the_file() {
    let (dir, mut city) = (tempfile::tempdir().unwrap(), town());
    let (lon, lat) = city.units[0].post.to_lon_lat(city.origin).degrees();
    let table = format!("\u{feff}name,kind,lat,lon\n\"花果园, 一号\",x,{lat},{lon}\n\n二号,y,{lat},{lon}");
    std::fs::write(dir.path().join("points.csv"), table).unwrap();
    let file = dir.path().join("lanes.toml");
    std::fs::write(&file, with_points("{ csv = \"points.csv\" }")).unwrap();
    load(&mut city, &[file]).unwrap();
    let names: Vec<&str> = city.rosters[0].points.iter().map(|point| point.name.as_str()).collect();
    assert_eq!(names, ["花果园, 一号", "二号"]);
    assert_eq!(city.rosters[0].ladder(0).len(), 1, "the ladder of all kinds");
}

#[test]
fn a_file_that_makes_no_sense_says_what_to_do() {
    let path = Path::new("lanes.toml");
    for (points, complaint) in [
        ("{ name = \"a\" }", "'a' has no place: add lon and lat"),
        ("{ name = \"a\", lon = 0.0, lat = 0.0 }", "outside every patrol grid"),
        ("{ csv = \"none.csv\" }", "none.csv"),
        ("{ placed = 2, from = \"sites\" }", "needs one of name"),
        ("{ placed = 2 }, { placed = 1 }", "point 'point-0001' stands there twice"),
    ] {
        let said = add(&mut town(), path, &with_points(points), 1).unwrap_err().to_string();
        assert!(said.contains(complaint), "{said}");
    }
}

#[test]
fn a_task_has_a_name_that_leads_back_to_it() {
    let found = TaskId(nanming_dataflows::event::TASKS_FOUND | 7);
    for (task, name) in [(TaskId(OWN_TASKS.start), "t1"), (task_sent(9).unwrap(), "s9"), (found, "f7")] {
        assert_eq!((task_name(task).as_str(), task_of(name)), (name, Some(task)));
    }
    assert_eq!((task_of("7"), task_of("t"), task_of("票"), task_sent(MOST_SENT)), (None, None, None, None));
}
