//! The one page that all addresses begin with; the script in it reads the address.

use super::pages::Pages;
use crate::settings::Settings;

/// What Vite leaves in index.html: addresses in it are relative to this one.
const BASE: &str = "<base href=\"/\" />";

/// The page, told where it stands. May block.
pub(super) fn index(pages: &Pages, settings: &Settings) -> Option<String> {
    let file = pages.file("index.html", |_| false)?;
    let text = String::from_utf8_lossy(&file.bytes).into_owned();
    let mut head = format!("<base href=\"{}/\" />", settings.path_prefix);
    if settings.token.is_some() {
        head.push_str("<meta name=\"graflow-token\" content=\"required\" />");
    }
    if let Some(build) = pages.build() {
        head.push_str("<meta name=\"graflow-build\" content=\"");
        head.push_str(&build);
        head.push_str("\" />");
    }
    Some(text.replacen(BASE, &head, 1))
}
