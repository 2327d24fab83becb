//! Puts the built pages (`web/dist`) into the crate, as they are compressed there.
//!
//! Cargo never runs npm: without a build of the pages the list is empty, and the server says how to make one. The
//! folder itself is under version control, so that cargo can watch it before and after.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn main() -> std::io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    let dist = Path::new("../../web/dist");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").unwrap_or_default());
    let mut list = String::from("&[\n");
    if dist.is_dir() {
        println!("cargo::rerun-if-changed={}", dist.display());
        for file in files(dist, &dist.join("assets"))? {
            add(&mut list, dist, &file, &out)?;
        }
    }
    list.push_str("]\n");
    std::fs::write(out.join("pages.rs"), list)
}

/// The files of the root and of `assets`, but not their compressed forms; ordered.
fn files(dist: &Path, assets: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for folder in [dist, assets].into_iter().filter(|folder| folder.is_dir()) {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or("gitignore");
            if path.is_file() && !["br", "gz", "gitignore"].contains(&ending) {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

/// The compiler reads copies: the pages may be built again before it comes to them.
fn add(list: &mut String, dist: &Path, file: &Path, out: &Path) -> std::io::Result<()> {
    let path = file.strip_prefix(dist).unwrap_or(file).display().to_string().replace('\\', "/");
    let bytes_of = |file: &Path| -> std::io::Result<String> {
        let copy = out.join(file.file_name().unwrap_or_default());
        std::fs::copy(file, &copy)?;
        Ok(format!("include_bytes!({:?})", copy.display().to_string()))
    };
    let compressed = |ending: &str| -> std::io::Result<String> {
        let file = PathBuf::from(format!("{}.{ending}", file.display()));
        Ok(if file.is_file() { format!("Some({})", bytes_of(&file)?) } else { "None".to_owned() })
    };
    let (plain, brotli, gzip) = (bytes_of(file)?, compressed("br")?, compressed("gz")?);
    let _ = writeln!(
        list,
        "    EmbeddedFile {{ path: {path:?}, plain: {plain}, brotli: {brotli}, gzip: {gzip} }},"
    );
    Ok(())
}
