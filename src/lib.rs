//! Tamperscope shows, from packets alone, that somebody interfered with a connection.

pub mod capture;
pub mod cli;
pub mod correlate;
pub mod decode;
pub mod detect;
pub mod evidence;
pub mod flow;
pub mod pipeline;
pub mod protocol;
pub mod report;
pub mod stream;
pub mod verdict;
pub mod wire;
