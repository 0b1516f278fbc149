//! A value that no log and no dump may show.

use serde::{Deserialize, Serialize};

/// A secret: its `Debug` says only whether there is one.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The secret itself; empty when none is set.
    pub fn expose(&self) -> &str {
        &self.0
    }
    /// What may be shown of it.
    pub fn redacted(&self) -> Secret {
        Secret(if self.0.is_empty() { String::new() } else { "(redacted)".into() })
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Secret(text)
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Secret({})", self.redacted().0)
    }
}
