//! Dispatch terminals (docs/terminals.md).

use serde::{Deserialize, Serialize};

use super::Secret;

/// Dispatch terminals.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TerminalsConfig {
    /// Key of the tokens that terminals log in with (`nanming terminal-token`); none: whoever connects may say which unit it
    /// is.
    pub key: Secret,
}
