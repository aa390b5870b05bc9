use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};

use super::*;
use crate::report::sample;

/// The names that the contract fixes, member by member; a dot leads into an object or a list.
const CONTRACT: [(&str, &str); 5] = [
    (
        "capture",
        "path bytes sha256 format compression interfaces interfaces.link_type interfaces.snaplen \
         interfaces.time_resolution packets first last packets_truncated skipped damage \
         damage.offset damage.reason capture_drops",
    ),
    (
        "flow",
        "flow community_id proto client client.ip client.port server server.ip server.port roles \
         capture first_frame last_frame first last packets packets.to_server packets.to_client \
         bytes bytes.to_server bytes.to_client handshake_rtt_us tls tls.sni tls.alpn tls.versions \
         tls.ech tls.ja4 tls.server_version tls.certificate_sha256 quic quic.version quic.sni \
         quic.alpn http http.host http.method http.target http.frame http.status \
         http.status_frame dns dns.id dns.name dns.type dns.frame dns.answers dns.answers.frame \
         dns.answers.rcode dns.answers.data end gaps tampering_signature",
    ),
    (
        "finding",
        "id kind confidence score host host_source flow community_id proto client client.ip \
         client.port server server.ip server.port capture time trigger_frame forged_frames \
         genuine_frames evidence evidence.signal evidence.frame evidence.expected \
         evidence.observed evidence.weight evidence.text against against.signal alternatives \
         residual_of injector injector.direction injector.initial_ttl injector.hops_min \
         injector.hops_max injector.server_hops injector.fingerprint injector.in_path block_page \
         block_page.status block_page.title block_page.charset block_page.text \
         block_page.sha256 block_page.location block_page.fingerprint",
    ),
    (
        "host",
        "host accesses clients interfered untouched unclear first_interfered last_interfered \
         verdict clients_interfered clients_untouched domain service interfered_in \
         interfered_in.flow interfered_in.client interfered_in.capture interfered_in.frame \
         interfered_in.time untouched_in first_untouched last_untouched",
    ),
    (
        "summary",
        "packets bytes flows findings reach reach.connections reach.to_server_only \
         reach.to_client_only reach.without_handshake reach.near_server reach.out_of_reach \
         services services.service services.by services.verdict services.hosts services.clients \
         services.clients_interfered services.clients_let_through services.let_through \
         services.first_interfered services.last_interfered limits tool tool.name tool.version tool.commit \
         tool.signals_version tool.fingerprints tool.fingerprints.name tool.fingerprints.sha256 \
         tool.fingerprints.entries tool.services",
    ),
];

/// The schema of one type of record.
fn record<'a>(schema: &'a Value, name: &str) -> &'a Value {
    let variants = schema["oneOf"].as_array().expect("records are told apart");
    let found = variants.iter().find(|variant| variant["properties"]["type"]["const"] == name);
    found.unwrap_or_else(|| panic!("no schema for {name}"))
}

/// The object schemas that `schema` stands for, behind references, lists and `null`.
fn objects<'a>(root: &'a Value, schema: &'a Value) -> Vec<&'a Value> {
    if let Some(reference) = schema["$ref"].as_str() {
        let pointer = reference.strip_prefix('#').expect("references are local");
        let mut found = objects(root, root.pointer(pointer).expect("and not dangling"));
        found.push(schema);
        return found;
    }
    let branches = ["anyOf", "oneOf", "allOf"].iter().filter_map(|word| schema[word].as_array());
    let mut found: Vec<_> = branches.flatten().flat_map(|branch| objects(root, branch)).collect();
    if schema.get("items").is_some() {
        found.extend(objects(root, &schema["items"]));
    }
    found.push(schema);
    found
}

fn validator() -> jsonschema::Validator {
    jsonschema::draft202012::new(&schema()).expect("the schema is one")
}

fn samples() -> Vec<Value> {
    let stories = [
        sample::blocked(),
        sample::quiet(),
        sample::several_files(),
        sample::damaged(),
        sample::hostile(),
    ];
    let lines: String = stories.iter().map(sample::json_lines).collect();
    lines.lines().map(|line| serde_json::from_str(line).expect("it is JSON")).collect()
}

#[test]
fn the_copy_in_the_tree_is_the_schema() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/report/records.schema.json");
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(&path, schema_text()).expect("the tree can be written");
    }
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    let kept: Value = serde_json::from_str(&text).unwrap_or_default();
    assert!(kept == schema(), "run the tests with UPDATE_SCHEMA=1 and review the difference");
}

#[test]
fn the_schema_is_a_schema() {
    assert!(jsonschema::draft202012::meta::is_valid(&schema()));
    assert_eq!(schema()["$schema"], "https://json-schema.org/draft/2020-12/schema");
}

#[test]
fn every_name_of_the_contract_is_there_and_required() {
    let schema = schema();
    for (name, members) in CONTRACT {
        for path in members.split_whitespace().chain(["type", "version"]) {
            let mut here = objects(&schema, record(&schema, name));
            for step in path.split('.') {
                let holder = here.iter().find(|object| object["properties"].get(step).is_some());
                let holder = holder.unwrap_or_else(|| panic!("{name}: no {path}"));
                let required = holder["required"].as_array().expect("some are");
                assert!(required.contains(&json!(step)), "{name}: {path} is optional");
                here = objects(&schema, &holder["properties"][step]);
            }
        }
    }
}

#[test]
fn all_sample_records_are_valid() {
    let validator = validator();
    let mut types = BTreeSet::new();
    for record in samples() {
        let errors: Vec<_> = validator.iter_errors(&record).map(|e| e.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?}: {record}");
        types.insert(record["type"].as_str().expect("it has one").to_owned());
    }
    assert_eq!(
        types.into_iter().collect::<Vec<_>>(),
        ["capture", "finding", "flow", "host", "summary"]
    );
}

#[test]
fn a_record_that_lacks_a_member_is_refused() {
    let validator = validator();
    for record in samples().iter().filter(|record| validator.is_valid(record)) {
        for name in record.as_object().expect("records are objects").keys() {
            let mut broken = record.clone();
            broken.as_object_mut().expect("it is one").remove(name);
            assert!(!validator.is_valid(&broken), "{name} may be absent from {record}");
        }
    }
}

#[test]
fn values_of_another_kind_are_refused() {
    let validator = validator();
    let cases = [
        ("", "type", json!("report")),
        ("", "version", json!(2)),
        ("flow", "proto", json!("TCP")),
        ("flow", "first_frame", json!(0)),
        ("flow", "client", json!("10.0.0.1:80")),
        ("flow", "end", json!(null)),
        ("finding", "kind", json!("rst")),
        ("finding", "confidence", json!(0.9)),
        ("finding", "forged_frames", json!(null)),
        ("finding", "evidence", json!([{"signal": "no_such_signal"}])),
        ("host", "interfered", json!({"reset": "3"})),
        ("host", "verdict", json!("censored")),
        ("capture", "damage", json!({"offset": 3})),
        ("summary", "services", json!([{"service": "instagram.com"}])),
        ("summary", "tool", json!("tamperscope 0.1.0")),
    ];
    for (name, member, value) in cases {
        let found = samples().into_iter().find(|record| name.is_empty() || record["type"] == name);
        let mut record = found.expect("each type has a sample");
        record[member] = value;
        assert!(!validator.is_valid(&record), "{name}: {member} is {}", record[member]);
    }
}

#[test]
fn a_member_of_a_later_version_is_let_through() {
    let validator = validator();
    for mut record in samples() {
        record["added_later"] = json!(true);
        assert!(validator.is_valid(&record));
    }
}
