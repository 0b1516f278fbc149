use super::*;

const NOW_MS: u64 = 1_767_657_600_000;

fn validator(city: City) -> Validator {
    Validator::new(Arc::new(city), Plates::new("key"), Callers::new("key"), 5_000, 600_000)
}

fn town() -> Validator {
    validator(nanming_simulators::town::small(2, 2, 1))
}

fn of_kind(validator: &Validator, kind: CameraKind) -> String {
    validator.city.cameras.iter().find(|c| c.kind == kind).unwrap().name.clone()
}

#[test]
fn every_example_of_the_handbook_is_read() {
    let validator = validator(nanming_simulators::guiyang::generate(1));
    let text = include_str!("../../../docs/events.md");
    let examples: Vec<&str> = text.lines().filter(|line| line.starts_with("{\"type\"")).collect();
    let mut batch = Batch::default();
    for example in examples {
        let (event, _) = validator.event(example.as_bytes(), NOW_MS).unwrap_or_else(|e| panic!("{example}: {e}"));
        batch.push(event);
    }
    let counts = batch.counts().into_iter().filter(|(stream, _)| *stream != "rosters").map(|(_, n)| n);
    assert!(counts.eq([1; 14]), "one example of each stream; rosters have ways in of their own");
    assert_eq!(batch.passages[0].speed_mm_s, 12_000);
    assert_eq!(batch.flows[0].occupancy_milli, 120);
    assert_eq!(batch.buses[0].position_mm, 0);
    assert_eq!(batch.passages[0].vehicle, batch.violations[0].vehicle, "one plate, one vehicle");
}

#[test]
fn a_passage_without_a_time_is_now_and_without_a_plate_is_nobody() {
    let town = town();
    let line =
        format!("{{\"type\":\"passage\",\"camera\":\"{}\",\"speed_kmh\":36}}", of_kind(&town, CameraKind::StopLine));
    let (event, _) = town.event(line.as_bytes(), NOW_MS).unwrap();
    let Event::Passage(passage) = event else { panic!("{event:?}") };
    assert_eq!((passage.time_ms, passage.vehicle, passage.speed_mm_s), (NOW_MS, VehicleId(0), 10_000));
}

#[test]
fn a_passage_is_the_same_however_it_is_written() {
    let town = town();
    let camera = of_kind(&town, CameraKind::StopLine);
    let escaped: String = camera.chars().map(|c| format!("\\u{:04x}", c as u32)).collect();
    let rest = r#""speed_kmh":36.5,"plate":"贵\u004112345","class":"bus","time_ms":1767657600000,"lane":[1,{}]"#;
    let lines = [
        format!(r#"{{"type":"passage","camera":"{camera}",{rest}}}"#),
        format!(r#"{{ "camera" : "{escaped}", {rest} , "type" : "passage" }}"#),
        format!(
            r#"{{ "camera":"{camera}","speed_kmh":36.5 ,"plate":"贵A12345", "class":"bus","lane":2,"type":"passage" }}"#
        ),
    ];
    for line in &lines {
        let slow = serde_json::from_str(line).unwrap();
        let Line::Passage(slow) = slow else { panic!("{line}") };
        let (event, _) = town.event(line.as_bytes(), NOW_MS).unwrap();
        assert_eq!(event, Event::Passage(town.passage(&slow, NOW_MS).unwrap()));
    }
    for (line, is_flow) in [
        (r#"{"camera":"passage","speed_kmh":1}"#.to_owned(), false),
        (r#"{"type":"passage","type":"flow","camera":"x","speed_kmh":1}"#.to_owned(), false),
        (format!(r#"{{"type":"flow","note":"passage","camera":"{camera}","interval_s":9,"vehicles":1}}"#), true),
    ] {
        assert_eq!(town.event(line.as_bytes(), NOW_MS).is_ok(), is_flow, "{line}");
    }
}

#[test]
fn what_cannot_be_is_refused_with_its_reason() {
    let town = town();
    let (stop_line, crowd) = (of_kind(&town, CameraKind::StopLine), of_kind(&town, CameraKind::Crowd));
    let passage = |rest: &str| format!("{{\"type\":\"passage\",\"camera\":\"{stop_line}\",{rest}}}");
    let flow = |rest: &str| format!("{{\"type\":\"flow\",\"camera\":\"{stop_line}\",\"interval_s\":60,{rest}}}");
    for (line, reason) in [
        (String::new(), Reason::Malformed),
        ("[1]".into(), Reason::Malformed),
        ("{\"type\":\"weather\"}".into(), Reason::Malformed),
        (format!("[\"passage\",null,\"{stop_line}\",\"\",36,\"car\"]"), Reason::Malformed),
        (passage("\"speed\":3"), Reason::Malformed),
        (passage("\"speed_kmh\":\"fast\""), Reason::Malformed),
        (passage("\"speed_kmh\":253"), Reason::ImpossibleSpeed),
        (passage("\"speed_kmh\":-1"), Reason::ImpossibleSpeed),
        (passage("\"speed_kmh\":1e300"), Reason::ImpossibleSpeed),
        (passage(&format!("\"speed_kmh\":3,\"time_ms\":{}", NOW_MS + 5_001)), Reason::FromTheFuture),
        ("{\"type\":\"passage\",\"camera\":\"x\",\"speed_kmh\":3}".into(), Reason::UnknownCamera),
        (format!("{{\"type\":\"passage\",\"camera\":\"{crowd}\",\"speed_kmh\":3}}"), Reason::WrongCameraKind),
        (format!("{{\"type\":\"crowd\",\"camera\":\"{stop_line}\",\"people\":3}}"), Reason::WrongCameraKind),
        (flow("\"vehicles\":301"), Reason::OutOfRange),
        (flow("\"vehicles\":1,\"occupancy\":1.5"), Reason::OutOfRange),
        (flow("\"vehicles\":-1"), Reason::Malformed),
        ("{\"type\":\"unit\",\"unit\":\"x\",\"lon\":1,\"lat\":1,\"status\":\"ready\"}".into(), Reason::UnknownUnit),
        ("{\"type\":\"unit\",\"unit\":1,\"lon\":1,\"lat\":1,\"status\":\"ready\"}".into(), Reason::OutsideCity),
        ("{\"type\":\"unit\",\"unit\":1,\"lon\":1,\"lat\":91,\"status\":\"ready\"}".into(), Reason::OutOfRange),
        ("{\"type\":\"ack\",\"unit\":1,\"assignment\":\"x\",\"answer\":\"accept\"}".into(), Reason::Malformed),
        ("{\"type\":\"signal\",\"junction\":\"x\",\"mode\":\"local\",\"lamps\":\"r\"}".into(), Reason::UnknownJunction),
        ("{\"type\":\"signal\",\"junction\":0,\"mode\":\"local\",\"lamps\":\"r\"}".into(), Reason::Malformed),
        ("{\"type\":\"bus\",\"bus\":1,\"line\":\"x\",\"lon\":1,\"lat\":1,\"speed_kmh\":1}".into(), Reason::UnknownName),
        ("{\"type\":\"bus\",\"bus\":1,\"line\":0,\"lon\":1,\"lat\":1,\"speed_kmh\":1}".into(), Reason::OutsideCity),
        ("{\"type\":\"gate\",\"venue\":\"x\",\"interval_s\":60}".into(), Reason::UnknownName),
        ("{\"type\":\"gate\",\"venue\":99,\"interval_s\":60}".into(), Reason::UnknownName),
        ("{\"type\":\"gate\",\"venue\":0,\"interval_s\":0}".into(), Reason::OutOfRange),
        ("{\"type\":\"gate\",\"venue\":0,\"interval_s\":3601}".into(), Reason::OutOfRange),
        ("{\"type\":\"gate\",\"venue\":0,\"interval_s\":1,\"entered\":1001}".into(), Reason::OutOfRange),
        ("{\"type\":\"gate\",\"venue\":0,\"interval_s\":1,\"left\":1001}".into(), Reason::OutOfRange),
        ("{\"type\":\"gate\",\"venue\":0,\"interval_s\":1,\"left\":-1}".into(), Reason::Malformed),
        ("{\"type\":\"weather\",\"rain_mm_h\":500.1}".into(), Reason::OutOfRange),
        ("{\"type\":\"weather\",\"rain_mm_h\":-1}".into(), Reason::OutOfRange),
        ("{\"type\":\"weather\",\"rain_mm_h\":1,\"visibility_m\":-1}".into(), Reason::OutOfRange),
        ("{\"type\":\"weather\",\"rain_mm_h\":1,\"district\":\"x\"}".into(), Reason::UnknownName),
        ("{\"type\":\"weather\",\"rain_mm_h\":1,\"district\":99}".into(), Reason::UnknownName),
        ("{\"type\":\"weather\"}".into(), Reason::Malformed),
        ("{\"type\":\"site\",\"site\":\"x\",\"finding\":\"dust\"}".into(), Reason::UnknownName),
        ("{\"type\":\"call\",\"call\":0,\"change\":\"cancelled\"}".into(), Reason::OutOfRange),
        ("{\"type\":\"call\",\"call\":1,\"priority\":\"A\",\"lon\":1,\"lat\":1}".into(), Reason::OutsideCity),
    ] {
        assert_eq!(town.event(line.as_bytes(), NOW_MS).map_err(|e| e.reason), Err(reason), "{line}");
    }
}

#[test]
fn what_sensors_and_units_say_too_late_is_refused_and_what_people_say_is_not() {
    let town = town();
    let (stop_line, crowd) = (of_kind(&town, CameraKind::StopLine), of_kind(&town, CameraKind::Crowd));
    let (lon, lat) = town.city.units[0].post.to_lon_lat(town.city.origin).degrees();
    let lamps = "r".repeat(town.city.junctions[0].heads.len());
    let of_sensors = [
        format!("\"passage\",\"camera\":\"{stop_line}\",\"speed_kmh\":36"),
        format!("\"flow\",\"camera\":\"{stop_line}\",\"interval_s\":60,\"vehicles\":3"),
        format!("\"crowd\",\"camera\":\"{crowd}\",\"people\":3"),
        "\"gate\",\"venue\":0,\"interval_s\":60,\"entered\":3".into(),
        "\"weather\",\"rain_mm_h\":1.5".into(),
        format!("\"unit\",\"unit\":0,\"lon\":{lon},\"lat\":{lat},\"status\":\"ready\""),
        format!("\"signal\",\"junction\":0,\"mode\":\"local\",\"lamps\":\"{lamps}\""),
        format!("\"violation\",\"camera\":\"{stop_line}\",\"plate\":\"A1\",\"kind\":\"parking\""),
    ];
    let of_people = [
        format!("\"call\",\"call\":1,\"priority\":\"A\",\"lon\":{lon},\"lat\":{lat}"),
        "\"call\",\"call\":1,\"change\":\"cancelled\"".into(),
        "\"ack\",\"unit\":0,\"assignment\":\"1.1\",\"answer\":\"accept\"".into(),
        "\"case\",\"case\":1,\"stage\":\"closed\",\"by\":0".into(),
        "\"site\",\"site\":0,\"finding\":\"dust\"".into(),
    ];
    let taken = |rest: &str, late_ms: u64| {
        let line = format!("{{\"type\":{rest},\"time_ms\":{}}}", NOW_MS - late_ms);
        town.event(line.as_bytes(), NOW_MS).map(|_| ()).map_err(|unfit| unfit.reason)
    };
    for rest in &of_sensors {
        assert_eq!((taken(rest, 600_000), taken(rest, 600_001)), (Ok(()), Err(Reason::TooLate)), "{rest}");
    }
    for rest in &of_people {
        assert_eq!(taken(rest, NOW_MS), Ok(()), "{rest}");
    }
}

#[test]
fn a_refusal_never_repeats_a_plate() {
    let town = town();
    let line = "{\"type\":\"violation\",\"camera\":\"x\",\"plate\":\"贵A12345\",\"kind\":\"贵A12345\"}";
    let refused = town.event(line.as_bytes(), NOW_MS).unwrap_err();
    assert_eq!(refused.reason, Reason::Malformed);
    let kept = super::super::dead_letters::line(0, "violations", refused.reason, &refused.detail, line.as_bytes());
    assert!(!kept.contains("12345"), "{kept}");
}

#[test]
fn a_stage_is_held_for_a_time_or_let_go() {
    let town = town();
    let said = |rest: &str| {
        let line = format!("{{\"type\":\"hold\",\"junction\":0,\"by\":\"desk 3\"{rest}}}");
        match town.event(line.as_bytes(), NOW_MS) {
            Ok((Event::Hold(hold), _)) => Ok((hold.stage, hold.until_ms)),
            Ok((event, _)) => panic!("{event:?}"),
            Err(unfit) => Err(unfit.reason),
        }
    };
    assert_eq!(said(",\"stage\":1,\"for_s\":60"), Ok((Some(1), NOW_MS + 60_000)));
    let name = &town.city.junctions[0].stages[1].name;
    assert_eq!(said(&format!(",\"stage\":\"{name}\",\"for_s\":60")), Ok((Some(1), NOW_MS + 60_000)));
    assert_eq!(said("").map(|(stage, _)| stage), Ok(None));
    for (rest, reason) in [
        (",\"stage\":1", Reason::Malformed),
        (",\"for_s\":60", Reason::Malformed),
        (",\"stage\":1,\"for_s\":0", Reason::OutOfRange),
        (",\"stage\":1,\"for_s\":3601", Reason::OutOfRange),
        (",\"stage\":99,\"for_s\":60", Reason::OutOfRange),
        (",\"stage\":\"x\",\"for_s\":60", Reason::OutOfRange),
    ] {
        assert_eq!(said(rest), Err(reason), "{rest}");
    }
}
