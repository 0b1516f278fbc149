//! How alarms are understood.

use std::path::PathBuf;

use nanming_dataflows::network::{City, Merging};
use serde::{Deserialize, Serialize};

use crate::classify::{Classifier, RulesError};

/// Rules by which words become a category, an urgency and needs (docs/alarms.md).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClassificationConfig {
    /// File of rules. None: those built in.
    pub file: Option<PathBuf>,
    /// Whether a call about the same incident joins the one that is open (true), as the rules have it.
    pub merge: bool,
}

impl Default for ClassificationConfig {
    fn default() -> Self {
        ClassificationConfig { file: None, merge: true }
    }
}

impl ClassificationConfig {
    /// The rules. An error names the line.
    pub fn rules(&self) -> Result<Classifier, RulesError> {
        Classifier::load(self.file.as_deref())
    }

    /// Sets which calls of a city are merged.
    pub fn apply(&self, city: &mut City) -> Result<(), RulesError> {
        city.merging = if self.merge { self.rules()?.merging().clone() } else { Merging::default() };
        Ok(())
    }
}
