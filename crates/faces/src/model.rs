//! The model's file: little-endian numbers of 32 bits, stage after stage. Everything that is indexed later is checked
//! here.

use crate::boosted::{BINS, Boosted, FARTHEST, GROUP, Weak};
use crate::gradients::{PATCHES, VALUES};
use crate::network::{Layer, Network};

/// Classifiers of one stage, or numbers of one list, at most.
const MOST: usize = 4096;
/// Numbers that a network gives: how sure it is, and by how much the place is off, in x, y and size.
pub(crate) const OUTPUTS: usize = 4;

/// The cascade.
pub(crate) struct Model {
    /// Each looks at all windows.
    pub(crate) boosted: Vec<Boosted>,
    /// Each takes what others let through.
    pub(crate) stages: Vec<Vec<Branch>>,
}

/// Networks one behind the other.
pub(crate) struct Branch {
    pub(crate) networks: Vec<Network>,
    /// Which lists of the stage before it takes.
    pub(crate) sources: Vec<usize>,
}

/// One branch as it stands in the file.
struct Written {
    boosted: Vec<Boosted>,
    networks: Vec<Network>,
    sources: Vec<usize>,
}

impl Model {
    /// Absent where the bytes are no such model.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let stages = reader.count()?;
        let first = reader.stage()?;
        let boosted: Vec<Boosted> = first.into_iter().flat_map(|written| written.boosted).collect();
        let mut lists = boosted.len();
        let mut model = Self { boosted, stages: Vec::new() };
        for _ in 1..stages {
            let stage: Vec<_> = reader.stage()?;
            let branch = |written: Written| {
                let is_whole = !written.sources.is_empty() && written.sources.iter().all(|source| *source < lists);
                let branch = Branch { networks: written.networks, sources: written.sources };
                (is_whole && !branch.networks.is_empty()).then_some(branch)
            };
            let stage: Vec<Branch> = stage.into_iter().map(branch).collect::<Option<_>>()?;
            lists = stage.len();
            model.stages.push(stage);
        }
        (reader.0.is_empty() && !model.boosted.is_empty() && lists == 1).then_some(model)
    }
}

struct Reader<'b>(&'b [u8]);

impl Reader<'_> {
    fn four(&mut self) -> Option<[u8; 4]> {
        let (four, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*four)
    }

    fn count(&mut self) -> Option<usize> {
        usize::try_from(i32::from_le_bytes(self.four()?)).ok().filter(|count| *count <= MOST)
    }

    fn number(&mut self) -> Option<f32> {
        Some(f32::from_le_bytes(self.four()?)).filter(|number| number.is_finite())
    }

    fn numbers(&mut self, count: usize) -> Option<Vec<f32>> {
        // No length is believed before the bytes are there.
        if self.0.len() / 4 < count {
            return None;
        }
        (0..count).map(|_| self.number()).collect()
    }

    fn stage(&mut self) -> Option<Vec<Written>> {
        (0..self.count()?).map(|_| self.branch()).collect()
    }

    fn branch(&mut self) -> Option<Written> {
        let (mut boosted, mut networks) = (Vec::new(), Vec::new());
        for _ in 0..self.count()? {
            match self.count()? {
                0 => boosted.push(self.boosted()?),
                1 => networks.push(self.network()?),
                _ => return None,
            }
        }
        // The first stage, which has none, writes a negative number of them.
        let count = i32::from_le_bytes(self.four()?).max(0) as usize;
        let sources = (0..count).map(|_| self.count()).collect::<Option<_>>()?;
        Some(Written { boosted, networks, sources })
    }

    fn boosted(&mut self) -> Option<Boosted> {
        let (count, bins) = (self.count()?, self.count()?);
        if count == 0 || count % GROUP != 0 || bins + 1 != BINS {
            return None;
        }
        let place = |reader: &mut Self| {
            let (x, y) = (reader.count()?, reader.count()?);
            (x <= FARTHEST && y <= FARTHEST).then_some((x, y))
        };
        let places: Vec<_> = (0..count).map(|_| place(self)).collect::<Option<_>>()?;
        let thresholds = self.numbers(count)?;
        let mut weak = Vec::new();
        for place in places {
            weak.push(Weak { place, weights: self.numbers(BINS)?.try_into().ok()? });
        }
        Some(Boosted { weak, thresholds: thresholds.into_iter().skip(GROUP - 1).step_by(GROUP).collect() })
    }

    fn network(&mut self) -> Option<Network> {
        let (layers, count) = (self.count()?, self.count()?);
        // They are counted from one.
        let patch = |reader: &mut Self| reader.count()?.checked_sub(1).filter(|patch| *patch < PATCHES);
        let patches: Vec<usize> = (0..count).map(|_| patch(self)).collect::<Option<_>>()?;
        let threshold = self.number()?;
        let mut inputs = self.count()?;
        let mut network = Network { patches, threshold, layers: Vec::new() };
        let is_whole = inputs == VALUES * network.patches.len() && inputs > 0;
        for _ in 1..layers {
            let outputs = self.count().filter(|outputs| *outputs > 0)?;
            let weights = self.numbers(inputs.checked_mul(outputs)?)?;
            network.layers.push(Layer { inputs, weights, biases: self.numbers(outputs)? });
            inputs = outputs;
        }
        (is_whole && inputs == OUTPUTS && !network.layers.is_empty()).then_some(network)
    }
}
