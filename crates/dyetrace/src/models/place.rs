//! Where models lie.

use crate::exit::Fault;
use std::path::PathBuf;

/// `DYETRACE_MODELS`, else `$XDG_DATA_HOME/dyetrace/models` (XDG Base Directory Specification 0.8, which says that
/// relative paths are invalid).
pub(super) fn folder() -> Result<PathBuf, Fault> {
    let named = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| !path.as_os_str().is_empty());
    let absolute = |name: &str| named(name).filter(|path| path.is_absolute());
    let of_user = || {
        let base = absolute("XDG_DATA_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local/share")));
        base.map(|base| base.join("dyetrace/models"))
    };
    named("DYETRACE_MODELS").or_else(of_user).ok_or_else(|| {
        Fault::new("neither XDG_DATA_HOME nor HOME names a folder").hint("name one: DYETRACE_MODELS=FOLDER")
    })
}
