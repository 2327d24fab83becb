//! The program that shows how a workflow should read, with a shop that is not there.

#![expect(
    clippy::unused_self,
    clippy::unnecessary_wraps,
    reason = "the world's interface is that of a real one"
)]

use graflow::prelude::*;
use graflow::sink::NullSink;

type Date = u32;

const DAY: Key<Date> = Key::new("day");

#[task(max_retries = 3, backoff = "200ms..5s", timeout = "30s", retry_if = ShopError::is_transient)]
async fn extract(day: Date, shop: Res<Shop>) -> Result<Vec<Order>, ShopError> {
    shop.orders(day).await
}

#[task]
fn clean(extract: &[Order]) -> Vec<Order> {
    extract.iter().filter(|order| order.valid()).cloned().collect()
}

#[task]
async fn rates(extract: &[Order], shop: Res<Shop>) -> Result<Vec<Rate>, ShopError> {
    shop.rates(extract).await
}

#[task(max_cycles = 8)]
fn fit(
    ctx: &TaskContext,
    clean: &[Order],
    rates: &[Rate],
    #[iteration] model: Option<Model>,
) -> Result<Next<Model>> {
    let model = model.unwrap_or_default().improve(clean, rates);
    if model.error() > 0.01 {
        return Ok(ctx.next_iteration(model));
    }
    Ok(Next::Done(model))
}

#[task]
fn split(ctx: &TaskContext, clean: &[Order]) -> Result<()> {
    let members =
        by_region(clean).map(|(region, orders)| price().orders(orders).named(format!("price/{region}")));
    ctx.next_task(parallel("prices", members).policy(AtLeast(3)) >> load())
}

#[task]
fn price(orders: Vec<Order>, fit: &Model) -> Result<Vec<Total>, ShopError> {
    fit.price(&orders)
}

#[task]
async fn load(prices: Members<Vec<Total>>, shop: Res<Shop>) -> Result<Receipt, ShopError> {
    shop.store(prices.completed()).await
}

#[tokio::test]
async fn the_program_runs() -> Result<()> {
    let etl = Workflow::new("orders", extract() >> (clean() | rates()) >> fit() >> split());
    let run = etl
        .execute()
        .input(DAY, today())
        .resource(Shop::connect().await?)
        .sink(Lineage::open_default()?)
        .await?;
    println!("{}: {:?}, {}", run.status(), run.result(load()), run.url());

    assert_eq!(run.status(), ExecutionStatus::Completed, "{run:?}");
    assert_eq!(run.result(load())?, &Receipt(3));
    assert_eq!(run.task("fit").map(|task| task.executions), Some(7));
    assert_eq!(run.task("price/asia").map(|task| task.status), Some(TaskStatus::Failed));
    Ok(())
}

// What the program needs of the world.

fn today() -> Date {
    20_261_123
}

struct Shop;

#[derive(Debug, Clone, PartialEq)]
struct Order {
    region: &'static str,
    amount: i64,
}

struct Rate;

#[derive(Debug, Clone)]
struct Model {
    error: f64,
}

#[derive(Debug, Clone)]
struct Total;

#[derive(Debug, PartialEq)]
struct Receipt(usize);

#[derive(Debug)]
enum ShopError {
    #[expect(dead_code, reason = "the shop that is not there is never away")]
    Away,
    Closed,
}

impl std::fmt::Display for ShopError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "the shop is {self:?}")
    }
}

impl std::error::Error for ShopError {}

impl ShopError {
    fn is_transient(&self) -> bool {
        matches!(self, Self::Away)
    }
}

impl Shop {
    async fn connect() -> Result<Self, ShopError> {
        Ok(Self)
    }
    async fn orders(&self, day: Date) -> Result<Vec<Order>, ShopError> {
        assert_eq!(day, today());
        let order = |region, amount| Order { region, amount };
        Ok(vec![order("eu", 1), order("us", 2), order("asia", 13), order("africa", 4), order("eu", -1)])
    }
    async fn rates(&self, orders: &[Order]) -> Result<Vec<Rate>, ShopError> {
        Ok(orders.iter().map(|_| Rate).collect())
    }
    async fn store<'a>(&self, totals: impl Iterator<Item = &'a Vec<Total>>) -> Result<Receipt, ShopError> {
        Ok(Receipt(totals.count()))
    }
}

impl Order {
    fn valid(&self) -> bool {
        self.amount > 0
    }
}

impl Default for Model {
    fn default() -> Self {
        Self { error: 1.0 }
    }
}

impl Model {
    fn improve(self, orders: &[Order], rates: &[Rate]) -> Self {
        assert_eq!((orders.len(), rates.len()), (4, 5));
        Self { error: self.error / 2.0 }
    }
    fn error(&self) -> f64 {
        self.error
    }
    fn price(&self, orders: &[Order]) -> Result<Vec<Total>, ShopError> {
        if orders.iter().any(|order| order.amount == 13) {
            return Err(ShopError::Closed);
        }
        Ok(orders.iter().map(|_| Total).collect())
    }
}

fn by_region(orders: &[Order]) -> impl Iterator<Item = (&'static str, Vec<Order>)> {
    let mut regions = std::collections::BTreeMap::<_, Vec<Order>>::new();
    for order in orders {
        regions.entry(order.region).or_default().push(order.clone());
    }
    regions.into_iter()
}

struct Lineage;

impl Lineage {
    fn open_default() -> Result<NullSink> {
        Ok(NullSink)
    }
}

#[test]
fn a_body_can_be_called_alone() {
    let orders = vec![Order { region: "eu", amount: 1 }, Order { region: "eu", amount: 0 }];
    assert_eq!(clean::call(&orders).len(), 1);
}
