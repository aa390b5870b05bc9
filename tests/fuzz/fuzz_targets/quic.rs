//! `bodies/quic.rs` under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tamperscope_fuzz::quic::check(bytes));
