//! An agent: it thinks, uses a tool, looks at what came of it, and thinks again, until it is done or its budget is
//! spent.
//!
//! Its mind is a rule-based solver of the game of Mastermind, no language model. Like one, it reads everything said
//! so far as text and answers in text, so that what a call used can be counted and recorded; here a token is a word.
//! Run it with `cargo run -p graflow-examples --bin agent_loop`.

use std::fmt::Write as _;
use std::time::Instant;

use graflow::prelude::*;
use graflow_local::Lineage;

/// How many tokens the agent may use.
const BUDGET: Key<u64> = Key::serializable("budget");

/// What the agent knows: its guesses and what they were worth.
#[derive(Debug, Clone, Default)]
struct Transcript {
    turns: Vec<(String, Marks)>,
    tokens: u64,
}

/// How good a guess is: pegs that are right, and colours that stand in the wrong place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Marks {
    right: usize,
    misplaced: usize,
}

/// The agent's tool: somebody who knows the secret and says how good a guess is.
struct Referee {
    secret: &'static str,
}

/// One pass of the loop is one turn. A pass hands what it knows to the next one; `play` is done when it says so, and
/// only then `tell` runs.
#[task(max_cycles = 20)]
async fn play(
    ctx: &TaskContext,
    budget: u64,
    referee: Res<Referee>,
    #[iteration] transcript: Option<Transcript>,
) -> Result<Next<Transcript>> {
    let mut transcript = transcript.unwrap_or_default();

    let prompt = prompt(&transcript);
    let thinking = Instant::now();
    let answer = solver(&prompt).ok_or_else(|| TaskError::new("the marks contradict each other"))?;
    let usage = Usage {
        model: "rule-based mastermind solver".to_owned(),
        duration: thinking.elapsed(),
        input_tokens: tokens(&prompt),
        output_tokens: tokens(&answer),
        tools: vec!["referee".to_owned()],
        ..Usage::default()
    };
    transcript.tokens += usage.input_tokens + usage.output_tokens;
    ctx.record_usage(usage);

    let marks = score(referee.secret, &answer);
    println!("  turn {}: {answer}: {} right, {} misplaced", ctx.cycle_count(), marks.right, marks.misplaced);
    transcript.turns.push((answer, marks));

    let is_solved = marks.right == PEGS;
    if is_solved || transcript.tokens >= budget || !ctx.can_iterate() {
        return Ok(Next::Done(transcript));
    }
    Ok(ctx.next_iteration(transcript))
}

/// Runs once, with what the last pass knew.
#[task]
async fn tell(play: &Transcript, budget: u64) -> String {
    let (turns, tokens) = (play.turns.len(), play.tokens);
    match play.turns.last() {
        Some((guess, marks)) if marks.right == PEGS => {
            format!("it is {guess}: {turns} turns, {tokens} tokens")
        }
        _ => format!("gave up after {turns} turns: {tokens} of {budget} tokens are spent"),
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let agent = Workflow::new("agent", play() >> tell());
    let lineage = Lineage::open_default()?;
    let run = |budget| {
        let referee = Referee { secret: "5243" };
        agent.execute().input(BUDGET, budget).resource(referee).sink(lineage.clone())
    };

    println!("an agent with a budget that is enough");
    let enough = run(500).await?.into_result()?;
    println!("{}\n", enough.result(tell())?);
    let won = enough.result(play())?;
    assert_eq!(won.turns.last().map(|(guess, _)| guess.as_str()), Some("5243"));
    let passes = enough.task("play").map(|task| task.executions as usize);
    assert_eq!(passes, Some(won.turns.len()), "one pass a turn");
    assert_eq!(enough.task("tell").map(|task| task.executions), Some(1), "successors wait for the last pass");

    println!("the same agent with a small one");
    let small = run(20).await?.into_result()?;
    println!("{}", small.result(tell())?);
    let lost = small.result(play())?;
    assert!(lost.tokens >= 20 && lost.turns.len() < won.turns.len());
    Ok(())
}

const PEGS: usize = 4;
const COLOURS: std::ops::RangeInclusive<char> = '1'..='6';

/// Everything said so far, as text.
fn prompt(transcript: &Transcript) -> String {
    let mut prompt = "four pegs of six colours\n".to_owned();
    for (guess, marks) in &transcript.turns {
        let _ = writeln!(prompt, "{guess} {} right {} misplaced", marks.right, marks.misplaced);
    }
    prompt
}

/// The mind: the first code that fits everything it reads, if there is one.
fn solver(prompt: &str) -> Option<String> {
    let seen: Vec<(&str, Marks)> = prompt
        .lines()
        .filter_map(|line| match line.split(' ').collect::<Vec<_>>()[..] {
            [guess, right, "right", misplaced, "misplaced"] => {
                Some((guess, Marks { right: right.parse().ok()?, misplaced: misplaced.parse().ok()? }))
            }
            _ => None,
        })
        .collect();
    if seen.is_empty() {
        // Two colours at once tell more than the first code there is.
        return Some("1122".to_owned());
    }
    codes().find(|code| seen.iter().all(|(guess, marks)| score(code, guess) == *marks))
}

/// All codes, in order.
fn codes() -> impl Iterator<Item = String> {
    let longer = |code: String| COLOURS.map(move |colour| format!("{code}{colour}"));
    COLOURS.map(String::from).flat_map(longer).flat_map(longer).flat_map(longer)
}

fn score(secret: &str, guess: &str) -> Marks {
    let right = secret.chars().zip(guess.chars()).filter(|(one, other)| one == other).count();
    let count = |code: &str, colour| code.chars().filter(|peg| *peg == colour).count();
    let common: usize = COLOURS.map(|colour| count(secret, colour).min(count(guess, colour))).sum();
    Marks { right, misplaced: common - right }
}

fn tokens(text: &str) -> u64 {
    text.split_whitespace().count() as u64
}
