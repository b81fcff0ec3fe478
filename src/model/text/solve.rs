//! Solvers: ridge and logistic regression over the sparse [`Rows`].
//!
//! Both come down to systems `(X' D X + penalty) w = b`, which conjugate gradients solve with products by X and X' alone
//! (Hestenes and Stiefel 1952). Ridge is one such system. Logistic regression is a few: Newton steps cut short, each with
//! a backtracking line search (Galli and Lin 2021, "A study on truncated Newton methods for linear classification", which
//! LIBLINEAR does). The preconditioner holds the correlations of the dense columns, and of the sparse ones the diagonal.

use super::rows::Rows;

/// Share of the first residual at which a ridge fit is done, and the most products by the matrix that are spent on it.
const RIDGE: Effort = Effort { tolerance: 5e-4, steps: 200 };
/// The same of one Newton step, as in LIBLINEAR.
const NEWTON: Effort = Effort { tolerance: 0.1, steps: 60 };
/// Share of the first gradient at which a logistic fit is done.
const LOGISTIC_TOLERANCE: f64 = 2e-3;
/// Most Newton steps.
const LOGISTIC_STEPS: usize = 30;
/// Share of the gain that a step promises which it has to keep (Armijo), and the shortest step tried.
const KEPT_GAIN: f64 = 0.01;
const SHORTEST_STEP: f64 = 1e-6;

struct Effort {
    tolerance: f64,
    steps: usize,
}

/// What to fit to: some of the rows, and what is known of all of them.
pub(super) struct Problem<'a> {
    pub(super) rows: &'a Rows,
    /// Correlations of the dense columns.
    pub(super) correlations: &'a [Vec<f64>],
    /// The rows to learn from.
    pub(super) chosen: Vec<usize>,
    /// One for each row, chosen or not.
    pub(super) targets: &'a [f64],
}

impl Problem<'_> {
    /// Weights that minimise `|X w - y|^2 + alpha |w|^2`.
    pub(super) fn ridge(&self, alpha: f64) -> Vec<f64> {
        let mut right = vec![0.0; self.rows.weights()];
        for &row in &self.chosen {
            self.rows.add(row, self.targets[row], &mut right);
        }
        let ones = vec![1.0; self.chosen.len()];
        System { problem: self, diagonal: &ones, penalty: alpha }.solve(&right, RIDGE)
    }

    /// Weights that minimise `c * log loss + |w|^2 / 2`, for targets 0 and 1.
    pub(super) fn logistic(&self, c: f64) -> Vec<f64> {
        let (penalty, intercept) = (1.0 / c, self.rows.intercept());
        let mut weights = vec![0.0; self.rows.weights()];
        let mut scores = vec![0.0; self.chosen.len()];
        let mut first_norm = None;
        for _ in 0..LOGISTIC_STEPS {
            let chances: Vec<f64> = scores.iter().map(|score: &f64| 1.0 / (1.0 + (-score).exp())).collect();
            let mut descent: Vec<f64> = weights.iter().map(|weight| -penalty * weight).collect();
            // the intercept is not penalised
            descent[intercept] = 0.0;
            for (&row, chance) in self.chosen.iter().zip(&chances) {
                self.rows.add(row, self.targets[row] - chance, &mut descent);
            }
            let norm = dot(&descent, &descent).sqrt();
            if norm <= LOGISTIC_TOLERANCE * *first_norm.get_or_insert(norm) {
                break;
            }
            let curvature: Vec<f64> = chances.iter().map(|chance| chance * (1.0 - chance)).collect();
            let step = System { problem: self, diagonal: &curvature, penalty }.solve(&descent, NEWTON);
            let slopes: Vec<f64> = self.chosen.iter().map(|&row| self.rows.score(row, &step)).collect();

            // along the step, the loss needs no more products by X
            let penalised = |vector: &[f64]| dot(vector, &step) - vector[intercept] * step[intercept];
            let (linear, quadratic) = (penalised(&weights), penalised(&step));
            let loss = |length: f64| -> f64 {
                let of_rows = self.chosen.iter().zip(scores.iter().zip(&slopes));
                let losses = of_rows.map(|(&row, (score, slope))| log_loss(self.targets[row], score + length * slope));
                losses.sum::<f64>() + penalty * length * (linear + 0.5 * length * quadratic)
            };
            let (start, promise) = (loss(0.0), dot(&descent, &step));
            let mut length = 1.0;
            while loss(length) > start - KEPT_GAIN * length * promise && length > SHORTEST_STEP {
                length *= 0.5;
            }
            add(&mut weights, length, &step);
            add(&mut scores, length, &slopes);
        }
        weights
    }
}

/// `(X' D X + penalty) w = b`, D being a diagonal of one number for each chosen row.
struct System<'a> {
    problem: &'a Problem<'a>,
    diagonal: &'a [f64],
    penalty: f64,
}

impl System<'_> {
    /// Preconditioned conjugate gradients from 0.
    fn solve(&self, right: &[f64], effort: Effort) -> Vec<f64> {
        let preconditioner = Preconditioner::of(self);
        let mut solution = vec![0.0; right.len()];
        let mut residual = right.to_vec();
        let mut direction = preconditioner.apply(&residual);
        let mut product = vec![0.0; right.len()];
        let mut energy = dot(&residual, &direction);
        let enough = effort.tolerance * effort.tolerance * energy;
        for _ in 0..effort.steps {
            if energy <= enough {
                break;
            }
            self.apply(&direction, &mut product);
            let length = energy / dot(&direction, &product);
            add(&mut solution, length, &direction);
            add(&mut residual, -length, &product);
            let next = preconditioner.apply(&residual);
            let next_energy = dot(&residual, &next);
            let ratio = next_energy / energy;
            direction.iter_mut().zip(next).for_each(|(old, new)| *old = new + ratio * *old);
            energy = next_energy;
        }
        solution
    }

    /// The product of the matrix and `vector`, put into `product`.
    fn apply(&self, vector: &[f64], product: &mut [f64]) {
        let rows = self.problem.rows;
        product.iter_mut().zip(vector).for_each(|(product, value)| *product = self.penalty * value);
        product[rows.intercept()] = 0.0;
        for (&row, weight) in self.problem.chosen.iter().zip(self.diagonal) {
            rows.add(row, weight * rows.score(row, vector), product);
        }
    }
}

/// What is near to the inverse of a system's matrix and cheap: a Cholesky factor for the dense columns, as if D were
/// everywhere the same, and the diagonal for the rest.
struct Preconditioner {
    factor: Vec<Vec<f64>>,
    /// One over the diagonal; the dense columns' part is not used.
    inverse: Vec<f64>,
}

impl Preconditioner {
    fn of(system: &System<'_>) -> Self {
        let rows = system.problem.rows;
        let total: f64 = system.diagonal.iter().sum();
        let mut diagonal = vec![system.penalty; rows.weights()];
        diagonal[rows.intercept()] = total;
        for (&row, weight) in system.problem.chosen.iter().zip(system.diagonal) {
            rows.add_sparse_squares(row, *weight, &mut diagonal);
        }

        let mut factor: Vec<Vec<f64>> = Vec::new();
        for (place, line) in system.problem.correlations.iter().enumerate() {
            let mut row: Vec<f64> = Vec::with_capacity(place + 1);
            for (other, above) in factor.iter().enumerate() {
                row.push((total * line[other] - dot(&row, &above[..other])) / above[other]);
            }
            let pivot = total * line[place] + system.penalty - dot(&row, &row);
            // rounding could take a pivot below the penalty that is part of it
            row.push(pivot.max(system.penalty).sqrt());
            factor.push(row);
        }
        let inverse = diagonal.iter().map(|value| 1.0 / value.max(f64::MIN_POSITIVE)).collect();
        Preconditioner { factor, inverse }
    }

    fn apply(&self, residual: &[f64]) -> Vec<f64> {
        let mut solved: Vec<f64> = residual.iter().zip(&self.inverse).map(|(value, inverse)| value * inverse).collect();
        let width = self.factor.len();
        solved[..width].copy_from_slice(&residual[..width]);
        for (place, line) in self.factor.iter().enumerate() {
            solved[place] = (solved[place] - dot(&line[..place], &solved[..place])) / line[place];
        }
        for (place, line) in self.factor.iter().enumerate().rev() {
            solved[place] /= line[place];
            let value = solved[place];
            add(&mut solved[..place], -value, &line[..place]);
        }
        solved
    }
}

/// `-ln` of the chance that the score gives to the target.
fn log_loss(target: f64, score: f64) -> f64 {
    let against = if target == 1.0 { -score } else { score };
    against.max(0.0) + (-against.abs()).exp().ln_1p()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn add(sum: &mut [f64], factor: f64, vector: &[f64]) {
    sum.iter_mut().zip(vector).for_each(|(sum, value)| *sum += factor * value);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows with two dense columns that correlate, and results that depend on both and on the text.
    fn rows() -> (Rows, Vec<f64>) {
        let urls: Vec<String> = (0..60).map(|i| format!("http://{}.test/{}", i * 7919 % 61, i * i % 13)).collect();
        let values = |i: usize| {
            let first = (i as f64 * 0.7).sin();
            [first, 0.9 * first + (i as f64 * 1.3).cos() * 0.3]
        };
        let targets = (0..60).map(|i| f64::from(u8::from(values(i)[1] > 0.1 || i * i % 13 == 3))).collect();
        (Rows::of(&urls, 2, (0..60).flat_map(values).collect()), targets)
    }

    /// The largest slope of a loss at `weights`, which is 0 at its lowest point.
    fn largest_slope(rows: &Rows, weights: &[f64], penalty: f64, error: impl Fn(usize, f64) -> f64) -> f64 {
        let mut slope: Vec<f64> = weights.iter().map(|weight| penalty * weight).collect();
        slope[rows.intercept()] = 0.0;
        for row in 0..rows.len() {
            rows.add(row, error(row, rows.score(row, weights)), &mut slope);
        }
        slope.iter().fold(0.0, |largest, slope| slope.abs().max(largest))
    }

    #[test]
    fn both_fits_end_where_their_loss_is_lowest() {
        let (rows, targets) = rows();
        let correlations = rows.correlations();
        let problem =
            Problem { rows: &rows, correlations: &correlations, chosen: (0..rows.len()).collect(), targets: &targets };
        let error = |row: usize, score: f64| score - targets[row];
        let start = largest_slope(&rows, &vec![0.0; rows.weights()], 0.5, error);
        assert!(largest_slope(&rows, &problem.ridge(0.5), 0.5, error) < 5e-3 * start);
        let error = |row: usize, score: f64| 1.0 / (1.0 + (-score).exp()) - targets[row];
        let start = largest_slope(&rows, &vec![0.0; rows.weights()], 0.02, error);
        assert!(largest_slope(&rows, &problem.logistic(50.0), 0.02, error) < 1e-2 * start);
    }

    #[test]
    fn rows_that_are_not_chosen_do_not_count() {
        let (rows, targets) = rows();
        let correlations = rows.correlations();
        let mut other = targets.clone();
        other[50..].iter_mut().for_each(|target| *target = 1.0 - *target);
        let fit = |targets: &[f64]| {
            let chosen = (0..50).collect();
            let problem = Problem { rows: &rows, correlations: &correlations, chosen, targets };
            (problem.ridge(1.0), problem.logistic(1.0))
        };
        assert_eq!(fit(&targets), fit(&other));
    }
}
