#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dyetrace_check::fuzzing::index(data));
