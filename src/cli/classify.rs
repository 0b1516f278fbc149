//! `nanming classify`: what the words of an alarm are taken for, and why.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::classify::{Classifier, Told, UNCLASSIFIED};
use crate::config::ClassificationConfig;

/// Options of `nanming classify`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  nanming classify \"两车追尾\"\n  nanming classify --rules my.toml \"a boy with a water pistol\""
)]
pub struct ClassifyArgs {
    /// What the caller said
    #[arg(value_name = "WORDS", required = true)]
    words: Vec<String>,
    /// Rules to try [default: classification.file of the configuration, else those built in]
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(super) fn classify(args: &ClassifyArgs, config: &ClassificationConfig) -> Result<(), Box<dyn std::error::Error>> {
    let file = args.rules.as_deref().or(config.file.as_deref());
    let rules = Classifier::load(file)?;
    let words = args.words.join(" ");
    let (priority, category, needs, _) = rules.classify(&words, Told::default());
    let fired = rules.fired(&words);
    let (rule, phrase) = fired.as_ref().map_or((UNCLASSIFIED, ""), |fired| (fired.rule.name.as_str(), fired.phrase));
    if args.json {
        let line = fired.as_ref().map(|fired| fired.rule.line);
        say!(
            "{}",
            json!({"rule": rule, "phrase": phrase, "line": line, "priority": priority, "category": category, "needs": needs})
        );
        return Ok(());
    }
    let word = |value: serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let skills = serde_json::to_value(needs.skills)?;
    let skills: Vec<&str> = skills.as_array().into_iter().flatten().filter_map(|skill| skill.as_str()).collect();
    say!("category  {}\npriority  {}", word(json!(category)), word(json!(priority)));
    say!(
        "needs     {} unit(s){}",
        needs.units,
        if skills.is_empty() { String::new() } else { format!(", each with {}", skills.join(", ")) }
    );
    match fired {
        Some(fired) => {
            let source = file.map_or("the rules built in".to_owned(), |file| file.display().to_string());
            say!("because   rule '{rule}' (line {} of {source}) has \"{phrase}\"", fired.rule.line);
        }
        None => say!("because   no rule fires: a cautious guess"),
    }
    Ok(())
}
