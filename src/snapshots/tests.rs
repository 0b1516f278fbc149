use std::ops::Range;
use std::path::PathBuf;

use super::*;

/// What the machines of a test saved: keys below 100 learned, the others saw.
fn saves(records: &[(u8, Option<&[u8]>)]) -> Vec<Saved> {
    let of = |machine, kind, keys: Range<u8>| {
        let records: Vec<_> = records.iter().filter(|(key, _)| keys.contains(key)).collect();
        let records = records.iter().map(|(key, state)| (std::slice::from_ref(key), *state));
        Saved::new(machine, kind, records)
    };
    let saves = [of("learner", Kind::Learned, 0..100), of("seer", Kind::Seen, 100..255)];
    saves.into_iter().filter(|saved| saved.bytes() > 0).collect()
}

fn states(records: &[(u8, &[u8])]) -> States {
    let records: Vec<_> = records.iter().map(|(key, state)| (*key, Some(*state))).collect();
    saves(&records).iter().collect()
}

fn metrics() -> Arc<Metrics> {
    Arc::new(Metrics::new(&City::default()))
}

fn offset(next: i64) -> Offsets {
    Offsets::of(("passages".into(), 0), next)
}

/// Runs an engine's worth of snapshots: each a tick and its states, each in a record of its own. What was found before.
fn kept(dir: &Path, news: &[(Time, Vec<Saved>)]) -> Restored {
    let opened = Opened::in_dir(dir, &City::default()).unwrap();
    let found = opened.found.clone();
    let (mut snapshots, thread) = opened.keep(&found, Kind::Seen, metrics()).unwrap();
    for (tick, saved) in news {
        snapshots.take(*tick, saved.clone(), &offset(*tick as i64));
        while !snapshots.to.is_empty() {
            std::thread::yield_now();
        }
    }
    drop(snapshots);
    thread.join().unwrap();
    found
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn news() -> Vec<(Time, Vec<Saved>)> {
    vec![
        (10, saves(&[(1, Some(b"one")), (102, Some(b"two"))])),
        (20, saves(&[(1, Some(b"ONE")), (3, Some(b"three"))])),
        (30, saves(&[(102, None), (4, Some(b"four"))])),
    ]
}

#[test]
fn the_newest_of_each_is_there_again_with_its_tick_and_offsets() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("ledger.snapshots");
    assert_eq!(kept(&dir, &news()).states.len(), 0);
    let found = kept(&dir, &[]);
    assert_eq!((found.tick, found.read), (30, offset(30)));
    assert_eq!(found.states, states(&[(1, b"ONE"), (3, b"three"), (4, b"four")]));
    kept(&dir, &[(40, saves(&[(5, Some(b"five"))]))]);
    assert_eq!(kept(&dir, &[]).states.len(), 4);
    assert_eq!(files(&dir).len(), 2, "the newest and the one before it");
}

#[test]
fn cut_or_changed_anywhere_an_earlier_snapshot_holds() {
    let dir = tempfile::tempdir().unwrap();
    kept(dir.path(), &[(5, saves(&[(9, Some(b"nine"))]))]);
    kept(dir.path(), &news());
    let newest = files(dir.path()).pop().unwrap();
    let whole = std::fs::read(&newest).unwrap();
    let found = || Opened::in_dir(dir.path(), &City::default()).unwrap().found;
    let mut ticks = Vec::new();
    for cut in (0..whole.len()).rev() {
        std::fs::write(&newest, &whole[..cut]).unwrap();
        ticks.push(found().tick);
        let mut turned = whole.clone();
        turned[cut] ^= 1;
        std::fs::write(&newest, &turned).unwrap();
        assert_eq!(found().tick, *ticks.last().unwrap(), "{cut}");
    }
    assert!(ticks.is_sorted_by(|later, earlier| later >= earlier), "{ticks:?}");
    ticks.dedup();
    assert_eq!(ticks, [20, 10, 5]);
    std::fs::write(&newest, &whole).unwrap();
    assert_eq!(found().tick, 30);
}

#[test]
fn states_of_another_city_or_version_are_not_read() {
    let dir = tempfile::tempdir().unwrap();
    kept(dir.path(), &news());
    let other = nanming_simulators::town::small(2, 2, 1);
    assert_eq!(Opened::in_dir(dir.path(), &other).unwrap().found.tick, 0);
    let newer = Of { version: VERSION + 1, ..Of::city(&City::default()) };
    assert_eq!(Chain::open(dir.path(), newer).unwrap().1.tick, 0);
}

#[test]
fn what_was_seen_long_ago_is_left_out_and_what_was_learned_is_not() {
    let all = states(&[(1, b"learned"), (101, b"seen")]);
    let found = Restored { tick: 1_000, read: offset(7), states: all };
    let soon = found.clone().for_start(1_000 + FRESH_MS);
    assert_eq!((soon.states.len(), soon.read), (2, offset(7)));
    let late = found.for_start(1_001 + FRESH_MS);
    assert_eq!((late.states, late.read), (states(&[(1, b"learned")]), Offsets::default()));
}

#[test]
fn what_could_not_be_written_is_written_later() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("snapshots");
    std::fs::write(&place, "a file where the directory should be").unwrap();
    let chain = Chain::open(&dir.path().join("none"), Of::city(&City::default())).unwrap().0;
    let mut keeper = Keeper::new(chain.at(&place), Part::default(), States::default(), metrics());
    let part = |tick, records| Part { tick, states: saves(records), ..Part::default() };
    let say = |keeper: &mut Keeper, part| {
        let (to, from) = bounded(1);
        to.send(part).unwrap();
        drop(to);
        keeper.hear(&from)
    };
    assert!(say(&mut keeper, part(10, &[(1, Some(b"one")), (2, Some(b"two")), (3, None)])).is_err());
    std::fs::remove_file(&place).unwrap();
    say(&mut keeper, part(20, &[(1, Some(b"ONE"))])).unwrap();
    let found = Opened::in_dir(&place, &City::default()).unwrap().found;
    assert_eq!((found.tick, found.states), (20, states(&[(1, b"ONE"), (2, b"two")])));
}

/// A keeper in a new directory, and a hand that gives it one save after the other.
fn keeper(place: &Path) -> (Keeper, impl Fn(&mut Keeper, Time, &[(u8, Option<&[u8]>)], bool) -> std::io::Result<()>) {
    let opened = Opened::in_dir(place, &City::default()).unwrap();
    let say = |keeper: &mut Keeper, tick, records: &[(u8, Option<&[u8]>)], is_whole| {
        let (to, from) = bounded(1);
        to.send(Part { tick, states: saves(records), is_whole, ..Part::default() }).unwrap();
        drop(to);
        keeper.hear(&from)
    };
    (Keeper::new(opened.chain, Part::default(), States::default(), metrics()), say)
}

#[test]
fn files_that_were_removed_under_a_running_engine_are_made_anew_from_all_states() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("snapshots");
    let (mut keeper, say) = keeper(&place);
    let wants_whole = keeper.wants_whole();
    say(&mut keeper, 10, &[(1, Some(b"one")), (2, Some(b"two"))], false).unwrap();
    std::fs::remove_dir_all(&place).unwrap();
    assert!(say(&mut keeper, 20, &[(1, Some(b"ONE"))], false).is_err(), "the others would be missing");
    assert!(wants_whole.swap(false, Ordering::Relaxed));
    say(&mut keeper, 30, &[(1, Some(b"ONE")), (2, Some(b"two"))], true).unwrap();
    say(&mut keeper, 40, &[(2, None)], false).unwrap();
    let found = Opened::in_dir(&place, &City::default()).unwrap().found;
    assert_eq!((found.tick, found.states), (40, states(&[(1, b"ONE")])));
    assert!(!wants_whole.load(Ordering::Relaxed));

    // All states behind others change nothing of what is asked for when the next file is removed.
    say(&mut keeper, 50, &[(1, Some(b"ONE"))], true).unwrap();
    std::fs::remove_dir_all(&place).unwrap();
    assert!(say(&mut keeper, 60, &[(3, Some(b"three"))], false).is_err());
}

#[test]
fn no_file_begins_with_what_a_damaged_one_has_left() {
    let dir = tempfile::tempdir().unwrap();
    let (mut keeper, say) = keeper(dir.path());
    say(&mut keeper, 10, &[(1, Some(b"one"))], false).unwrap();
    say(&mut keeper, 20, &[(1, Some(b"ONE"))], false).unwrap();
    let newest = files(dir.path()).pop().unwrap();
    let mut bytes = std::fs::read(&newest).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&newest, bytes).unwrap();
    keeper.begin_another();
    assert!(say(&mut keeper, 30, &[(2, Some(b"two"))], false).is_err(), "the first would be as it was at 10");
    say(&mut keeper, 40, &[(1, Some(b"ONE")), (2, Some(b"two"))], true).unwrap();
    let found = Opened::in_dir(dir.path(), &City::default()).unwrap().found;
    assert_eq!((found.tick, found.states), (40, states(&[(1, b"ONE"), (2, b"two")])));
}

/// Found by libFuzzer.
#[test]
fn a_tick_at_the_end_of_time_is_no_reason_to_end() {
    let restored = Restored { tick: Time::MAX, ..Restored::default() };
    assert_eq!(restored.for_start(Time::MAX).tick, Time::MAX);
}
