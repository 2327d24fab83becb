//! What stands where in a data folder.

use std::path::{Path, PathBuf};

use graflow_client::environment;

/// A data folder: the store of one owner, and the spools of everybody else.
///
/// | in it | what |
/// |---|---|
/// | `log/`, `lineage.db` | the store; only its owner touches it |
/// | `owner.lock` | locked by the owner for as long as it lives |
/// | `wanted.lock` | locked by whoever waits for an embedded owner to hand over |
/// | `server.json` | who the owner is, and where it answers |
/// | `retention.json` | what is kept at the most, as the last server was told |
/// | `spool/` | events of other processes; the owner takes them in |
/// | `remote/` | events on their way to servers elsewhere, a folder for each |
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataFolder {
    path: PathBuf,
}

/// There is no place for a data folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this user has no home folder to keep data in; name a folder in GRAFLOW_LINEAGE_DATA_DIR")]
pub struct NoDataFolder;

impl DataFolder {
    /// The folder at that path; it need not exist.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// The folder that `GRAFLOW_LINEAGE_DATA_DIR` names, else `graflow` in the user's own data folder.
    pub fn default_place() -> Result<Self, NoDataFolder> {
        Self::choose(environment::variable).map(Self::at)
    }

    fn choose(variable: impl Fn(&str) -> Option<String>) -> Result<PathBuf, NoDataFolder> {
        if let Some(path) = variable(environment::DATA_DIR) {
            return Ok(path.into());
        }
        if let Some(path) = variable("XDG_DATA_HOME").map(PathBuf::from).filter(|path| path.is_absolute()) {
            return Ok(path.join("graflow"));
        }
        if cfg!(windows) {
            return variable("LOCALAPPDATA").map(|path| Path::new(&path).join("graflow")).ok_or(NoDataFolder);
        }
        let home = variable("HOME").map(PathBuf::from).ok_or(NoDataFolder)?;
        let below = if cfg!(target_os = "macos") { "Library/Application Support" } else { ".local/share" };
        Ok(home.join(below).join("graflow"))
    }

    /// Its path, which is also the store's.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where other processes leave events for the owner.
    pub fn spool(&self) -> PathBuf {
        self.path.join("spool")
    }

    /// Where events wait for that server elsewhere: never where the owner of this folder would take them in.
    pub fn remote_spool(&self, address: &str) -> PathBuf {
        let name: String = address
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-') { c } else { '_' })
            .collect();
        self.path.join("remote").join(name)
    }

    pub(crate) fn owner_lock(&self) -> PathBuf {
        self.path.join("owner.lock")
    }

    pub(crate) fn wanted_lock(&self) -> PathBuf {
        self.path.join("wanted.lock")
    }

    pub(crate) fn retention_file(&self) -> PathBuf {
        self.path.join("retention.json")
    }

    pub(crate) fn owner_file(&self) -> PathBuf {
        self.path.join("server.json")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(variables: &[(&str, &str)], expected: Option<&str>) {
        let choose = DataFolder::choose(|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        });
        assert_eq!(choose.ok().as_deref(), expected.map(Path::new), "{variables:?}");
    }

    #[test]
    #[cfg(all(unix, not(target_os = "macos")))]
    fn the_default_place() {
        check(&[("HOME", "/h")], Some("/h/.local/share/graflow"));
        check(&[("HOME", "/h"), ("XDG_DATA_HOME", "/x")], Some("/x/graflow"));
        check(&[("HOME", "/h"), ("XDG_DATA_HOME", "not/absolute")], Some("/h/.local/share/graflow"));
        check(&[("HOME", "/h"), ("XDG_DATA_HOME", "/x"), (environment::DATA_DIR, "d")], Some("d"));
        check(&[], None);
    }

    #[test]
    fn spools_of_two_servers_are_two_folders() {
        let folder = DataFolder::at("/d");
        assert_eq!(folder.remote_spool("https://h:1/p"), Path::new("/d/remote/https___h_1_p"));
        assert_ne!(folder.remote_spool("https://h:1"), folder.remote_spool("https://h:2"));
    }
}
