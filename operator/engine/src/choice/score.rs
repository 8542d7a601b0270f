//! Scores from raw figures, by bounds that somebody declared.
//!
//! A figure maps to 0..=[`POINTS`] between the declared bounds, never by the smallest and largest figure among the
//! candidates: one lost cluster must not move the score of all others.

/// Points of a term at its best end.
pub const POINTS: i64 = 1000;

/// One preference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Term {
    /// Figure that earns no points.
    pub worst: i64,
    /// Figure that earns all; below `worst` when less is better.
    pub best: i64,
    /// Weight; may be 0.
    pub weight: u32,
}

/// What one term added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contribution {
    /// The figure; `None` when it is not known, which earns nothing.
    pub figure: Option<i64>,
    /// 0 to [`POINTS`].
    pub points: i64,
    /// Points times weight.
    pub added: i64,
}

impl Term {
    /// Points of a figure, rounded down; 0 for bounds that coincide.
    #[must_use]
    pub fn points(&self, figure: i64) -> i64 {
        // Turned so that more is better; the product stays below 2^75.
        let turn = if self.best < self.worst { -1 } else { 1 };
        let span = (i128::from(self.best) - i128::from(self.worst)) * turn;
        let way = (i128::from(figure) - i128::from(self.worst)) * turn;
        if span == 0 {
            return 0;
        }
        let points = (way.max(0) * i128::from(POINTS) / span).min(i128::from(POINTS));
        i64::try_from(points).unwrap_or(0)
    }

    /// What a figure adds.
    #[must_use]
    pub fn contribution(&self, figure: Option<i64>) -> Contribution {
        let points = figure.map_or(0, |figure| self.points(figure));
        Contribution { figure, points, added: points * i64::from(self.weight) }
    }
}

/// Sum of what the terms add (saturating). Figures beyond the terms are ignored, missing ones earn nothing. What each
/// term added is given to `seen`, for explanations.
pub fn score(terms: &[Term], figures: &[Option<i64>], mut seen: impl FnMut(Contribution)) -> i64 {
    let figures = figures.iter().copied().chain(std::iter::repeat(None));
    terms.iter().zip(figures).fold(0_i64, |sum, (term, figure)| {
        let contribution = term.contribution(figure);
        seen(contribution);
        sum.saturating_add(contribution.added)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_follow_the_declared_bounds_and_stop_there() {
        let more = Term { worst: 0, best: 10, weight: 2 };
        assert_eq!([-5, 0, 3, 10, 99].map(|figure| more.points(figure)), [0, 0, 300, 1000, 1000]);
        let less = Term { worst: 2000, best: 1000, weight: 1 };
        assert_eq!([999, 1000, 1250, 2000, 2001].map(|figure| less.points(figure)), [1000, 1000, 750, 0, 0]);
        assert_eq!(Term { worst: 5, best: 5, weight: 1 }.points(5), 0);
    }

    #[test]
    fn the_whole_range_of_figures_is_safe() {
        let widest = Term { worst: i64::MAX, best: i64::MIN, weight: u32::MAX };
        assert_eq!(widest.points(i64::MIN), POINTS);
        assert_eq!(widest.points(i64::MAX), 0);
        assert_eq!(widest.points(0), 499);
    }

    #[test]
    fn a_figure_nobody_knows_earns_nothing_and_is_shown() {
        let term = Term { worst: 0, best: 10, weight: 3 };
        let mut seen = Vec::new();
        assert_eq!(score(&[term, term], &[Some(5)], |part| seen.push(part)), 1500);
        assert_eq!(seen[1], Contribution { figure: None, points: 0, added: 0 });
        assert_eq!(seen[0].added, 1500);
    }
}
