//! A value that no log and no dump may show.

use serde::{Deserialize, Serialize};

/// What is shown in place of one.
const REDACTED: &str = "(redacted)";

/// A secret: its `Debug` says only whether there is one.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The secret itself; empty when none is set.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether it is this text; takes as long wherever they differ.
    pub fn is(&self, text: &str) -> bool {
        // Hashes of BLAKE3 are compared in constant time.
        blake3::hash(self.0.as_bytes()) == blake3::hash(text.as_bytes())
    }

    /// Whether it is only what is shown in place of a secret.
    pub fn is_redacted(&self) -> bool {
        self.0 == REDACTED
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Secret(text)
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Secret({})", if self.0.is_empty() { "" } else { REDACTED })
    }
}
