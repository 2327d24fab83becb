//! See `graflow_torture::fuzzing`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| graflow_torture::fuzzing::run("segment", data));
