//! `docs/tutorials/engine.md` says what is true: its programs are the files in `examples/tutorial/`, and they print
//! what it says they print.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so")]

use std::path::Path;
use std::process::{Command, Stdio};

const PAGE: &str = include_str!("../../../docs/tutorials/engine.md");

#[test]
fn every_program_of_the_page_is_a_file_that_is_compiled() {
    let programs = blocks("rust");
    assert_eq!(programs.len(), 4);
    for Block { about, text } in programs {
        let file = about.unwrap_or_else(|| panic!("no comment says which file this is:\n{text}"));
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
        assert_eq!(std::fs::read_to_string(path).unwrap(), text, "{file}");
    }
}

#[test]
fn programs_print_what_the_page_says() {
    let outputs: Vec<Block<'_>> = blocks("text").into_iter().filter(|block| block.about.is_some()).collect();
    assert_eq!(outputs.len(), 5);
    for Block { about, text } in outputs {
        let about = about.and_then(|about| about.strip_prefix("output of ")).unwrap();
        let (program, file) = match about.split_once(", with ") {
            Some((program, file)) => (program, Some(file)),
            None => (about, None),
        };
        assert_eq!(printed(program, file), text, "{about}");
    }
}

/// A block of the page, and the comment above it.
struct Block<'a> {
    about: Option<&'a str>,
    text: String,
}

fn blocks(language: &str) -> Vec<Block<'static>> {
    let fence = format!("```{language}");
    let mut blocks = Vec::new();
    let (mut before, mut lines) = ("", PAGE.lines());
    while let Some(line) = lines.next() {
        if line == fence {
            let about = before.strip_prefix("<!-- ").and_then(|comment| comment.strip_suffix(" -->"));
            let text = lines
                .by_ref()
                .take_while(|line| *line != "```")
                .fold(String::new(), |text, line| text + line + "\n");
            blocks.push(Block { about, text });
        }
        before = line;
    }
    blocks
}

/// What a program says, in a folder of its own that may hold a poem.
fn printed(program: &str, file: Option<&str>) -> String {
    let path = match program {
        "tutorial_first" => env!("CARGO_BIN_EXE_tutorial_first"),
        "tutorial_diamond" => env!("CARGO_BIN_EXE_tutorial_diamond"),
        "tutorial_failure" => env!("CARGO_BIN_EXE_tutorial_failure"),
        "tutorial_growing" => env!("CARGO_BIN_EXE_tutorial_growing"),
        other => panic!("the page speaks of a program `{other}`"),
    };
    let folder = tempfile::tempdir().unwrap();
    if let Some(file) = file {
        std::fs::write(folder.path().join(file), "The sea is calm tonight.\n").unwrap();
    }
    let output = Command::new(path)
        .current_dir(folder.path())
        .env("GRAFLOW_LINEAGE_DATA_DIR", folder.path().join("data"))
        .env_remove("GRAFLOW_LINEAGE_URL")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.success(), !said.contains("Error: "), "{said}");
    said
}
