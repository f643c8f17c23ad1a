//! Small networks: fully connected layers with rectifiers, and a logistic function at the end.

use crate::gradients::{Gradients, Patch};
use crate::model::OUTPUTS;

/// One network.
pub(crate) struct Network {
    /// Of which patches it is given what is there.
    pub(crate) patches: Vec<usize>,
    /// How sure it must be.
    pub(crate) threshold: f32,
    pub(crate) layers: Vec<Layer>,
}

/// One layer.
pub(crate) struct Layer {
    pub(crate) inputs: usize,
    /// Of each output, one for each input.
    pub(crate) weights: Vec<f32>,
    /// One for each output.
    pub(crate) biases: Vec<f32>,
}

/// Sums that are kept apart, so that a processor adds them side by side.
const LANES: usize = 8;

impl Network {
    /// How sure it is, and by how much the place is off; absent where it is not sure enough.
    pub(crate) fn look(&self, patches: &[Patch], gradients: &Gradients) -> Option<[f32; OUTPUTS]> {
        let known = self.patches.iter().filter_map(|patch| patches.get(*patch));
        let mut values: Vec<f32> = known.flat_map(|patch| gradients.values(*patch)).collect();
        for (at, layer) in self.layers.iter().enumerate() {
            let is_last = at + 1 == self.layers.len();
            let activated = |sum: f32| if is_last { 1.0 / (1.0 + (-sum).exp()) } else { sum.max(0.0) };
            values = layer.sums(&values).map(activated).collect();
        }
        let values: [f32; OUTPUTS] = values.try_into().ok()?;
        (values[0] > self.threshold).then_some(values)
    }
}

impl Layer {
    fn sums<'l>(&'l self, values: &'l [f32]) -> impl Iterator<Item = f32> + 'l {
        let rows = self.weights.chunks_exact(self.inputs.max(1));
        rows.zip(&self.biases).map(|(weights, bias)| product(values, weights) + bias)
    }
}

/// Sum of the products, always in the same order.
fn product(left: &[f32], right: &[f32]) -> f32 {
    let mut sums = [0.0; LANES];
    let (lefts, rights) = (left.chunks_exact(LANES), right.chunks_exact(LANES));
    let rest: f32 = lefts.remainder().iter().zip(rights.remainder()).map(|(left, right)| left * right).sum();
    for (left, right) in lefts.zip(rights) {
        for ((sum, left), right) in sums.iter_mut().zip(left).zip(right) {
            *sum += left * right;
        }
    }
    sums.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_of_every_length_are_summed() {
        for length in 0..40 {
            let left: Vec<f32> = (0_u16..length).map(f32::from).collect();
            let expected: u32 = (0..u32::from(length)).map(|at| at * at).sum();
            assert_eq!(product(&left, &left) as u32, expected);
        }
    }
}
