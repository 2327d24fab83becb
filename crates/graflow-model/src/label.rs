//! Names as labels in the languages that draw graphs.

use std::fmt::Write as _;

/// A text as it stands between quotes in a Mermaid flowchart: what means something to Mermaid or to a browser is
/// written as a character code, a line break as one.
///
/// ```
/// use graflow_model::label::mermaid;
/// assert_eq!(mermaid("a <b> & \"c\"\nd"), "a #60;b#62; #38; #34;c#34;<br/>d");
/// ```
pub fn mermaid(text: &str) -> String {
    escaped(text, |character, label| match character {
        '\n' => label.push_str("<br/>"),
        '"' | '#' | '<' | '>' | '&' | ';' | '`' | '\\' => {
            // Writing to a string cannot fail.
            let _ = write!(label, "#{};", u32::from(character));
        }
        _ => label.push(character),
    })
}

/// A text as it stands between quotes in DOT: Graphviz reads HTML's character names there.
///
/// ```
/// use graflow_model::label::dot;
/// assert_eq!(dot("a <b> & \"c\"\nd\\"), r#"a &lt;b&gt; &amp; \"c\"\nd\\"#);
/// ```
pub fn dot(text: &str) -> String {
    escaped(text, |character, label| match character {
        '\n' => label.push_str("\\n"),
        '"' | '\\' => label.extend(['\\', character]),
        '<' => label.push_str("&lt;"),
        '>' => label.push_str("&gt;"),
        '&' => label.push_str("&amp;"),
        _ => label.push(character),
    })
}

/// Line breaks come as `\n`, other control characters as blanks.
fn escaped(text: &str, push: impl Fn(char, &mut String)) -> String {
    let mut label = String::with_capacity(text.len());
    for character in text.replace("\r\n", "\n").chars() {
        match character {
            '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => push('\n', &mut label),
            _ if character.is_control() => label.push(' '),
            _ => push(character, &mut label),
        }
    }
    label
}
