#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dyetrace_breach::fuzzing::scan(data));
