//! Comparing the runs of a case that planted different values.

use crate::intake::Intake;
use crate::pipeline::Plan;
use dyetrace_case::{Case, Run};
use dyetrace_report::audit::Compared;
use dyetrace_search::differential::{Collector, Design, RunDesign, analyse};

/// A case whose runs differ in planted values.
pub(crate) struct Comparison {
    design: Design,
    /// The run of each exhibit, in the order of [`Intake::exhibits`].
    run_of: Vec<Option<usize>>,
}

impl Comparison {
    /// The comparison that the case plans; `None` where all runs planted the same.
    pub(crate) fn planned(intake: &Intake) -> Option<Self> {
        let case = intake.case.as_ref()?;
        let design = Design { runs: case.file.runs.iter().map(|run| run_design(case, run)).collect() };
        let number = |path: &str| case.file.runs.iter().position(|run| run.exhibits.iter().any(|other| other == path));
        let run_of = intake.exhibits.iter().map(|opened| number(&opened.exhibit().path)).collect();
        design.compares().then_some(Self { design, run_of })
    }

    /// The number of the run that an exhibit belongs to.
    pub(crate) fn run_of(&self, exhibit: usize) -> Option<usize> {
        self.run_of.get(exhibit).copied().flatten()
    }

    /// What follows a planted value, with the texts of the evidence redacted.
    pub(crate) fn compared(&self, collected: &Collector, plan: &Plan<'_>) -> Compared {
        let mut analysis = analyse(&self.design, collected);
        for finding in &mut analysis.findings {
            let shape = &mut finding.shape;
            for text in [&mut shape.host, &mut shape.method, &mut shape.path, &mut finding.field] {
                *text = plan.redact(text);
            }
        }
        Compared { findings: analysis.findings, notes: analysis.notes }
    }
}

fn run_design(case: &Case, run: &Run) -> RunDesign {
    let data = case.subject_of(run).into_iter().flat_map(|subject| &subject.data);
    let mut conditions = run.conditions.clone();
    if let Some(product) = &run.product {
        let parts = [product.vendor.as_ref(), Some(&product.name), product.version.as_ref(), product.platform.as_ref()];
        let product = parts.into_iter().flatten().cloned().collect::<Vec<_>>().join(" ");
        conditions.entry("product".to_owned()).or_insert(product);
    }
    RunDesign {
        id: run.id.clone(),
        values: data.map(|datum| (datum.id.clone(), datum.value.clone())).collect(),
        conditions,
    }
}
