//! What is printed: one row for each thing measured.

use std::fmt;

use anyhow::Result;
use serde_json::{Value, json};

/// All rows, and how quiet the machine was while they were measured.
#[derive(Default)]
pub struct Table {
    rows: Vec<Row>,
    notes: Vec<String>,
}

/// One figure of ours, beside others of the same run.
pub struct Row {
    /// What was measured, in words.
    pub what: String,
    /// What the figures count.
    pub unit: Unit,
    /// Ours.
    pub ours: f64,
    /// The others'; a goal that is a ratio means the first of them.
    pub peers: Vec<Peer>,
    /// What the project promises, if anything.
    pub goal: Option<Goal>,
}

/// What ours is compared with.
pub struct Peer {
    /// Its name.
    pub name: String,
    /// Its figure.
    pub figure: f64,
    /// Ours divided by its figure: the median of the rounds' own ratios, so noise that hits both cancels.
    pub ratio: f64,
}

/// What a figure counts.
#[derive(Clone, Copy)]
pub enum Unit {
    /// Seconds: less is better.
    Seconds,
    /// Things a second: more is better.
    PerSecond,
    /// Bytes: less is better.
    Bytes,
    /// Ethereum gas: less is better.
    Gas,
    /// A plain number.
    Count,
}

/// What the project promises.
#[derive(Clone, Copy)]
pub enum Goal {
    /// Ours is at most this.
    AtMost(f64),
    /// Ours is at least this.
    AtLeast(f64),
    /// Ours divided by the first peer's is at most this.
    RatioAtMost(f64),
    /// Ours divided by the first peer's is at least this.
    RatioAtLeast(f64),
}

impl Table {
    /// Adds a row, and tells on standard error that it is there: some items take minutes.
    pub fn push(&mut self, row: Row) {
        eprintln!("{row}");
        self.rows.push(row);
    }

    /// Adds a line below the table.
    pub fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    /// Prints everything on standard output.
    pub fn print(&self, as_json: bool) -> Result<()> {
        if as_json {
            let rows: Vec<_> = self.rows.iter().map(Row::to_json).collect();
            println!("{:#}", json!({"rows": rows, "notes": self.notes}));
            return Ok(());
        }
        let lines: Vec<[String; 5]> = self.rows.iter().map(Row::cells).collect();
        let titles = ["what", "ours", "beside, in the same run (ours / theirs)", "goal", "met"].map(str::to_owned);
        let width = |column: usize| lines.iter().chain([&titles]).map(|l| l[column].chars().count()).max().unwrap_or(0);
        let widths: [usize; 5] = std::array::from_fn(width);
        for line in [&titles].into_iter().chain(&lines) {
            let cells: Vec<_> = line.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
            println!("{}", cells.join("  ").trim_end());
        }
        self.notes.iter().for_each(|note| println!("{note}"));
        Ok(())
    }
}

impl Row {
    fn cells(&self) -> [String; 5] {
        let peers: Vec<_> = self
            .peers
            .iter()
            .map(|peer| {
                let ratio = if peer.ratio.is_finite() { format!(" ({})", digits(peer.ratio)) } else { String::new() };
                format!("{} {}{ratio}", peer.name, self.unit.show(peer.figure))
            })
            .collect();
        let goal = self.goal.map_or(String::new(), |goal| goal.show(self.unit));
        let met = self.met().map_or("", |met| if met { "yes" } else { "NO" });
        [self.what.clone(), self.unit.show(self.ours), peers.join(", "), goal, met.to_owned()]
    }

    fn met(&self) -> Option<bool> {
        let ratio = self.peers.first().map(|peer| peer.ratio);
        match self.goal? {
            Goal::AtMost(limit) => Some(self.ours <= limit),
            Goal::AtLeast(limit) => Some(self.ours >= limit),
            Goal::RatioAtMost(limit) => ratio.map(|ratio| ratio <= limit),
            Goal::RatioAtLeast(limit) => ratio.map(|ratio| ratio >= limit),
        }
    }

    fn to_json(&self) -> Value {
        let peers: Vec<_> =
            self.peers.iter().map(|p| json!({"name": p.name, "figure": p.figure, "ratio": p.ratio})).collect();
        json!({
            "what": self.what,
            "unit": self.unit.name(),
            "ours": self.ours,
            "peers": peers,
            "goal": self.goal.map(|goal| goal.show(self.unit)),
            "met": self.met(),
        })
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cells = self.cells();
        let cells: Vec<_> = cells.iter().map(String::as_str).filter(|cell| !cell.is_empty()).collect();
        f.write_str(&cells.join("  "))
    }
}

impl Unit {
    fn name(self) -> &'static str {
        match self {
            Self::Seconds => "s",
            Self::PerSecond => "1/s",
            Self::Bytes => "bytes",
            Self::Gas => "gas",
            Self::Count => "",
        }
    }

    fn show(self, figure: f64) -> String {
        match self {
            Self::Seconds if figure < 1e-3 => format!("{} µs", digits(figure * 1e6)),
            Self::Seconds if figure < 1.0 => format!("{} ms", digits(figure * 1e3)),
            Self::Seconds => format!("{} s", digits(figure)),
            Self::PerSecond if figure >= 1e6 => format!("{} M/s", digits(figure / 1e6)),
            Self::PerSecond if figure >= 1e3 => format!("{} k/s", digits(figure / 1e3)),
            Self::PerSecond => format!("{} /s", digits(figure)),
            Self::Bytes if figure >= f64::from(1 << 20) => format!("{} MiB", digits(figure / f64::from(1 << 20))),
            Self::Bytes => format!("{} B", digits(figure)),
            Self::Gas | Self::Count => format!("{figure:.0}"),
        }
    }
}

impl Goal {
    fn show(self, unit: Unit) -> String {
        match self {
            Self::AtMost(limit) => format!("≤ {}", unit.show(limit)),
            Self::AtLeast(limit) => format!("≥ {}", unit.show(limit)),
            Self::RatioAtMost(limit) => format!("≤ {} ×", digits(limit)),
            Self::RatioAtLeast(limit) => format!("≥ {} ×", digits(limit)),
        }
    }
}

/// Three significant digits, which is more than a shared machine deserves.
fn digits(figure: f64) -> String {
    let decimals = if figure == 0.0 { 0 } else { (2 - figure.abs().log10().floor() as i32).max(0) };
    let text = format!("{figure:.*}", decimals as usize);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short_and_goals_are_compared() {
        for (figure, text) in
            [(0.0, "0"), (0.00321, "0.00321"), (0.5, "0.5"), (20.0, "20"), (126.4, "126"), (1e6, "1000000")]
        {
            assert_eq!(digits(figure), text);
        }
        assert_eq!(Unit::PerSecond.show(520_123.0), "520 k/s");
        assert_eq!(Unit::Seconds.show(0.0482), "48.2 ms");
        let peers = vec![Peer { name: "limit".into(), figure: 2.0, ratio: 0.5 }];
        let mut row =
            Row { what: "x".into(), unit: Unit::Count, ours: 1.0, peers, goal: Some(Goal::RatioAtLeast(0.5)) };
        assert_eq!(row.met(), Some(true));
        row.goal = Some(Goal::AtLeast(1.5));
        assert_eq!(row.met(), Some(false));
    }
}
