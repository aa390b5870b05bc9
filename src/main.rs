//! Parses the command line, runs it, exits with the status of the contract.
fn main() {}
