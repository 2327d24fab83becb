//! Looks at a poem in two ways at once.

use graflow::prelude::*;

const POEM: Key<String> = Key::new("poem");

#[task]
fn lines(poem: &str) -> Vec<String> {
    poem.lines().map(str::to_owned).collect()
}

#[task]
fn words(lines: &[String]) -> usize {
    lines.iter().map(|line| line.split_whitespace().count()).sum()
}

#[task]
fn longest(lines: &[String]) -> Option<String> {
    lines.iter().max_by_key(|line| line.len()).cloned()
}

#[task]
fn report(words: usize, longest: Option<String>) -> String {
    format!("{words} words; the longest line is: {}", longest.unwrap_or_default())
}

#[tokio::main]
async fn main() -> Result<()> {
    let poem = Workflow::new("poem", lines() >> (words() | longest()) >> report());
    poem.show_info();
    let text = "The sea is calm tonight.\nThe tide is full, the moon lies fair".to_owned();
    let run = poem.execute().input(POEM, text).await?;
    println!("{}", run.result(report())?);
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn words_are_counted_in_every_line() {
        assert_eq!(super::words::call(&["a b".to_owned(), "c".to_owned()]), 3);
    }
}
