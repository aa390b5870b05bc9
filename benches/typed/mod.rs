//! What was typed behind `cargo bench --bench NAME --`.

/// The arguments, without the `--bench` that cargo adds; none where a test runner asks what there is
/// to test: nothing.
pub(crate) fn typed() -> Option<Vec<String>> {
    let all: Vec<String> = std::env::args().skip(1).collect();
    let benched = all.iter().any(|argument| argument == "--bench");
    benched.then(|| all.into_iter().filter(|argument| argument != "--bench").collect())
}
