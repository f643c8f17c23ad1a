#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dyetrace_pictures::fuzzing::decode(data));
