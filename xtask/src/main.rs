//! `cargo xtask`: everything a developer of this repository runs.

fn main() -> anyhow::Result<()> {
    anyhow::bail!("nothing to run yet")
}
