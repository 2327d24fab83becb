//! Taking secrets out of values before they leave the process.

use serde_json::Value;

/// What stands where a secret stood.
const REDACTED: &str = "[redacted]";

/// Which parts of a value are secret.
///
/// ```
/// use graflow_model::value::Redaction;
/// use serde_json::json;
/// let shown = Redaction::default().apply(json!({"user": "ann", "db": {"Password": "hunter2"}, "auth": "Bearer abc.def"}));
/// assert_eq!(shown, json!({"user": "ann", "db": {"Password": "[redacted]"}, "auth": "[redacted]"}));
/// ```
#[derive(Debug, Clone)]
pub struct Redaction {
    /// Words that make a key's value secret, in lower case, without `_` and `-`.
    pub secret_keys: Vec<String>,
    /// Beginnings that make a text secret.
    pub secret_prefixes: Vec<String>,
}

impl Default for Redaction {
    fn default() -> Self {
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Self {
            secret_keys: owned(&[
                "password",
                "passwd",
                "secret",
                "token",
                "apikey",
                "accesskey",
                "privatekey",
                "credential",
                "authorization",
                "cookie",
            ]),
            secret_prefixes: owned(&[
                "Bearer ",
                "Basic ",
                "sk-",
                "ghp_",
                "github_pat_",
                "xoxb-",
                "AKIA",
                "-----BEGIN ",
                "eyJhbGciOi",
            ]),
        }
    }
}

impl Redaction {
    /// The value without its secrets.
    #[must_use]
    pub fn apply(&self, value: Value) -> Value {
        match value {
            Value::String(text) if self.is_secret_text(&text) => Value::String(REDACTED.into()),
            Value::Array(items) => items.into_iter().map(|item| self.apply(item)).collect(),
            Value::Object(fields) => Value::Object(
                fields
                    .into_iter()
                    .map(|(key, value)| {
                        let value =
                            if self.is_secret_key(&key) { REDACTED.into() } else { self.apply(value) };
                        (key, value)
                    })
                    .collect(),
            ),
            other => other,
        }
    }

    fn is_secret_key(&self, key: &str) -> bool {
        let key: String = key.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
        // Counts of tokens are no secrets.
        self.secret_keys.iter().any(|word| key.contains(word)) && !key.ends_with("tokens")
    }

    fn is_secret_text(&self, text: &str) -> bool {
        self.secret_prefixes.iter().any(|prefix| text.starts_with(prefix))
    }
}
