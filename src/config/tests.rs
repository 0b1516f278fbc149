use super::*;

fn from_toml(text: &str) -> Result<Config, String> {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("x.toml");
    std::fs::write(&file, text).unwrap();
    load(Some(&file)).map_err(|e| e.to_string())
}

#[test]
fn a_file_overrides_the_defaults_it_names() {
    let config = from_toml("[clock]\nspeed = 10.0\n").unwrap();
    assert_eq!(config.clock, ClockConfig { start: "now".into(), speed: 10.0 });
    assert_eq!(config.http, HttpConfig::default());
}

#[test]
fn an_unknown_key_is_an_error_that_names_it_as_it_is_written() {
    let error = from_toml("[clock]\nspede = 10.0\n").unwrap_err();
    assert!(error.contains("clock.spede") && error.contains("x.toml") && !error.contains("default"), "{error}");
}

#[test]
fn values_out_of_range_are_errors() {
    for text in ["[kafka]\ncalls = \"a b\"\n", "[kafka]\ncalls = \"acks\"\n", "[kafka]\nmessage_bytes = 9\n"] {
        assert!(from_toml(text).unwrap_err().contains("kafka."), "{text}");
    }
    for text in ["[clock]\nspeed = 0.0\n", "[clock]\nstart = \"25:00\"\n", "[engine]\nworkers = 0\n"] {
        assert!(from_toml(text).is_err(), "{text}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    for path in [Path::new("/no/such/file.toml"), folder.path()] {
        let error = load(Some(path)).unwrap_err();
        assert!(
            matches!(error, ConfigError::File(..)) && error.to_string().contains(&*path.to_string_lossy()),
            "{error}"
        );
    }
}

#[test]
fn the_effective_configuration_hides_secrets_and_reads_back() {
    let config = from_toml("[ingest]\nplate_key = \"very secret\"\n").unwrap();
    let shown = config.to_toml();
    assert!(!shown.contains("very secret") && shown.contains("# plate_key is set"), "{shown}");
    assert!(!format!("{config:?}").contains("very secret"));
    assert_eq!(from_toml(&shown).unwrap().ingest.plate_key, Secret::default(), "nothing takes the place of the key");
    assert_eq!(from_toml(&Config::default().to_toml()).unwrap(), Config::default());
    let refused = from_toml("[ingest]\nplate_key = \"(redacted)\"\n").unwrap_err();
    assert!(refused.contains("plate_key") && refused.contains("leave the line out"), "{refused}");
}

#[test]
fn every_setting_is_shown_as_it_is_or_as_a_comment_that_works() {
    let shown = Config::default().to_toml();
    let mut edited = String::new();
    for line in shown.lines() {
        let is_setting =
            |l: &&str| l.starts_with("[[") || l.split_once(" = ").is_some_and(|(key, _)| !key.contains(' '));
        let setting = line.strip_prefix("# ").filter(is_setting);
        edited.push_str(setting.unwrap_or(line));
        edited.push('\n');
    }
    let edited = from_toml(&edited).unwrap_or_else(|error| panic!("{error}\n{edited}"));
    assert_eq!(edited.city.file, Some("town.net.xml".into()));
    assert_eq!(edited.webhooks.len(), 1);
    for table in tables().into_iter().filter(|table| table != "webhooks") {
        let error = from_toml(&format!("[{table}]\nzzz = 1\n")).unwrap_err();
        let known: Vec<&str> = error.split("expected").nth(1).unwrap().split('`').collect();
        for key in known.into_iter().filter(|word| word.len() > 2 && !word.contains([' ', '/'])) {
            let lines: Vec<&str> = shown.lines().skip_while(|l| *l != format!("[{table}]")).collect();
            let own = lines.iter().skip(1).take_while(|l| !l.starts_with('['));
            let shows = |line: &&str| line.trim_start_matches("# ").starts_with(&format!("{key} = "));
            assert!(own.copied().any(|line| shows(&line)), "{table}.{key} is not shown:\n{shown}");
        }
    }
}

#[test]
fn secrets_of_receivers_are_not_shown_and_ranges_are_checked() {
    let receiver = |more: &str| format!("[[webhooks]]\nurl = \"http://127.0.0.1:1/x\"\nsecret = \"deep\"\n{more}\n");
    let shown = from_toml(&receiver("")).unwrap().to_toml();
    assert!(!shown.contains("deep") && shown.contains("webhooks are set (1)"), "{shown}");
    for (more, complaint) in
        [("tries = 0", "tries"), ("timeout_s = 99", "timeout_s"), ("kinds = [\"all\"]", "no kind all")]
    {
        let error = from_toml(&receiver(more)).unwrap_err();
        assert!(error.contains(complaint), "{error}");
    }
    let tls = receiver("").replace("http://", "https://");
    assert!(from_toml(&tls).unwrap_err().contains("proxy"));
}

#[test]
fn keys_of_plates_follow_each_other_and_are_no_more_shown_than_the_first() {
    let later = |from: &str, key: &str| format!("{{ from = \"{from}\", key = \"{key}\" }}");
    let keys =
        |keys: &[String]| from_toml(&format!("[ingest]\nplate_key = \"one\"\nplate_keys = [{}]\n", keys.join(", ")));
    let (july, january) = ("2026-07-01T03:30:00+08:00", "2027-01-01T03:30:00+08:00");
    let config = keys(&[later(july, "very secret"), later(january, "third")]).unwrap();
    let plates = config.ingest.plates().unwrap();
    let at = |time_ms| plates.vehicle_at("贵A12345", time_ms);
    let july_ms = 1_782_847_800_000;
    assert_eq!([at(july_ms - 1), at(july_ms)], ["one", "very secret"].map(|key| Plates::new(key).vehicle("贵A12345")));
    let shown = config.to_toml() + &format!("{config:?}");
    assert!(!shown.contains("very secret") && shown.contains("# plate_keys is set"), "{shown}");
    for wrong in [
        keys(&[later("tomorrow", "x")]),
        keys(&[later(january, "x"), later(july, "y")]),
        keys(&[later(july, "")]),
        keys(&[later(july, "(redacted)")]),
    ] {
        assert!(wrong.unwrap_err().contains("plate_keys"));
    }
    assert!(from_toml("[retention]\ncalls_days = 99999\n").unwrap_err().contains("retention"));
}

#[test]
fn persons_have_a_role_of_people_and_a_hash_that_can_be_checked() {
    let key = "key = \"a long random text of 32 bytes or more\"";
    let hash = crate::password::hash("correct horse battery").unwrap();
    let person =
        |role: &str, hash: &str| format!("persons = {{ li = {{ role = \"{role}\", password = \"{hash}\" }} }}");
    let told = |lines: &str| from_toml(&format!("[access]\n{lines}\n"));
    let good = told(&format!("{key}\n{}", person("dispatcher", &hash))).unwrap();
    assert!(!format!("{good:?}").contains(&hash) && !good.to_toml().contains(&hash));
    assert_eq!(good.terminal_key(), good.access.key(), "one key will do");
    for (lines, complaint) in [
        ("key = \"short\"".to_owned(), "32 bytes"),
        (person("dispatcher", &hash), "set access.key too"),
        (format!("{key}\n{}", person("unit", &hash)), "no role that people log in with"),
        (format!("{key}\n{}", person("admin", &hash)), "access.persons.li.role"),
        (format!("{key}\n{}", person("auditor", "plain text")), "nanming password"),
        (format!("{key}\nlogin_min = 1441"), "login_min"),
        (format!("{key}\nlogins_per_minute = 0"), "logins_per_minute"),
    ] {
        let error = told(&lines).unwrap_err();
        assert!(error.contains(complaint), "{error}");
    }
}

#[test]
fn a_complaint_does_not_show_the_secret_that_it_is_about() {
    for text in [
        "[http]\napi_keys = \"SECRET\"\n",
        "[access]\nkey = [\"SECRET\"]\n",
        "[access]\npersons = \"SECRET\"\n",
        "[access]\npersons = { li = \"SECRET\" }\n",
        "[viid]\nusers = \"SECRET\"\n",
        "[wechat]\ntoken = \"SECRET\n",
        "[access]\nkey = SECRET\n",
        "webhooks = \"SECRET\"\n",
    ] {
        let error = from_toml(text).unwrap_err();
        assert!(!error.contains("SECRET") && error.contains("x.toml"), "{error}");
    }
    let syntax = from_toml("[clock]\nspeed = \n").unwrap_err();
    assert!(syntax.contains("line 2"), "{syntax}");
}
