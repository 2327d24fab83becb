//! `graflow manual`

use std::path::PathBuf;

use anyhow::Context as _;

use crate::args;
use crate::exit::Exit;

/// Writes a page for each command into a folder, which is made if need be.
pub(crate) fn run(folder: &PathBuf) -> anyhow::Result<Exit> {
    let failed = || format!("failed to write {}", folder.display());
    std::fs::create_dir_all(folder).with_context(failed)?;
    clap_mangen::generate_to(args::command(), folder).with_context(failed)?;
    Ok(Exit::Ok)
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_command_has_a_page() {
        let folder = tempfile::tempdir().unwrap();
        super::run(&folder.path().join("man")).unwrap();
        let page = |name: &str| std::fs::read_to_string(folder.path().join("man").join(name)).unwrap();
        assert!(page("graflow.1").starts_with(".ie"));
        for name in crate::args::command().find_subcommand("lineage").unwrap().get_subcommands() {
            assert!(page(&format!("graflow-lineage-{}.1", name.get_name())).contains(".SH SYNOPSIS"));
        }
    }
}
