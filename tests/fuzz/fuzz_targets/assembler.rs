//! The stream assembler against a naive model, on scripts read from arbitrary bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../stream_model/mod.rs"]
mod stream_model;

fuzz_target!(|bytes: &[u8]| stream_model::check(&stream_model::decode(bytes)));
