use std::borrow::Cow;
use std::path::PathBuf;

use super::embedded;

/// Where the pages come from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Pages {
    /// There are none: `/` says what this server answers, and how to build them.
    #[default]
    None,
    /// Those that were built into this program; when there are none, as [`Pages::None`].
    BuiltIn,
    /// A folder, `web/dist`, read at each request; open pages load again when it changes.
    Folder(PathBuf),
}

/// A file of the pages, in the form that the asker can read.
pub(super) struct File {
    pub(super) bytes: Cow<'static, [u8]>,
    /// `br`, `gzip`, or none.
    pub(super) encoding: Option<&'static str>,
}

impl Pages {
    /// Whether there is something to show.
    pub(crate) fn exist(&self) -> bool {
        match self {
            Self::None => false,
            Self::BuiltIn => embedded::find("index.html").is_some(),
            Self::Folder(_) => true,
        }
    }

    /// Reads a file, compressed when `accepts` says that this can be read. May block.
    pub(super) fn file(&self, path: &str, accepts: impl Fn(&str) -> bool) -> Option<File> {
        match self {
            Self::None => None,
            Self::BuiltIn => {
                let file = embedded::find(path)?;
                let forms = [("br", file.brotli), ("gzip", file.gzip)];
                let compressed = forms.into_iter().find_map(|(encoding, bytes)| {
                    accepts(encoding).then_some(bytes)?.map(|bytes| (bytes, Some(encoding)))
                });
                let (bytes, encoding) = compressed.unwrap_or((file.plain, None));
                Some(File { bytes: bytes.into(), encoding })
            }
            Self::Folder(folder) => {
                let bytes = std::fs::read(folder.join(path)).ok()?;
                Some(File { bytes: bytes.into(), encoding: None })
            }
        }
    }

    /// Changes whenever the folder does; none of what is built in.
    pub(super) fn build(&self) -> Option<String> {
        let Self::Folder(folder) = self else { return None };
        let modified = std::fs::metadata(folder.join("index.html")).and_then(|data| data.modified()).ok()?;
        let age = modified.duration_since(std::time::UNIX_EPOCH).ok()?;
        Some(age.as_micros().to_string())
    }
}
