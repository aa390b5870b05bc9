//! The stream assembler against a naive model, on scripts read from arbitrary bytes.

use super::stream_model;

/// The assembler and the model agree.
pub fn check(bytes: &[u8]) {
    stream_model::check(&stream_model::decode(bytes));
}
