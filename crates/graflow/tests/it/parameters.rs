//! How parameters are filled, and what is said before the first task when they cannot be.

use std::sync::Arc;
use std::time::Duration;

use graflow::prelude::*;
use graflow::{Execute, IntoFlow, WorkflowError};

#[task]
async fn words() -> Vec<String> {
    vec!["a".to_owned(), "b".to_owned()]
}

#[task]
async fn text() -> String {
    "text".to_owned()
}

#[task]
async fn fixed() -> &'static str {
    "fixed"
}

#[task]
async fn found() -> Option<u32> {
    Some(3)
}

#[derive(Debug, Clone, PartialEq)]
struct Plain(u32);

#[task]
async fn plain() -> Plain {
    Plain(5)
}

#[task]
#[expect(clippy::too_many_arguments, reason = "one of every kind")]
fn every_form(
    _words: &[String],
    text: &str,
    fixed: &str,
    found: Option<u32>,
    plain: &Plain,
    missing: Option<&Plain>,
    none_such: Option<Vec<u8>>,
    bound: Arc<str>,
    resource: Res<Duration>,
) -> String {
    format!("{_words:?} {text} {fixed} {found:?} {plain:?} {missing:?} {none_such:?} {bound} {:?}", *resource)
}

#[task]
fn every_other_form(
    words: Vec<String>,
    text: Arc<String>,
    found: Option<&u32>,
    plain: Option<Arc<Plain>>,
) -> String {
    format!("{words:?} {text} {found:?} {plain:?}")
}

#[tokio::test]
async fn every_form_is_filled() -> Result<()> {
    let givers = words() | text() | fixed() | found() | plain();
    let flow = givers >> (every_form().bound(Arc::<str>::from("bound")) | every_other_form());
    let run = Workflow::new("forms", flow).execute().resource(Duration::from_secs(1)).await?.into_result()?;
    let expected = r#"["a", "b"] text fixed Some(3) Plain(5) None None bound 1s"#;
    assert_eq!(run.result(every_form())?, expected);
    assert_eq!(run.result(every_other_form())?, r#"["a", "b"] text Some(3) Some(Plain(5))"#);
    Ok(())
}

const COUNT: Key<u32> = Key::new("count");

#[task(writes(COUNT))]
async fn sets(ctx: &TaskContext) {
    ctx.channel().set(COUNT, 4);
}

#[task(writes(COUNT))]
async fn forgets() {}

#[task]
async fn takes(count: u32) -> u32 {
    count
}

#[tokio::test]
async fn a_key_that_a_task_writes_is_there_when_it_runs() -> Result<()> {
    let run = Workflow::new("keys", sets() >> takes()).execute().await?;
    assert_eq!(run.result(takes())?, &4);
    let run = Workflow::new("keys", forgets() >> takes()).execute().await?;
    let error = run.error().unwrap().to_string();
    let expected = "task `takes` failed: parameter `count` has no value: no task has set that key; \
                    take an `Option`, if it may be missing";
    assert_eq!(error, expected);
    Ok(())
}

#[tokio::test]
async fn bound_values_come_first_then_results_then_keys() -> Result<()> {
    let named = || takes().named("takes");
    let run = Workflow::new("order", named()).execute().input(COUNT, 1).await?;
    assert_eq!(run.result(named())?, &1);
    let run = Workflow::new("order", named().count(2)).execute().input(COUNT, 1).await?;
    assert_eq!(run.result(named())?, &2);
    let giver = double().number(8).named("count");
    let run = Workflow::new("order", giver >> named()).execute().input(COUNT, 1).await?;
    assert_eq!(run.result(named())?, &16);
    Ok(())
}

#[task]
async fn double(number: u32) -> u32 {
    number * 2
}

#[task]
async fn needs(wrods: &[String], shop: Res<String>, text: u32, late: u32, groups: Members<u32>) -> usize {
    wrods.len() + shop.len() + (text + late) as usize + groups.len()
}

#[task]
async fn late() -> u32 {
    1
}

async fn report(flow: impl IntoFlow, set_up: impl FnOnce(Execute) -> Execute) -> String {
    match set_up(Workflow::new("faulty", flow).execute()).await {
        Err(WorkflowError::Invalid(report)) => report.to_string(),
        other => panic!("it is invalid: {other:?}"),
    }
}

#[tokio::test]
async fn all_faults_come_in_one_report() {
    let flow = (words() | text()) >> needs() >> late() >> (takes() | words().named("needs"));
    let told = report(flow, |execute| execute.input(Key::<bool>::new("count"), true)).await;
    insta::with_settings!({ filters => vec![(r"\.rs:\d+", ".rs:0")] }, { insta::assert_snapshot!(told) });
}

#[tokio::test]
async fn other_faults() {
    let starts_nowhere = |execute: Execute| execute.start("nowhere");
    assert_eq!(
        report(text(), starts_nowhere).await,
        "workflow `faulty` cannot start, 1 problem:\n  task `nowhere`: there is no task of that name; there are: text"
    );
    assert_eq!(
        report(chain(Vec::<Flow>::new()), |execute| execute).await,
        "workflow `faulty` cannot start, 1 problem:\n  there is no task; give the workflow a flow, or add_node"
    );
    let twice = double().number(1) >> double().number(2);
    assert!(report(twice, |execute| execute).await.contains("used twice, with values bound to both"));
    let member_outside = parallel("g", [text()]) >> text();
    assert!(report(member_outside, |execute| execute).await.contains("is a member of group `g`"));
}

type Hidden<T> = std::result::Result<T, std::num::ParseIntError>;

#[task]
async fn hides_its_result() -> Hidden<u32> {
    "x".parse()
}

#[tokio::test]
async fn a_result_behind_an_alias_is_no_silent_success() {
    let told = report(hides_its_result(), |execute| execute).await;
    assert!(told.contains("spell it `Result<…>` in the signature"), "{told}");
}

const LIST: Key<Vec<u32>> = Key::new("list");

#[task]
async fn uses_the_channel(ctx: &TaskContext) -> String {
    let channel = ctx.channel();
    let mut told = vec![format!("{:?}", channel.get(COUNT))];
    channel.set(COUNT, 1);
    told.push(format!("{} {}", channel.atomic_add(COUNT, 4), channel.exists(COUNT)));
    told.push(format!("{} {}", channel.append(LIST, 2), channel.prepend(LIST, 1)));
    told.push(format!("{:?} {:?}", channel.get(LIST), channel.keys()));
    told.push(format!("{:?}", channel.update(COUNT, |count| count.unwrap_or(0) * 2)));
    told.push(format!("{} {} {:?}", channel.delete(COUNT), channel.delete(COUNT), channel.get(COUNT)));
    channel.set_for(COUNT, 1, Duration::ZERO);
    told.push(format!("{:?} {:?}", channel.get(COUNT), channel.keys()));
    told.join(", ")
}

#[tokio::test]
async fn the_channel() -> Result<()> {
    let run = Workflow::new("channel", uses_the_channel()).execute().await?;
    let expected = r#"None, 5 true, 1 2, Some([1, 2]) ["count", "list"], 10, true false None, None ["list"]"#;
    assert_eq!(run.result(uses_the_channel())?, expected);
    assert_eq!(run.channel().get(LIST).as_deref(), Some(&vec![1, 2]));
    Ok(())
}

#[test]
fn the_graph_as_text() {
    let flow = text() >> (words() | fixed()).named("both \"words\"") >> takes() >> text();
    let mut workflow = Workflow::new("drawn", flow);
    workflow.add_edge("text", "takes").unwrap();
    let drawn = format!("{}\n{}\n{}", workflow.info(), workflow.mermaid(), workflow.dot());
    insta::assert_snapshot!(drawn);
    assert!(workflow.add_edge("text", "nowhere").is_err());
    assert!(workflow.add_node(text()).is_err());
}

#[test]
fn blocking() -> Result<()> {
    let run = Workflow::new("blocking", double().number(21)).execute_blocking()?;
    assert_eq!(run.result(double())?, &42);
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let inside = runtime.block_on(async { Workflow::new("blocking", text()).execute_blocking() });
    assert!(matches!(inside, Err(WorkflowError::InsideRuntime)));
    Ok(())
}
