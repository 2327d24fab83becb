//! Text that fits: names come from programs, and may hold anything.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::Terminal;

/// The text on one line, without anything that a terminal would take for a command.
pub(crate) fn clean(text: &str) -> String {
    let mut cleaned = String::with_capacity(text.len());
    for character in text.trim().chars() {
        match character {
            '\n' | '\r' | '\t' => cleaned.push(' '),
            // Directions that a text switches to could show one name for another.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => cleaned.push('\u{fffd}'),
            _ if character.is_control() => cleaned.push('\u{fffd}'),
            _ => cleaned.push(character),
        }
    }
    cleaned
}

/// Columns that it takes.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// Filled up with spaces to so many columns.
pub(crate) fn pad(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text))))
}

/// At most so many columns; what is cut off the end is told by a sign.
pub(crate) fn cut(terminal: Terminal, text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let sign = terminal.pick("…", "~");
    let mut room = columns.saturating_sub(1);
    let mut kept: String = text
        .chars()
        .take_while(|character| {
            let needed = character.width().unwrap_or(0);
            let fits = needed <= room;
            room = room.saturating_sub(needed);
            fits
        })
        .collect();
    kept.push_str(sign);
    kept
}

/// In lines of at most so many columns, broken between words where that is possible.
pub(crate) fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(8);
    let mut lines = vec![String::new()];
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let mut rest = word;
        loop {
            let line = lines.last_mut().map_or("", |line| line.as_str());
            let used = width(line) + usize::from(!line.is_empty());
            if used + width(rest) <= columns {
                break;
            }
            if !line.is_empty() && width(rest) <= columns {
                lines.push(String::new());
                break;
            }
            // A word longer than a line is cut into lines.
            let mut room = columns.saturating_sub(used);
            let at = rest
                .char_indices()
                .find(|(_, character)| {
                    let needed = character.width().unwrap_or(0);
                    let full = needed > room;
                    room = room.saturating_sub(needed);
                    full
                })
                .map_or(rest.len(), |(at, _)| at);
            if at == 0 {
                lines.push(String::new());
                continue;
            }
            push_word(&mut lines, &rest[..at]);
            lines.push(String::new());
            rest = &rest[at..];
        }
        push_word(&mut lines, rest);
    }
    lines
}

fn push_word(lines: &mut [String], word: &str) {
    if let Some(line) = lines.last_mut() {
        if !line.is_empty() && !word.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_reaches_the_terminal_as_a_command() {
        assert_eq!(clean("a\u{1b}[31mred\u{7}\nb"), "a\u{fffd}[31mred\u{fffd} b");
        assert_eq!(clean("pay\u{202e}fdp.exe"), "pay\u{fffd}fdp.exe");
        assert_eq!(clean(" 東京 "), "東京");
    }

    #[test]
    fn texts_are_cut_by_columns() {
        let terminal = Terminal::plain(true);
        assert_eq!(cut(terminal, "abcdef", 6), "abcdef");
        assert_eq!(cut(terminal, "abcdefg", 6), "abcde…");
        assert_eq!(cut(terminal, "東京都庁", 5), "東京…");
        assert_eq!(cut(Terminal::plain(false), "abcdefg", 6), "abcde~");
        assert_eq!(pad("東", 4), "東  ");
    }

    #[test]
    fn long_texts_are_wrapped() {
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("abcdefghijkl", 8), ["abcdefgh", "ijkl"]);
        assert_eq!(wrap("x abcdefghijkl y", 8), ["x abcdef", "ghijkl y"]);
        assert_eq!(wrap("", 8), [""]);
        for columns in 0..40 {
            let text = "ein 東京都庁 langes Wort Donaudampfschifffahrt und kurze 東 a b c";
            let lines = wrap(text, columns);
            assert!(lines.iter().all(|line| width(line) <= columns.max(8)), "{columns}: {lines:?}");
            assert_eq!(lines.concat().replace(' ', ""), text.replace(' ', ""));
        }
    }
}
