/// A file as the build script found it in `web/dist`.
pub(super) struct EmbeddedFile {
    path: &'static str,
    pub(super) plain: &'static [u8],
    pub(super) brotli: Option<&'static [u8]>,
    pub(super) gzip: Option<&'static [u8]>,
}

/// Ordered by path.
const FILES: &[EmbeddedFile] = include!(concat!(env!("OUT_DIR"), "/pages.rs"));

/// A file by its path, such as `assets/index-4f2a.js`.
pub(super) fn find(path: &str) -> Option<&'static EmbeddedFile> {
    FILES.iter().find(|file| file.path == path)
}
