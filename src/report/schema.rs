//! The JSON Schema of the records of `--format jsonl`.
//!
//! It is made from the record types, and a copy lies beside this file (`records.schema.json`) for
//! programs that read the records; a test keeps the two equal. The schema says which members are
//! always there and of which type they are. It does not forbid others: later versions add some.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::Value;

use crate::evidence::{CaptureRecord, Finding, FlowRecord, HostRecord, RECORD_VERSION, Summary};

/// The schema of one line, JSON Schema draft 2020-12.
pub fn schema() -> Value {
    SchemaSettings::draft2020_12()
        .for_serialize()
        .into_generator()
        .into_root_schema_for::<Record>()
        .into()
}

/// The same as text, as it is kept in `records.schema.json`.
pub fn schema_text() -> String {
    format!("{:#}\n", schema())
}

/// One line of `--format jsonl` of Tamperscope, told apart by `type`.
#[derive(JsonSchema)]
#[serde(tag = "type", rename_all = "lowercase")]
#[schemars(title = "Tamperscope record")]
#[expect(dead_code, reason = "it is only a shape: the records themselves are written borrowed")]
enum Record {
    /// What was read of one capture file.
    Capture(Versioned<CaptureRecord>),
    /// One flow.
    Flow(Versioned<FlowRecord>),
    /// Interference in one flow, with its evidence.
    Finding(Versioned<Finding>),
    /// What happened to one host name, over all flows.
    Host(Versioned<HostRecord>),
    /// Totals; the last record.
    Summary(Versioned<Summary>),
}

#[derive(JsonSchema)]
#[schemars(inline)]
#[expect(dead_code, reason = "as above")]
struct Versioned<T> {
    version: Version,
    #[serde(flatten)]
    body: T,
}

/// Stands for [`RECORD_VERSION`].
struct Version;

impl JsonSchema for Version {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Version".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({"type": "integer", "const": RECORD_VERSION})
    }
}

#[cfg(test)]
mod tests;
