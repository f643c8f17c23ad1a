//! From what was sent in which run to the fields that follow a datum.

use super::collect::{Collector, Kept};
use super::partition::{
    Divisions, MOST_RUNS, MOST_STEPS, Partition, Runs, by_label, is_contiguous, restricted, sizes, ways,
};
use dyetrace_case::{Alternative, DatumId, Differential, Follows, Secret, Shape};
use std::collections::{BTreeMap, BTreeSet};

/// How the runs were planned.
#[derive(Debug, Clone, Default)]
pub struct Design {
    /// The runs in the order of the case; a run's place here is its number in [`Collector::add`].
    pub runs: Vec<RunDesign>,
}

/// What is planned for one run.
#[derive(Debug, Clone, Default)]
pub struct RunDesign {
    /// Its name.
    pub id: String,
    /// The values planted in it. A run without any is not compared.
    pub values: BTreeMap<DatumId, Secret>,
    /// What else distinguishes it, by name: installation, device, product.
    pub conditions: BTreeMap<String, String>,
}

/// What comparing runs gave.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Analysis {
    /// Fields that follow a datum: by value first, then by length only; by datum, shape and name.
    pub findings: Vec<Differential>,
    /// What the plan of the runs allows, and what was left out, in words.
    pub notes: Vec<String>,
}

impl Design {
    /// True where runs differ in a planted value, so that there is something to compare.
    pub fn compares(&self) -> bool {
        let mut planted = self.runs.iter().map(|run| &run.values).filter(|values| !values.is_empty());
        planted.next().is_some_and(|first| planted.any(|other| other != first))
    }
}

/// Compares the runs. The same runs give the same answer.
pub fn analyse(design: &Design, collected: &Collector) -> Analysis {
    if !design.compares() {
        return Analysis::default();
    }
    let plan = Plan::new(design, collected);
    let mut lanes: Vec<Lane<'_>> = Vec::new();
    for follows in [Follows::Value, Follows::Length] {
        lanes.extend(plan.lanes(follows, collected));
    }
    let mut steps = MOST_STEPS;
    for lane in &mut lanes {
        lane.count(&mut steps);
    }
    let correction = Correction::new(&lanes);
    let mut findings: Vec<Differential> = lanes.iter().flat_map(|lane| lane.findings(&plan, &correction)).collect();
    findings.sort_by(|a, b| order_of(a).cmp(&order_of(b)));
    Analysis { findings, notes: plan.notes(collected, &lanes) }
}

fn order_of(finding: &Differential) -> (Follows, &[DatumId], &Shape, &str) {
    (finding.follows, &finding.data, &finding.shape, &finding.field)
}

/// One way in which the planted values divide the runs.
#[derive(Debug, Clone)]
struct Labelling {
    data: BTreeSet<DatumId>,
    together: bool,
    partition: Partition,
}

struct Plan<'d> {
    design: &'d Design,
    /// Runs that have planted values and gave records.
    active: Runs,
    by_value: Vec<Labelling>,
    by_length: Vec<Labelling>,
    /// Runs with all values equal.
    arms: Partition,
    /// The runs in the order in which they were recorded.
    order: Vec<usize>,
}

impl<'d> Plan<'d> {
    fn new(design: &'d Design, collected: &Collector) -> Self {
        let planted = |(_, run): &(usize, &RunDesign)| !run.values.is_empty();
        let with_values =
            design.runs.iter().enumerate().take(MOST_RUNS).filter(planted).fold(0, |set, (n, _)| set | 1 << n);
        let active = with_values & collected.seen;
        let arms = restricted(&by_label(&labels(design, |run| &run.values)), active);
        let mut order: Vec<usize> =
            (0..design.runs.len().min(MOST_RUNS)).filter(|run| active >> run & 1 == 1).collect();
        if order.iter().all(|run| collected.began.contains_key(run)) {
            order.sort_by_key(|run| collected.began.get(run));
        }
        let mut plan = Self { design, active, by_value: Vec::new(), by_length: Vec::new(), arms, order };
        plan.by_value = plan.labellings(|value| value.reveal().to_vec());
        plan.by_length = plan.labellings(|value| value.len().to_be_bytes().to_vec());
        plan.add_together();
        plan
    }

    /// How each datum divides the runs, data with the same division together.
    fn labellings(&self, label: impl Fn(&Secret) -> Vec<u8>) -> Vec<Labelling> {
        let ids: BTreeSet<&DatumId> = self.design.runs.iter().flat_map(|run| run.values.keys()).collect();
        let mut found: Vec<Labelling> = Vec::new();
        for id in ids {
            let labels = labels(self.design, |run| run.values.get(id).map(&label));
            let partition = restricted(&by_label(&labels), self.active);
            if partition.len() < 2 {
                continue;
            }
            match found.iter_mut().find(|labelling| labelling.partition == partition) {
                Some(labelling) => drop(labelling.data.insert(id.clone())),
                None => found.push(Labelling { data: [id.clone()].into(), together: false, partition }),
            }
        }
        found
    }

    /// All data that vary, taken together, where no datum alone divides the runs like that.
    fn add_together(&mut self) {
        let known = self.by_value.iter().any(|labelling| labelling.partition == self.arms);
        if self.arms.len() >= 2 && !known {
            let data = self.by_value.iter().flat_map(|labelling| labelling.data.iter().cloned()).collect();
            self.by_value.push(Labelling { data, together: true, partition: self.arms.clone() });
        }
    }

    /// The fields sent in the same runs, beside each division that these runs allow to test.
    fn lanes<'c>(&self, follows: Follows, collected: &'c Collector) -> Vec<Lane<'c>> {
        let mut by_runs: BTreeMap<Runs, Vec<Shown<'c>>> = BTreeMap::new();
        for kept in collected.fields.values() {
            let sent_in = kept.sent_in & self.active;
            if let Some(sets) = sets(kept, follows, self.active) {
                by_runs.entry(sent_in).or_default().push(Shown { kept, sets });
            }
        }
        let labellings = if follows == Follows::Value { &self.by_value } else { &self.by_length };
        let mut lanes = Vec::new();
        for (runs, fields) in by_runs {
            let mut divisions: BTreeMap<Partition, Vec<&Labelling>> = BTreeMap::new();
            for labelling in labellings {
                divisions.entry(restricted(&labelling.partition, runs)).or_default().push(labelling);
            }
            divisions.retain(|partition, _| is_testable(partition));
            lanes.extend((!divisions.is_empty()).then(|| Lane::new(follows, runs, fields, &divisions)));
        }
        lanes
    }

    /// Excluded and open alternatives of a division of some runs.
    fn alternatives(&self, partition: &[Runs], runs: Runs) -> (Vec<Alternative>, Vec<Alternative>) {
        let names: BTreeSet<&String> = self.design.runs.iter().flat_map(|run| run.conditions.keys()).collect();
        let mut all = vec![
            (Alternative::Time, is_contiguous(partition, &self.order)),
            (Alternative::Subject, restricted(&self.arms, runs) == partition),
        ];
        for name in names {
            let division = restricted(&by_label(&labels(self.design, |run| run.conditions.get(name))), runs);
            if division.len() > 1 {
                all.push((Alternative::Condition(name.clone()), division == partition));
            }
        }
        let pick = |open: bool| all.iter().filter(|(_, is)| *is == open).map(|(what, _)| what.clone()).collect();
        (pick(false), pick(true))
    }

    fn names(&self, partition: &[Runs]) -> Vec<Vec<String>> {
        let mut blocks = partition.to_vec();
        blocks.sort_by_key(|block| block.trailing_zeros());
        let name = |block: &Runs| {
            let runs = self.design.runs.iter().enumerate().take(MOST_RUNS);
            runs.filter(|(number, _)| block >> number & 1 == 1).map(|(_, run)| run.id.clone()).collect()
        };
        blocks.iter().map(name).collect()
    }

    fn notes(&self, collected: &Collector, lanes: &[Lane<'_>]) -> Vec<String> {
        let mut notes = vec![self.summary(collected)];
        if !self.by_value.iter().any(|labelling| is_testable(&labelling.partition)) {
            notes.push(
                "no run repeats another, so what follows a value cannot be told from what is new in every run: \
                 record each subject at least twice"
                    .to_owned(),
            );
        }
        let (constant, silent) = (self.constant(), self.silent(collected));
        if !constant.is_empty() {
            notes.push(format!("the same in all runs, so nothing can be seen to follow: {}", constant.join(", ")));
        }
        if !silent.is_empty() {
            notes.push(format!("without records or planted values, and not compared: {}", silent.join(", ")));
        }
        if self.design.runs.len() > MOST_RUNS {
            notes.push(format!("only the first {MOST_RUNS} runs were compared"));
        }
        if collected.is_cut() || collected.cut_records > 0 {
            notes.push("there were more fields than are compared; some were left out".to_owned());
        }
        if lanes.iter().any(Lane::gave_up) {
            notes.push(
                "there were too many divisions of the runs to count: chance is taken for certain there".to_owned(),
            );
        }
        notes
    }

    fn summary(&self, collected: &Collector) -> String {
        let fields = collected.fields.values().filter(|kept| (kept.sent_in & self.active).count_ones() > 1).count();
        let (runs, arms) = (self.active.count_ones(), self.arms.len());
        format!("{fields} fields of {runs} runs with {arms} sets of values were compared")
    }

    fn constant(&self) -> Vec<&str> {
        let ids: BTreeSet<&DatumId> = self.design.runs.iter().flat_map(|run| run.values.keys()).collect();
        let varies = |id: &DatumId| self.by_value.iter().any(|labelling| labelling.data.contains(id));
        ids.into_iter().filter(|id| !varies(id)).map(|id| id.0.as_str()).collect()
    }

    fn silent(&self, collected: &Collector) -> Vec<&str> {
        let is_silent = |number: usize, run: &RunDesign| run.values.is_empty() || collected.seen >> number & 1 == 0;
        let runs = self.design.runs.iter().enumerate().take(MOST_RUNS);
        runs.filter(|(number, run)| is_silent(*number, run)).map(|(_, run)| run.id.as_str()).collect()
    }
}

/// One label for each run.
fn labels<'d, T>(design: &'d Design, label: impl Fn(&'d RunDesign) -> T) -> Vec<T> {
    design.runs.iter().map(label).collect()
}

/// True where chance could divide the runs otherwise.
fn is_testable(partition: &[Runs]) -> bool {
    partition.len() > 1 && partition.iter().any(|block| block.count_ones() > 1)
}

/// For each content (or length) of a field, the runs in which it was sent. A length counts only
/// where no content was sent in two runs: elsewhere the content itself is what is compared.
fn sets(kept: &Kept, follows: Follows, active: Runs) -> Option<BTreeSet<Runs>> {
    let again = kept.contents.values().any(|seen| (seen.runs & active).count_ones() > 1);
    let sets: BTreeSet<Runs> = match follows {
        Follows::Value if kept.too_many => return None,
        Follows::Value => kept.contents.values().map(|seen| seen.runs & active).collect(),
        Follows::Length if again || !kept.knows_lengths() => return None,
        Follows::Length => kept.lengths.values().map(|runs| runs & active).collect(),
    };
    Some(sets).filter(|sets| sets.iter().any(|set| set.count_ones() > 1))
}

/// A field and the sets of runs that its contents or lengths show.
struct Shown<'c> {
    kept: &'c Kept,
    sets: BTreeSet<Runs>,
}

/// Fields sent in the same runs, and the divisions of these runs that are tested.
struct Lane<'c> {
    follows: Follows,
    runs: Runs,
    fields: Vec<Shown<'c>>,
    tests: Vec<Test>,
}

/// One division of the runs by planted values, against all that fields show.
struct Test {
    partition: Partition,
    data: BTreeSet<DatumId>,
    together: bool,
    shown: Divisions,
    ways: f64,
}

impl Test {
    fn new(partition: &Partition, labellings: &[&Labelling], runs: Runs) -> Self {
        let alone = labellings.iter().any(|labelling| !labelling.together);
        let of = labellings.iter().filter(|labelling| labelling.together != alone);
        let sizes = sizes(partition);
        Self {
            partition: partition.clone(),
            data: of.flat_map(|labelling| labelling.data.iter().cloned()).collect(),
            together: !alone,
            ways: ways(&sizes),
            shown: Divisions::new(sizes, runs),
        }
    }

    /// The chance that some field shows this division by accident.
    fn chance(&self) -> f64 {
        self.shown.count() / self.ways
    }
}

impl<'c> Lane<'c> {
    fn new(
        follows: Follows,
        runs: Runs,
        fields: Vec<Shown<'c>>,
        divisions: &BTreeMap<Partition, Vec<&Labelling>>,
    ) -> Self {
        let tests = divisions.iter().map(|(partition, labellings)| Test::new(partition, labellings, runs)).collect();
        Self { follows, runs, fields, tests }
    }

    fn count(&mut self, steps: &mut u64) {
        for test in &mut self.tests {
            for field in &self.fields {
                test.shown.add(&field.sets, steps);
            }
        }
    }

    fn gave_up(&self) -> bool {
        self.tests.iter().any(|test| test.shown.gave_up())
    }

    fn findings(&self, plan: &Plan<'_>, correction: &Correction) -> Vec<Differential> {
        let mut findings = Vec::new();
        for test in &self.tests {
            for field in &self.fields {
                if test.partition.iter().all(|block| field.sets.contains(block)) {
                    findings.push(self.finding(field.kept, test, plan, correction));
                }
            }
        }
        findings
    }

    fn finding(&self, kept: &Kept, test: &Test, plan: &Plan<'_>, correction: &Correction) -> Differential {
        let (excluded, open) = plan.alternatives(&test.partition, self.runs);
        let in_block = |runs: Runs| test.partition.contains(&(runs & self.runs));
        let contents = || kept.contents.values().filter(|seen| in_block(seen.runs));
        let lengths: Vec<u64> = match self.follows {
            Follows::Value => contents().map(|seen| seen.length).collect(),
            Follows::Length => kept.lengths.iter().filter(|(_, runs)| in_block(**runs)).map(|(n, _)| *n).collect(),
        };
        let class = match self.follows {
            Follows::Value => contents().map(|seen| seen.class).max().unwrap_or(kept.class),
            Follows::Length => kept.class,
        };
        let shortest = lengths.iter().copied().min().unwrap_or(0);
        Differential {
            data: test.data.iter().cloned().collect(),
            together: test.together,
            follows: self.follows,
            shape: Shape::clone(&kept.shape),
            field: kept.name.clone(),
            class: class.name(),
            lengths: (shortest, lengths.iter().copied().max().unwrap_or(0)),
            content_bits: if self.follows == Follows::Value { shortest as f64 * class.bits() } else { 0.0 },
            blocks: plan.names(&test.partition),
            chance: 1.0 / test.ways,
            chance_of_any: correction.of(test),
            excluded,
            open,
            also_seen: kept.also_seen,
        }
    }
}

/// Tests that could err are corrected for their number (Bonferroni), those apart that could never
/// reach the level because their runs are too few (Tarone, Biometrics 46, 1990).
struct Correction {
    all: f64,
    able: f64,
}

impl Correction {
    fn new(lanes: &[Lane<'_>]) -> Self {
        let tests = lanes.iter().flat_map(|lane| &lane.tests).filter(|test| test.shown.count() > 0.5);
        let ways: Vec<f64> = tests.map(|test| test.ways).collect();
        let able = |times: usize| ways.iter().filter(|ways| 1.0 / **ways <= Differential::SOLID / times as f64).count();
        let fewest = (1..=ways.len()).find(|times| able(*times) <= *times).unwrap_or(1);
        Self { all: ways.len().max(1) as f64, able: fewest as f64 }
    }

    fn of(&self, test: &Test) -> f64 {
        let able = 1.0 / test.ways <= Differential::SOLID / self.able;
        (test.chance() * if able { self.able } else { self.all }).min(1.0)
    }
}
