//! The file of rules: TOML, checked as a whole before any call is understood by it. `default.toml` is built in.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use nanming_dataflows::event::{Category, Needs, Priority};
use nanming_dataflows::network::{Alike, Merging};
use serde::Deserialize;
use toml::Spanned;

use super::{Classifier, Rule, UNCLASSIFIED, Use};

/// The rules that are built in.
const BUILT_IN: &str = include_str!("default.toml");
/// Rules of a file: each is a series of a metric.
const MOST_RULES: usize = 300;
/// Characters of a phrase: a single one stands in too many other words.
const PHRASE_CHARS: std::ops::RangeInclusive<usize> = 2..=60;
/// Characters of a rule's name.
const MOST_NAME: usize = 40;

/// Why a file of rules cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// It cannot be read.
    #[error("rules {path}: {source}; name another file in classification.file, or leave it out for the rules built in")]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Something in it makes no sense.
    #[error("rules {path}, line {line}: {detail}")]
    Wrong {
        /// Which file.
        path: PathBuf,
        /// Where.
        line: usize,
        /// What is wrong, and what would be right.
        detail: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RulesFile {
    rule: Vec<Spanned<RuleTable>>,
    #[serde(default)]
    merging: Option<Spanned<MergingTable>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleTable {
    name: Spanned<String>,
    words: Vec<Spanned<String>>,
    #[serde(default)]
    unless: Vec<Spanned<String>>,
    category: Category,
    priority: Priority,
    #[serde(default)]
    needs: Needs,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MergingTable {
    distance_m: u32,
    within_s: u64,
    alike: Vec<AlikeTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AlikeTable {
    categories: Vec<Category>,
    #[serde(default = "all")]
    at_least: Priority,
}

fn all() -> Priority {
    Priority::C
}

/// What is wrong, and at which byte.
type Wrong = (usize, String);

impl Classifier {
    /// The rules of a file, or those built in.
    pub fn load(path: Option<&Path>) -> Result<Classifier, RulesError> {
        let Some(path) = path else { return Classifier::built_in() };
        let text = std::fs::read_to_string(path).map_err(|source| RulesError::Io { path: path.into(), source })?;
        Classifier::read(&text, path)
    }

    /// The rules built in.
    pub fn built_in() -> Result<Classifier, RulesError> {
        Classifier::read(BUILT_IN, Path::new("built in"))
    }

    /// The rules in a text; errors name `path` and the line.
    pub fn read(text: &str, path: &Path) -> Result<Classifier, RulesError> {
        made(text).map_err(|(at, detail)| RulesError::Wrong { path: path.into(), line: line(text, at), detail })
    }
}

fn line(text: &str, at: usize) -> usize {
    text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count() + 1
}

fn made(text: &str) -> Result<Classifier, Wrong> {
    let unread = |error: toml::de::Error| (error.span().map_or(0, |span| span.start), error.message().to_owned());
    let file: RulesFile = toml::from_str(text).map_err(unread)?;
    if file.rule.len() > MOST_RULES {
        return Err((0, format!("{} rules, at most {MOST_RULES} can be counted apart", file.rule.len())));
    }
    let (mut names, mut uses, mut rules) = (BTreeSet::new(), BTreeMap::new(), Vec::new());
    for (row, spanned) in file.rule.iter().enumerate() {
        let at = spanned.span().start;
        let table = spanned.get_ref();
        name(table, &mut names)?;
        needs(table, at)?;
        phrases(row, table, at, &rules, &mut uses)?;
        let RuleTable { name, category, priority, needs, .. } = table;
        let (name, line) = (name.get_ref().clone(), line(text, name.span().start));
        rules.push(Rule { name, line, category: *category, priority: *priority, needs: *needs });
    }
    let merging = file.merging.map(merging).transpose()?.unwrap_or_default();
    Classifier::new(rules, merging, uses).map_err(|detail| (0, detail))
}

fn name(table: &RuleTable, names: &mut BTreeSet<String>) -> Result<(), Wrong> {
    let (name, at) = (table.name.get_ref(), table.name.span().start);
    let holds = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if name == UNCLASSIFIED || name.is_empty() || name.len() > MOST_NAME || !name.chars().all(holds) {
        let detail = format!(
            "a rule's name is 1 to {MOST_NAME} of a-z, 0-9 and _, and not {UNCLASSIFIED}: '{name}' cannot be one"
        );
        return Err((at, detail));
    }
    if !names.insert(name.clone()) {
        return Err((at, format!("there is a rule '{name}' already; each needs a name of its own")));
    }
    Ok(())
}

fn needs(table: &RuleTable, at: usize) -> Result<(), Wrong> {
    match table.needs.units {
        1..=20 => Ok(()),
        units => Err((at, format!("rule '{}' needs {units} units; a call needs 1 to 20", table.name.get_ref()))),
    }
}

/// Notes what each phrase of a rule does.
fn phrases(
    row: usize,
    table: &RuleTable,
    at: usize,
    before: &[Rule],
    uses: &mut BTreeMap<String, Vec<(usize, Use)>>,
) -> Result<(), Wrong> {
    let name = table.name.get_ref();
    if table.words.is_empty() {
        return Err((at, format!("rule '{name}' has no words, so it never fires")));
    }
    let words: Vec<String> = table.words.iter().map(phrase).collect::<Result<_, _>>()?;
    let unless: Vec<String> = table.unless.iter().map(phrase).collect::<Result<_, _>>()?;
    for (word, written) in words.iter().zip(&table.words) {
        let others = uses.get(word).into_iter().flatten().filter(|(_, how)| *how == Use::Fires);
        if let Some((other, _)) = others.map(|(other, how)| (*other, how)).next() {
            let other = before.get(other).map_or(name, |rule| &rule.name);
            let detail = format!("rule '{other}' has '{word}' already, and it comes first");
            return Err((written.span().start, detail));
        }
        uses.entry(word.clone()).or_default().push((row, Use::Fires));
    }
    for (phrase, written) in unless.into_iter().zip(&table.unless) {
        if words.contains(&phrase) {
            let detail = format!("rule '{name}' has '{phrase}' both in words and in unless");
            return Err((written.span().start, detail));
        }
        let covers = words.iter().any(|word| phrase.contains(word.as_str()));
        uses.entry(phrase).or_default().push((row, if covers { Use::Covers } else { Use::Forbids }));
    }
    Ok(())
}

/// A phrase as it is looked for: in lower case, with single spaces.
fn phrase(written: &Spanned<String>) -> Result<String, Wrong> {
    let phrase = written.get_ref().split_whitespace().collect::<Vec<_>>().join(" ").to_ascii_lowercase();
    let chars = phrase.chars().count();
    if PHRASE_CHARS.contains(&chars) {
        return Ok(phrase);
    }
    let (least, most) = (PHRASE_CHARS.start(), PHRASE_CHARS.end());
    let detail = format!("'{phrase}' has {chars} characters; a phrase has {least} to {most}");
    Err((written.span().start, detail))
}

fn merging(table: Spanned<MergingTable>) -> Result<Merging, Wrong> {
    let at = table.span().start;
    let MergingTable { distance_m, within_s, alike } = table.into_inner();
    if !((1..=1000).contains(&distance_m) && (1..=3600).contains(&within_s)) {
        return Err((at, "merging: distance_m is 1 to 1000, within_s 1 to 3600".into()));
    }
    let alike = alike.into_iter().map(|AlikeTable { categories, at_least }| Alike { categories, at_least });
    Ok(Merging { distance_mm: distance_m * 1000, within_ms: within_s * 1000, alike: alike.collect() })
}
