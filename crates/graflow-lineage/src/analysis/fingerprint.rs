//! What failures of one cause have in common.

use std::fmt::Write as _;

use graflow_model::event::ErrorInfo;

/// So many of the user's own frames, those nearest to the failure, count.
const FRAMES: usize = 3;
/// So much of a message counts.
const MESSAGE_CHARS: usize = 200;

/// What failures of one cause have in common: the producer's own fingerprint where it sent one; else a hash of the error's
/// type, its message without what differs from run to run, and the frames of the user's code nearest to the failure.
pub fn fingerprint(error: &ErrorInfo) -> String {
    if let Some(sent) = error.fingerprint.as_ref().filter(|sent| !sent.is_empty()) {
        return sent.clone();
    }
    let mut text = format!("{}\n{}\n", error.error_type, normalised(&error.message));
    for frame in user_frames(error.traceback.as_deref().unwrap_or_default()) {
        text.push_str(&frame);
        text.push('\n');
    }
    // FNV-1a: short, stable for ever, and nobody gains from two failures that look like one.
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in text.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    let mut name = String::with_capacity(16);
    let _ = write!(name, "{hash:016x}");
    name
}

/// The first line without numbers, hexadecimal ids, quoted values, addresses and folders.
fn normalised(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default();
    let mut plain = String::new();
    let mut characters = line.chars().peekable();
    let mut before = ' ';
    while let Some(character) = characters.next() {
        // An apostrophe inside of a word (`can't`) opens nothing.
        let opens = matches!(character, '"' | '\'' | '`') && !before.is_alphanumeric();
        before = character;
        if opens && characters.clone().any(|other| other == character) {
            // A value in quotes is one of many.
            characters.by_ref().find(|other| *other == character);
            plain.push_str("'…'");
        } else {
            plain.push(character);
        }
    }
    let words = plain.split_whitespace().map(|word| {
        let core = word.trim_matches(|character: char| !character.is_alphanumeric());
        let looks_like_id = core.chars().any(|character| character.is_ascii_digit())
            && core.chars().all(|character| {
                character.is_ascii_hexdigit() || matches!(character, '-' | 'x' | ':' | '.' | '_')
            });
        if looks_like_id {
            word.replace(core, "…")
        } else if core.contains('/') {
            word.replace(core, core.rsplit('/').next().unwrap_or_default())
        } else {
            without_numbers(word)
        }
    });
    words.collect::<Vec<_>>().join(" ").chars().take(MESSAGE_CHARS).collect()
}

fn without_numbers(word: &str) -> String {
    let mut plain = String::new();
    for character in word.chars() {
        if !character.is_ascii_digit() {
            plain.push(character);
        } else if !plain.ends_with('…') {
            plain.push('…');
        }
    }
    plain
}

/// File and function of the frames nearest to the failure that are no library's: line numbers change with every edit.
fn user_frames(traceback: &str) -> Vec<String> {
    let all: Vec<_> = traceback.lines().filter_map(frame).collect();
    let of_user: Vec<_> =
        all.iter().filter(|frame| !frame.is_library).map(|frame| frame.name.clone()).collect();
    let chosen = if of_user.is_empty() { all.into_iter().map(|frame| frame.name).collect() } else { of_user };
    chosen.into_iter().rev().take(FRAMES).collect()
}

struct Frame {
    name: String,
    is_library: bool,
}

/// Python writes `File "PATH", line N, in FUNCTION`.
fn frame(line: &str) -> Option<Frame> {
    let (path, rest) = line.trim().strip_prefix("File \"")?.split_once('"')?;
    let function = rest.rsplit_once(", in ").map_or("", |(_, function)| function);
    let file = path.rsplit(['/', '\\']).next().unwrap_or(path);
    let is_library =
        ["site-packages", "dist-packages", "/lib/python", "<frozen"].iter().any(|part| path.contains(part));
    Some(Frame { name: format!("{file}:{function}"), is_library })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(message: &str, traceback: &str) -> ErrorInfo {
        let traceback = (!traceback.is_empty()).then(|| traceback.to_owned());
        ErrorInfo { error_type: "E".into(), message: message.into(), traceback, fingerprint: None }
    }

    #[test]
    fn messages_that_say_the_same() {
        let same = [
            ("timeout after 30 s", "timeout after 45 s"),
            ("no such row 'a17'", "no such row 'b4'"),
            ("no such key \"x y\" in map", "no such key \"z\" in map"),
            ("run 01936f3a-77e1-7c44 is gone", "run 0193ffff-1234-7c44 is gone"),
            ("cannot open /tmp/x1/data.csv", "cannot open /var/y/data.csv"),
            ("object at 0x7f3a is closed", "object at 0x11ff is closed"),
            ("part17 is missing", "part4 is missing"),
            ("first line\nsecond", "first line\nother"),
        ];
        for (one, other) in same {
            assert_eq!(fingerprint(&error(one, "")), fingerprint(&error(other, "")), "{one}");
        }
    }

    #[test]
    fn messages_that_differ() {
        let different = [
            ("timeout after 30 s", "timeout before 30 s"),
            ("can't read it", "can't write it"),
            ("cannot open /tmp/a.csv", "cannot open /tmp/b.csv"),
            ("dead", "feed"),
        ];
        for (one, other) in different {
            assert_ne!(fingerprint(&error(one, "")), fingerprint(&error(other, "")), "{one}");
        }
    }

    #[test]
    fn frames_of_the_user_decide_and_lines_do_not() {
        let stack = |line: u32, function: &str| {
            format!(
                "Traceback (most recent call last):\n  File \"/srv/etl.py\", line {line}, in {function}\n    load()\n  \
                 File \"/usr/lib/python3/site-packages/db.py\", line {line}, in query\n    raise E\n"
            )
        };
        let of = |line, function| fingerprint(&error("m", &stack(line, function)));
        assert_eq!(of(1, "load"), of(2, "load"));
        assert_ne!(of(1, "load"), of(1, "store"));
    }

    #[test]
    fn what_the_producer_sent_wins() {
        let sent = ErrorInfo { fingerprint: Some("mine".into()), ..error("m", "") };
        assert_eq!(fingerprint(&sent), "mine");
    }
}
