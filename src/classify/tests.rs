use std::path::Path;

use nanming_dataflows::event::Skill;

use super::*;

fn built_in() -> Classifier {
    Classifier::built_in().unwrap()
}

fn read(text: &str) -> Result<Classifier, String> {
    Classifier::read(text, Path::new("x.toml")).map_err(|error| error.to_string())
}

fn rule(rest: &str) -> String {
    format!("[[rule]]\nname = \"one\"\ncategory = \"crime\"\npriority = \"A\"\n{rest}\n")
}

#[test]
fn the_first_rule_whose_words_occur_decides() {
    let rules = built_in();
    for (words, rule) in [
        ("有人持刀抢劫超市", Some("knife")),
        ("two men ROBBED me at the bus stop", Some("robbery")),
        ("两车追尾，堵住了路", Some("collision")),
        ("有人\n打架", Some("fight")),
        ("there is a stray dog by the gate", Some("stray_animal")),
        ("楼上装修噪音，一直用电钻", Some("building_noise")),
        ("我家狗走丢了", Some("stray_animal")),
        ("我家老人走丢了", Some("person_missing")),
        ("gunnels need painting", None),
        ("请派人来看一下", None),
        ("", None),
    ] {
        assert_eq!(rules.fired(words).map(|fired| fired.rule.name.as_str()), rule, "{words}");
    }
}

#[test]
fn words_inside_an_exclusion_do_not_count_and_others_beside_it_do() {
    let rules = built_in();
    let fires = |words| rules.fired(words).map(|fired| (fired.rule.name.as_str(), fired.phrase));
    assert_eq!(fires("孩子拿着玩具手枪"), None);
    assert_eq!(fires("一个拿玩具手枪，一个拿手枪"), Some(("firearm", "手枪")));
    assert_eq!(fires("a boy with a water pistol"), None);
    assert_eq!(fires("a water pistol, and a real Pistol"), Some(("firearm", "pistol")));
    let rules = read(&rule("words = [\"on fire\"]\nunless = [\"drill\"]")).unwrap();
    assert!(rules.fired("the house is on  fire").is_some());
    assert!(rules.fired("the house is on fire, it is a drill").is_none(), "a word of its own takes the rule out");
}

#[test]
fn what_is_told_wins_and_needs_come_along_only_where_the_sender_agrees() {
    let (rules, words) = (built_in(), "有人持枪");
    let armed = Needs { units: 3, skills: [Skill::Armed].into_iter().collect() };
    let (priority, category, needs, classified) = rules.classify(words, Told::default());
    assert_eq!((priority, category, needs), (Priority::A, Category::Crime, armed));
    let all = Gave { priority: true, category: true, needs: true };
    assert_eq!(classified, Some(Classified { rule: "firearm".into(), phrase: "持枪".into(), gave: all }));
    let told = Told { priority: Some(Priority::C), category: Some(Category::Other), needs: None };
    assert_eq!(rules.classify(words, told), (Priority::C, Category::Other, Needs::ONE, None));
    let told = Told { category: Some(Category::Crime), ..told };
    let gave = Gave { needs: true, ..Gave::default() };
    let (.., needs, classified) = rules.classify(words, told);
    assert_eq!((needs, classified.map(|c| c.gave)), (armed, Some(gave)));
    let told = Told { needs: Some(Needs::ONE), ..told };
    assert_eq!(rules.classify(words, told), (Priority::C, Category::Crime, Needs::ONE, None));
}

#[test]
fn what_nobody_understands_is_taken_with_caution() {
    let (priority, category, needs, classified) = built_in().classify("???", Told::default());
    assert_eq!((priority, category, needs), (Priority::B, Category::Other, Needs::ONE));
    assert_eq!(classified.map(|c| (c.rule, c.phrase)), Some((UNCLASSIFIED.into(), String::new())));
}

#[test]
fn a_bad_file_is_refused_with_its_line_and_what_is_wrong() {
    let twice = format!("{}\n{}", rule("words = [\"knife\"]"), rule("words = [\"dagger\"]"));
    let shadowed = format!("{}\n{}", rule("words = [\"knife\"]"), rule("words = [\"knife\"]").replace("one", "two"));
    let merging = "[merging]\ndistance_m = 0\nwithin_s = 600\nalike = []";
    for (text, line, wrong) in [
        (rule("words = []"), 1, "no words"),
        (rule("words = [\"x\"]"), 5, "1 characters"),
        (rule("words = [\"knife\"]\nunless = [\"KNIFE\"]"), 6, "both in words and in unless"),
        (rule("words = [\"knife\"]\nneeds = { units = 0 }"), 1, "1 to 20"),
        (rule("words = [\"knife\"]\ncolour = \"red\""), 6, "colour"),
        (rule("words = [\"knife\"]\nneeds = { skills = [\"wings\"] }"), 6, "wings"),
        (rule("words = [\"knife\"]").replace("one", "One!"), 2, "a-z"),
        (twice, 8, "already"),
        (shadowed, 11, "comes first"),
        (format!("{}{merging}", rule("words = [\"knife\"]")), 6, "distance_m"),
        ("[[rule]".into(), 1, ""),
    ] {
        let refused = read(&text).expect_err(&text);
        assert!(refused.contains(&format!("line {line}: ")) && refused.contains(wrong), "{refused}\n{text}");
    }
}

#[test]
fn the_built_in_rules_merge_what_many_see_and_leave_calls_for_help_apart() {
    let rules = built_in();
    let facts = |priority, category| nanming_dataflows::event::CallFacts {
        priority,
        category,
        at: nanming_dataflows::network::Point { x_mm: 0, y_mm: 0 },
        grid: nanming_dataflows::ids::GridId(0),
        needs: Needs::ONE,
    };
    let alike = |one: (Priority, Category), other: (Priority, Category)| {
        rules.merging().are_alike(&facts(one.0, one.1), &facts(other.0, other.1))
    };
    use Category::*;
    use Priority::*;
    assert!(alike((A, Collision), (C, Collision)) && alike((A, Crime), (A, Disturbance)));
    assert!(!alike((A, Crime), (B, Crime)) && !alike((A, Help), (A, Help)) && !alike((A, Collision), (A, Crime)));
    assert!(!alike((B, Other), (B, Other)) && !alike((C, Community), (C, Community)));
}
