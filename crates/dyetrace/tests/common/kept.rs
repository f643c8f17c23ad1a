//! What the tests of looking at pictures with models share: whether models are there, and cases with pictures.

use super::{dyetrace, stderr, stdout, with_models};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Where a model is installed; absent where it is not, which is said.
///
/// # Panics
/// It is not, and `DYETRACE_NEEDS_MODELS` is set.
pub(crate) fn models(name: &str, is_built: bool) -> Option<PathBuf> {
    let named = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let base = || named("XDG_DATA_HOME").or_else(|| named("HOME").map(|home| home.join(".local/share")));
    let folder = named("DYETRACE_MODELS").or_else(|| base().map(|base| base.join("dyetrace/models")));
    let found = folder.filter(|folder| is_built && folder.join(name).exists());
    if found.is_none() {
        let needed = format!("needs {name} in DYETRACE_MODELS (dyetrace models install), and a build that uses it");
        assert!(named("DYETRACE_NEEDS_MODELS").is_none(), "{needed}");
        println!("skipped: {needed}");
    }
    found
}

/// A case with pictures that a product keeps, for as long as the test runs.
pub(crate) struct Kept(pub(crate) PathBuf);

impl Kept {
    pub(crate) fn new(name: &str, pictures: &[(&str, &[u8])], planted: &[(&str, &str)]) -> Self {
        let folder = std::env::temp_dir().join(format!("dyetrace-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(folder.join("app")).unwrap();
        std::fs::create_dir_all(folder.join("case")).unwrap();
        for (name, bytes) in pictures {
            std::fs::write(folder.join("app").join(name), bytes).unwrap();
        }
        let kept = Self(folder);
        std::fs::write(kept.0.join("case/case.yaml"), "format: 1\ntitle: Kept\nruns: [{ id: first }]\n").unwrap();
        let data: Vec<_> =
            planted.iter().map(|(kind, value)| format!("{{ kind: {kind}, value: \"{value}\" }}")).collect();
        std::fs::write(kept.0.join("case/subject.yaml"), format!("data: [{}]\n", data.join(", "))).unwrap();
        let packed = dyetrace(&["snapshot", &kept.case(), kept.0.join("app").to_str().unwrap()]);
        assert!(packed.status.success(), "{}", stderr(&packed));
        kept
    }

    pub(crate) fn case(&self) -> String {
        self.0.join("case").to_str().unwrap().to_owned()
    }

    pub(crate) fn audit(&self, models: &Path, more: &[&str]) -> String {
        let output = with_models(models, &[&["audit", &self.case()], more].concat());
        assert!(output.status.success(), "{}", stderr(&output));
        stdout(&output)
    }

    pub(crate) fn json(&self, models: &Path) -> Value {
        serde_json::from_str(&self.audit(models, &["--format", "json"])).unwrap()
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
