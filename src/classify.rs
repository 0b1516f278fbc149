//! What an alarm is about, by its words: rules that name phrases, and what a call is where one of them occurs.
//!
//! The first rule of the file that fires decides, so the most urgent stand first. What a sender says explicitly wins over any
//! rule. All phrases are looked for in one pass over the words, so a longer file makes no call slower. Pure; the same words
//! and rules always say the same.

use std::collections::BTreeMap;

use aho_corasick::{AhoCorasick, MatchKind};
use nanming_dataflows::event::{Category, Needs, Priority};
use nanming_dataflows::network::Merging;
use serde::{Deserialize, Serialize};

mod file;
pub use file::RulesError;

/// What an alarm is said to be by where no rule fires.
pub const UNCLASSIFIED: &str = "unclassified";
/// Cautious where nothing is known: somebody goes, and not last.
const CAUTIOUS: (Priority, Category) = (Priority::B, Category::Other);

/// How the words of an alarm were understood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Classified {
    /// The rule that fired, or [`UNCLASSIFIED`].
    pub rule: String,
    /// The phrase by which it did; empty where none did.
    pub phrase: String,
    /// What it decided; the rest was told.
    pub gave: Gave,
}

/// What was taken from the words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gave {
    /// The urgency.
    pub priority: bool,
    /// The kind.
    pub category: bool,
    /// Who has to come.
    pub needs: bool,
}

/// What a sender said explicitly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// The urgency.
    pub priority: Option<Priority>,
    /// The kind.
    pub category: Option<Category>,
    /// Who has to come.
    pub needs: Option<Needs>,
}

/// What a call is where one of its phrases occurs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its name.
    pub name: String,
    /// Where it stands in the file.
    pub line: usize,
    /// Kind.
    pub category: Category,
    /// Urgency.
    pub priority: Priority,
    /// Who has to come.
    pub needs: Needs,
}

/// A rule that fires, and the phrase by which it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fired<'a> {
    /// The rule.
    pub rule: &'a Rule,
    /// The phrase, as the file has it.
    pub phrase: &'a str,
}

/// What a phrase does for a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    /// It fires it.
    Fires,
    /// Where it stands, the words inside it do not fire it: `water pistol`.
    Covers,
    /// Where it occurs at all, nothing fires it.
    Forbids,
}

/// The rules, ready to be asked.
#[derive(Debug, Default)]
pub struct Classifier {
    rules: Vec<Rule>,
    merging: Merging,
    phrases: Vec<String>,
    /// By phrase, the rules that use it.
    uses: Vec<Vec<(usize, Use)>>,
    /// None where there are no rules.
    automaton: Option<AhoCorasick>,
}

/// Where a rule's phrases stand in the words.
#[derive(Default)]
struct Seen {
    fires: Vec<(usize, usize, usize)>,
    covers: Vec<(usize, usize)>,
    forbidden: bool,
}

impl Seen {
    /// The first phrase that is not covered.
    fn phrase(&self) -> Option<usize> {
        let covered = |from, to| self.covers.iter().any(|cover| cover.0 <= from && to <= cover.1);
        let open = self.fires.iter().filter(|(from, to, _)| !covered(*from, *to));
        open.min().map(|(_, _, phrase)| *phrase).filter(|_| !self.forbidden)
    }
}

impl Classifier {
    fn new(rules: Vec<Rule>, merging: Merging, uses: BTreeMap<String, Vec<(usize, Use)>>) -> Result<Self, String> {
        let (phrases, uses): (Vec<String>, Vec<_>) = uses.into_iter().unzip();
        let mut builder = AhoCorasick::builder();
        builder.match_kind(MatchKind::Standard).ascii_case_insensitive(true);
        let automaton = builder.build(&phrases).map_err(|error| error.to_string())?;
        Ok(Classifier { rules, merging, phrases, uses, automaton: Some(automaton) })
    }

    /// The rules, first ones first.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Which calls are taken for the same incident.
    pub fn merging(&self) -> &Merging {
        &self.merging
    }

    /// The rule that fires, if any.
    pub fn fired(&self, words: &str) -> Option<Fired<'_>> {
        let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut seen: BTreeMap<usize, Seen> = BTreeMap::new();
        let found = self.automaton.iter().flat_map(|automaton| automaton.find_overlapping_iter(&words));
        for found in found {
            let (from, to, phrase) = (found.start(), found.end(), found.pattern().as_usize());
            if !is_whole(&words, from, to) {
                continue;
            }
            for (rule, how) in &self.uses[phrase] {
                let seen = seen.entry(*rule).or_default();
                match how {
                    Use::Fires => seen.fires.push((from, to, phrase)),
                    Use::Covers => seen.covers.push((from, to)),
                    Use::Forbids => seen.forbidden = true,
                }
            }
        }
        let first = seen.into_iter().find_map(|(rule, seen)| Some((rule, seen.phrase()?)));
        first.map(|(rule, phrase)| Fired { rule: &self.rules[rule], phrase: &self.phrases[phrase] })
    }

    /// Urgency, kind and needs of an alarm, and how its words were understood where they decided any of it. Needs come from
    /// the words only where the sender does not take the call for something else.
    pub fn classify(&self, words: &str, told: Told) -> (Priority, Category, Needs, Option<Classified>) {
        let is_told = told.priority.is_some() && told.category.is_some();
        let fired = self.fired(words);
        let (priority, category) = fired.as_ref().map_or(CAUTIOUS, |fired| (fired.rule.priority, fired.rule.category));
        let agrees = told.category.is_none_or(|told| told == category);
        let needs = fired.as_ref().map(|fired| fired.rule.needs).filter(|_| told.needs.is_none() && agrees);
        let gave = Gave {
            priority: told.priority.is_none(),
            category: told.category.is_none(),
            needs: needs.is_some_and(|needs| needs != Needs::ONE),
        };
        let (rule, phrase) =
            fired.as_ref().map_or((UNCLASSIFIED, ""), |fired| (fired.rule.name.as_str(), fired.phrase));
        let classified = Classified { rule: rule.into(), phrase: phrase.into(), gave };
        (
            told.priority.unwrap_or(priority),
            told.category.unwrap_or(category),
            told.needs.or(needs).unwrap_or_default(),
            Some(classified).filter(|_| !is_told || gave.needs),
        )
    }
}

/// Whether what stands there is no part of a longer Latin word or number. Chinese has no spaces between words.
fn is_whole(words: &str, from: usize, to: usize) -> bool {
    let latin = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let joins = |inside: Option<char>, outside: Option<char>| latin(inside) && latin(outside);
    let (before, within, after) = (&words[..from], &words[from..to], &words[to..]);
    !joins(within.chars().next(), before.chars().next_back())
        && !joins(within.chars().next_back(), after.chars().next())
}

#[cfg(test)]
mod tests;
