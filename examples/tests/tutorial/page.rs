//! Pages and the blocks in them.

/// A block of a page.
#[derive(Debug)]
pub(crate) struct Block {
    /// What stands behind the fence: `sh`, `rust`, `json`, `text`.
    pub(crate) language: &'static str,
    /// The comment right above it.
    pub(crate) about: Option<&'static str>,
    pub(crate) text: String,
}

/// Every block that says its language, in order.
pub(crate) fn blocks(page: &'static str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let (mut before, mut lines) = ("", page.lines());
    while let Some(line) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let about = before.strip_prefix("<!-- ").and_then(|comment| comment.strip_suffix(" -->"));
            let text = lines.by_ref().take_while(|line| *line != "```");
            let text = text.fold(String::new(), |text, line| text + line + "\n");
            blocks.push(Block { language, about, text });
        }
        before = line;
    }
    blocks
}
