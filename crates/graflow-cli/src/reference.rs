//! `docs/reference/cli.md`, written from what the program itself knows.

use std::fmt::Write as _;
use std::path::Path;

use clap::Command;

use crate::args;
use crate::exit::Exit;

#[test]
fn generated_reference_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/cli.md");
    let page = page();
    if std::env::var_os("UPDATE_SPEC").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == page, "docs/reference/cli.md is stale; run `cargo xtask generate`");
}

fn page() -> String {
    let mut page = String::from(
        "# Command line\n\n<!-- Written by `cargo xtask generate`; change the program, not this page. -->\n\n\
         Standard output carries data, standard error everything else. Colour is used on a terminal only, never when\n\
         `NO_COLOR` is set, and no meaning rests on it.\n",
    );
    let mut command = args::command();
    command.build();
    for subcommand in command.get_subcommands_mut().filter(|command| command.get_name() != "help") {
        if subcommand.has_subcommands() {
            let names: Vec<String> =
                subcommand.get_subcommands().map(|command| command.get_name().to_owned()).collect();
            for name in names.iter().filter(|name| *name != "help") {
                if let Some(inner) = subcommand.find_subcommand_mut(name) {
                    describe(&mut page, &format!("graflow lineage {name}"), inner);
                }
            }
        } else {
            let name = format!("graflow {}", subcommand.get_name());
            describe(&mut page, &name, subcommand);
        }
    }
    page.push_str("\n## Exit codes\n\n| code | meaning |\n|---:|---|\n");
    for (exit, meaning) in Exit::ALL {
        writeln!(page, "| {} | {meaning} |", *exit as u8).unwrap();
    }
    page
}

fn describe(page: &mut String, name: &str, command: &mut Command) {
    // A width of its own, and no environment: the page must not depend on who writes it.
    let help = command.clone().term_width(100).render_long_help().to_string();
    writeln!(page, "\n## {name}\n\n```text\n{}\n```", trimmed(&help)).unwrap();
}

/// Without what the environment of the writer says, and without spaces at the ends of lines.
fn trimmed(help: &str) -> String {
    let mut text = String::new();
    for line in help.lines() {
        let line = match (line.find("[env: "), line.rfind(']')) {
            (Some(start), Some(end)) => match line[start..end].find('=') {
                Some(equals) => format!("{}]", &line[..start + equals]),
                None => line.to_owned(),
            },
            _ => line.to_owned(),
        };
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text.trim_end().to_owned()
}

#[test]
fn every_exit_code_is_told_once() {
    let codes: std::collections::BTreeSet<u8> = Exit::ALL.iter().map(|(exit, _)| *exit as u8).collect();
    assert_eq!(codes.len(), Exit::ALL.len());
}
