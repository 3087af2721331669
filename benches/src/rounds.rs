//! Comparing on a machine that others use too: contenders take turns, and medians are kept.

use anyhow::Result;

use crate::table::Peer;

/// One figure of each contender in each round. The first contender is ours.
pub struct Rounds {
    names: Vec<&'static str>,
    figures: Vec<Vec<f64>>,
}

impl Rounds {
    /// Lets every contender have its turn in every round.
    pub fn run(rounds: usize, names: &[&'static str], mut turn: impl FnMut(usize) -> Result<f64>) -> Result<Self> {
        let mut figures = vec![Vec::with_capacity(rounds); names.len()];
        for _ in 0..rounds {
            for (contender, figures) in figures.iter_mut().enumerate() {
                figures.push(turn(contender)?);
            }
        }
        Ok(Self::of(names, figures))
    }

    /// What was measured in some other order of turns: each contender's figures.
    pub fn of(names: &[&'static str], figures: Vec<Vec<f64>>) -> Self {
        Self { names: names.to_vec(), figures }
    }

    /// Our median.
    pub fn ours(&self) -> f64 {
        median(self.figures[0].clone())
    }

    /// The others, in their order.
    pub fn peers(&self) -> Vec<Peer> {
        (1..self.names.len()).map(|contender| self.peer(contender)).collect()
    }

    /// One of the others, by its place among the contenders (from 1).
    pub fn peer(&self, contender: usize) -> Peer {
        let pairs = self.figures[0].iter().zip(&self.figures[contender]);
        Peer {
            name: self.names[contender].to_owned(),
            figure: median(self.figures[contender].clone()),
            ratio: median(pairs.map(|(ours, theirs)| ours / theirs).collect()),
        }
    }
}

/// The middle one, or the upper of the two in the middle.
pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
