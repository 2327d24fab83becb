//! What the terminal can show, decided once.

use std::io::IsTerminal as _;

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(crate) enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What is said by a colour besides by a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// As it is.
    Plain,
    /// Stands out.
    Bold,
    /// Stands back.
    Dim,
    /// All is well.
    Good,
    /// Something happens now.
    Active,
    /// Worth a look.
    Warn,
    /// Something is wrong.
    Bad,
}

impl Tone {
    const fn code(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Bold => "1",
            Self::Dim => "2",
            Self::Good => "32",
            Self::Active => "36",
            Self::Warn => "33",
            Self::Bad => "31",
        }
    }
}

/// What an output can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Terminal {
    /// Whether it takes colours.
    pub(crate) colour: bool,
    /// Whether it takes more than ASCII.
    pub(crate) unicode: bool,
    /// Columns.
    pub(crate) width: usize,
    /// Whether a person looks at it.
    pub(crate) interactive: bool,
}

/// Where nobody says how wide it is, as in a file.
const DEFAULT_WIDTH: usize = 100;

impl Terminal {
    /// Standard output as it is.
    pub(crate) fn of_stdout(choice: ColorChoice) -> Self {
        Self::of(choice, std::io::stdout().is_terminal())
    }

    /// Standard error as it is.
    pub(crate) fn of_stderr(choice: ColorChoice) -> Self {
        Self::of(choice, std::io::stderr().is_terminal())
    }

    fn of(choice: ColorChoice, interactive: bool) -> Self {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let plain = variable("TERM").is_some_and(|term| term == "dumb");
        let columns = variable("COLUMNS").and_then(|columns| columns.parse().ok());
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(variable).unwrap_or_default();
        let locale = locale.to_lowercase();
        Self {
            colour: match choice {
                ColorChoice::Auto => interactive && !plain && variable("NO_COLOR").is_none(),
                ColorChoice::Always => true,
                ColorChoice::Never => false,
            },
            unicode: !plain && (locale.contains("utf-8") || locale.contains("utf8") || cfg!(windows)),
            width: columns
                .or_else(|| terminal_size::terminal_size().map(|(width, _)| usize::from(width.0)))
                .unwrap_or(DEFAULT_WIDTH)
                .clamp(40, 400),
            interactive,
        }
    }

    /// The text in a colour, where there are colours.
    pub(crate) fn paint(self, tone: Tone, text: &str) -> String {
        if self.colour && tone != Tone::Plain && !text.is_empty() {
            format!("\u{1b}[{}m{text}\u{1b}[0m", tone.code())
        } else {
            text.to_owned()
        }
    }

    /// The first where it can be shown, else the second.
    pub(crate) const fn pick<'a>(self, unicode: &'a str, ascii: &'a str) -> &'a str {
        if self.unicode { unicode } else { ascii }
    }

    /// A terminal for tests: 100 columns, no colour.
    #[cfg(test)]
    pub(crate) const fn plain(unicode: bool) -> Self {
        Self { colour: false, unicode, width: 100, interactive: false }
    }
}
