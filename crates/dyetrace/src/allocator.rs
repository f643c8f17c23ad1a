//! The allocator, and how it is set for a command that runs for hours beside what it records.

use libmimalloc_sys::{mi_option_set, mi_option_t};

/// See ARCHITECTURE.md, "Decisions".
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Milliseconds after which freed memory goes back to the system, 10 by default.
const PURGE_DELAY: mi_option_t = 15;
/// Blocks come from the system one by one and not out of arenas of a gibibyte, of which parts in use are spread
/// everywhere once many values were prepared for the search.
const DISALLOW_ARENA_ALLOC: mi_option_t = 27;

/// From now on memory goes back to the system soon after it is freed. Costs no CPU time that could be measured in a
/// recording, and keeps half of its memory free.
pub(crate) fn be_frugal() {
    // The library asks for pages of two mebibytes, of which much is never used. Where the system has none, all is well.
    #[cfg(target_os = "linux")]
    let _ = nix::sys::prctl::set_thp_disable(true);
    for (option, value) in [(PURGE_DELAY, 1), (DISALLOW_ARENA_ALLOC, 1)] {
        set(option, value);
    }
}

/// Gives freed memory back to the system at once, also that of threads that have ended.
pub(crate) fn give_back() {
    #[expect(unsafe_code, reason = "a C function without preconditions")]
    unsafe {
        libmimalloc_sys::mi_collect(true);
    }
}

#[expect(unsafe_code, reason = "a C function without preconditions; it writes one number of a table")]
fn set(option: mi_option_t, value: std::ffi::c_long) {
    unsafe { mi_option_set(option, value) };
}

#[cfg(test)]
mod tests {
    use super::*;
    use libmimalloc_sys::mi_option_get;

    #[expect(unsafe_code, reason = "a C function without preconditions; it reads one number of a table")]
    fn get(option: mi_option_t) -> std::ffi::c_long {
        unsafe { mi_option_get(option) }
    }

    /// The bindings do not name them, and another version of the library could count them otherwise.
    #[test]
    fn the_options_have_the_numbers_of_the_library() {
        assert_eq!([PURGE_DELAY, DISALLOW_ARENA_ALLOC].map(get), [10, 0], "the documented defaults");
        be_frugal();
        assert_eq!([PURGE_DELAY, DISALLOW_ARENA_ALLOC].map(get), [1, 1]);
    }
}
