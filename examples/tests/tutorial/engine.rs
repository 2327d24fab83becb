//! `docs/tutorials/engine.md`: its programs are the files in `examples/tutorial/`, and they print what it says.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::page::{Block, blocks};

const PAGE: &str = include_str!("../../../docs/tutorials/engine.md");

#[test]
fn every_program_of_the_page_is_a_file_that_is_compiled() {
    let programs: Vec<Block> = blocks(PAGE).into_iter().filter(|block| block.language == "rust").collect();
    assert_eq!(programs.len(), 4);
    for Block { about, text, .. } in programs {
        let file = about.unwrap_or_else(|| panic!("no comment says which file this is:\n{text}"));
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
        assert_eq!(std::fs::read_to_string(path).unwrap(), text, "{file}");
    }
}

#[test]
fn programs_print_what_the_page_says() {
    let mut checked = 0;
    for Block { about, text, .. } in blocks(PAGE) {
        let Some(about) = about.and_then(|about| about.strip_prefix("output of ")) else { continue };
        let (program, file) = match about.split_once(", with ") {
            Some((program, file)) => (program, Some(file)),
            None => (about, None),
        };
        assert_eq!(printed(program, file), text, "{about}");
        checked += 1;
    }
    assert_eq!(checked, 5);
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
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
