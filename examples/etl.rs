//! ETL: orders are extracted, valued in euros two ways at once, compared, and loaded into a folder.
//!
//! ```text
//!           ┌─▶ by_region ──┐
//! extract ──┤               ├─▶ reconcile ─▶ load
//!           └─▶ by_product ─┘
//! ```
//!
//! The diamond's join, `reconcile`, runs once: when both branches are done. Run it with
//! `cargo run -p graflow-examples --bin etl`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use graflow::prelude::*;
use graflow_local::Lineage;

/// What the program gives its tasks: a parameter `rates` finds the value, and the compiler knows its type.
const RATES: Key<BTreeMap<String, f64>> = Key::new("rates");

/// What the tasks leave beside their results: lines that no sum can be made of.
const REJECTED: Key<Vec<String>> = Key::serializable("rejected");

/// Where reports go. It is neither a result nor a value, but something to work with: a resource.
struct Warehouse {
    folder: PathBuf,
}

/// A line of the file that made sense.
#[derive(Debug, Clone)]
struct Order {
    region: String,
    product: String,
    euros: f64,
}

/// Reads the orders; a line without a sum is kept aside, not lost.
#[task(writes(REJECTED))]
fn extract(ctx: &TaskContext, rates: &BTreeMap<String, f64>) -> Vec<Order> {
    let mut orders = Vec::new();
    for line in include_str!("data/orders.csv").lines().skip(1) {
        match order(line, rates) {
            Some(order) => orders.push(order),
            None => {
                ctx.channel().append(REJECTED, line.to_owned());
            }
        }
    }
    orders
}

/// One branch: what each region brought in.
#[task]
fn by_region(extract: &[Order]) -> BTreeMap<String, f64> {
    sums(extract, |order| &order.region)
}

/// The other one, at the same time: what each product brought in.
#[task]
fn by_product(extract: &[Order]) -> BTreeMap<String, f64> {
    sums(extract, |order| &order.product)
}

/// Both ways lead to the same total, or something is wrong with this program.
#[task]
fn reconcile(by_region: &BTreeMap<String, f64>, by_product: &BTreeMap<String, f64>) -> Result<f64> {
    let (regions, products): (f64, f64) = (by_region.values().sum(), by_product.values().sum());
    if (regions - products).abs() > 0.005 {
        return Err(TaskError::new(format!("regions sum up to {regions:.2}, products to {products:.2}")));
    }
    Ok(regions)
}

/// Writes the report where the program wants it.
#[task]
fn load(
    warehouse: Res<Warehouse>,
    by_region: &BTreeMap<String, f64>,
    by_product: &BTreeMap<String, f64>,
    reconcile: f64,
    rejected: Option<Vec<String>>,
) -> Result<PathBuf> {
    let mut report = String::new();
    for (name, euros) in by_region.iter().chain(by_product) {
        report += &format!("{name:<8}{euros:>10.2} EUR\n");
    }
    report += &format!("{:<8}{reconcile:>10.2} EUR\n", "total");
    for line in rejected.unwrap_or_default() {
        report += &format!("rejected: {line}\n");
    }
    let file = warehouse.folder.join("report.txt");
    std::fs::write(&file, report)?;
    Ok(file)
}

#[tokio::main]
async fn main() -> Result<()> {
    let folder = std::env::temp_dir().join(format!("graflow-etl-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;

    let etl = Workflow::new("etl", extract() >> (by_region() | by_product()) >> reconcile() >> load());
    let run = etl
        .execute()
        .input(RATES, rates(include_str!("data/rates.csv"))?)
        .resource(Warehouse { folder: folder.clone() })
        .label("month", "2026-11")
        // What happens is kept, for `graflow lineage show latest`.
        .sink(Lineage::open_default()?)
        .await?
        .into_result()?;

    // What is on disk is what the run says, to the cent.
    let report = std::fs::read_to_string(run.result(load())?)?;
    print!("{report}");
    assert_eq!(run.task("reconcile").map(|task| task.executions), Some(1), "a join runs once");
    assert!(report.contains("total      2076.33 EUR"), "checked with a pocket calculator");
    let rejected = run.channel().get(REJECTED).unwrap_or_default();
    assert_eq!(rejected.len(), 2, "no quantity, and none that is a number: {rejected:?}");

    clean_up(&folder)
}

/// A line that has a quantity, a price and a known currency.
fn order(line: &str, rates: &BTreeMap<String, f64>) -> Option<Order> {
    let fields: Vec<&str> = line.split(',').collect();
    let &[_day, region, product, quantity, unit_price, currency] = fields.as_slice() else { return None };
    let quantity: f64 = quantity.parse().ok().filter(|quantity| *quantity > 0.0)?;
    let euros = quantity * unit_price.parse::<f64>().ok()? * rates.get(currency)?;
    Some(Order { region: region.to_owned(), product: product.to_owned(), euros })
}

fn rates(table: &str) -> Result<BTreeMap<String, f64>> {
    let mut rates = BTreeMap::new();
    for line in table.lines().skip(1) {
        let (currency, euros) =
            line.split_once(',').ok_or_else(|| TaskError::new(format!("no comma: {line}")))?;
        rates.insert(currency.to_owned(), euros.parse()?);
    }
    Ok(rates)
}

fn sums(orders: &[Order], name: impl Fn(&Order) -> &str) -> BTreeMap<String, f64> {
    let mut sums = BTreeMap::new();
    for order in orders {
        *sums.entry(name(order).to_owned()).or_default() += order.euros;
    }
    sums
}

fn clean_up(folder: &Path) -> Result<()> {
    std::fs::remove_dir_all(folder)?;
    Ok(())
}
