//! Carbon: factors of the grid, location- and market-based totals, software carbon intensity.
//!
//! Masses are integer milligrams, rounded half up once per figure. Location-based figures and SCI never see a
//! certificate; only the market-based figure does (GHG Protocol scope 2 guidance, SCI 1.1.0). A missing factor leaves
//! the figure unknown.

mod factor;
mod sci;
mod scope2;

pub use factor::{Choice, Factor, FactorTable, Series};
pub use sci::{Embodied, Score, sci};
pub use scope2::{Scope2, scope2};
