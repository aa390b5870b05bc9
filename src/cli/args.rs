//! What can be typed.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::evidence::Confidence;

/// Shows, from packets alone, that somebody interfered with a connection.
#[derive(Parser, Debug)]
#[command(name = "tamperscope", version, about, propagate_version = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Subcommand, Debug)]
pub(super) enum Command {
    /// Read recorded captures and tell what was interfered with
    Analyze(AnalyzeArguments),
    /// Tell what a signal means, what it proves, and what innocent causes it has
    Explain {
        /// A name of the catalogue; all of them if none is given
        signal: Option<String>,
    },
    /// Print a completion script
    Completions {
        /// The shell it is for
        shell: Shell,
    },
    /// Print the manual page
    Man,
}

#[derive(Args, Debug)]
pub(super) struct AnalyzeArguments {
    /// Captures (pcap, pcapng, snoop; plain, gzip or zstd), directories of them, or - for
    /// standard input. Several are one recording, in the order of their first packets
    #[arg(required = true, value_name = "CAPTURE")]
    pub(super) captures: Vec<PathBuf>,
    /// Form of the results
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(super) format: Format,
    /// Also print flow records
    #[arg(long)]
    pub(super) flows: bool,
    /// Leave out findings that are less sure than this
    #[arg(long, value_enum, default_value_t = Level::Possible, value_name = "LEVEL")]
    pub(super) min_confidence: Level,
    /// Exit with status 4 if a finding is at least this sure
    #[arg(long, value_enum, value_name = "LEVEL")]
    pub(super) fail_on: Option<Level>,
    /// Analyse only frames that this capture filter (pcap-filter(7)) matches
    #[arg(long, value_name = "BPF")]
    pub(super) filter: Option<String>,
    /// A list of block-page fingerprints (OONI, Citizen Lab or Censored Planet); may be repeated
    #[arg(long, value_name = "FILE")]
    pub(super) fingerprints: Vec<PathBuf>,
    /// Which names belong to one service, a line each: `service: name, name, .suffix`; may be
    /// repeated. Names of one registrable domain belong together without it
    #[arg(long, value_name = "FILE")]
    pub(super) services: Vec<PathBuf>,
    /// Threads that analyse, if there is memory for so many; by default as many as there are cores
    #[arg(long, value_name = "N")]
    pub(super) lanes: Option<NonZeroUsize>,
    /// Flows to keep at once; beyond that, half-open ones go first
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = flows)]
    pub(super) max_flows: u64,
    /// Memory to use, as 512M or 2G, 40M at least; beyond that, half-open flows go first. By default
    /// 1G, or 256M for each thread where that is more
    #[arg(long, value_name = "BYTES", value_parser = bytes)]
    pub(super) max_memory: Option<u64>,
    /// Record the SHA-256 of each capture file
    #[arg(long)]
    pub(super) hash: bool,
    /// When to use colour
    #[arg(long, value_enum, default_value_t = Colour::Auto, value_name = "WHEN")]
    pub(super) color: Colour,
    /// Say nothing on standard error but errors
    #[arg(long, short)]
    pub(super) quiet: bool,
    /// Show no progress bar
    #[arg(long)]
    pub(super) no_progress: bool,
}

/// Form of the results.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
pub(super) enum Format {
    /// For people
    Text,
    /// One JSON record a line
    Jsonl,
    /// One object of the shape of Suricata's EVE a line
    Eve,
}

/// When to use colour.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
pub(super) enum Colour {
    /// On a terminal
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// A level of confidence.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
pub(super) enum Level {
    /// All findings
    Possible,
    /// Independent facts agree
    Likely,
    /// The packets prove it
    Confirmed,
}

impl From<Level> for Confidence {
    fn from(level: Level) -> Self {
        match level {
            Level::Possible => Self::Possible,
            Level::Likely => Self::Likely,
            Level::Confirmed => Self::Confirmed,
        }
    }
}

fn flows(text: &str) -> Result<u64, String> {
    match text.parse() {
        Ok(0) => Err("at least one flow is needed".to_owned()),
        Ok(flows) => Ok(flows),
        Err(error) => Err(format!("not a number of flows: {error}")),
    }
}

/// Bytes with an optional binary unit: `65536`, `64K`, `512M`, `2G`.
fn bytes(text: &str) -> Result<u64, String> {
    let (digits, shift) = match text.char_indices().next_back() {
        Some((end, 'k' | 'K')) => (text.get(..end), 10),
        Some((end, 'm' | 'M')) => (text.get(..end), 20),
        Some((end, 'g' | 'G')) => (text.get(..end), 30),
        _ => (Some(text), 0),
    };
    let number: u64 = digits
        .unwrap_or_default()
        .parse()
        .map_err(|error| format!("not a number of bytes such as 512M: {error}"))?;
    number.checked_mul(1 << shift).ok_or_else(|| "more bytes than there are".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn bytes_take_binary_units() {
        assert_eq!(bytes("65536"), Ok(65_536));
        assert_eq!(bytes("512M"), Ok(512 << 20));
        assert_eq!(bytes("2g"), Ok(2 << 30));
        assert!(bytes("99999999999999G").is_err());
        assert!(bytes("").is_err() && bytes("G").is_err() && bytes("-1").is_err());
    }
}
