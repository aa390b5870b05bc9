//! The user's `--filter`, compiled by libpcap once for each link type.

use pcap::{BpfProgram, Capture, Linktype};

use crate::wire::LinkType;

/// An expression and its programs.
pub(super) struct Filter {
    expression: String,
    /// What became of the expression for each link type met so far.
    programs: Vec<(LinkType, Result<BpfProgram, String>)>,
}

impl Filter {
    pub(super) fn new(expression: &str) -> Self {
        Self { expression: expression.to_owned(), programs: Vec::new() }
    }

    /// Compiles the expression for `link`, if that was not done; the error is libpcap's.
    pub(super) fn compile(&mut self, link: LinkType) -> Result<&BpfProgram, &str> {
        let found = self.programs.iter().position(|(known, _)| *known == link);
        if found.is_none() {
            if self.programs.len() >= MAX_PROGRAMS {
                return Err("too many different link types");
            }
            self.programs.push((link, compile(&self.expression, link)));
        }
        match found.map_or_else(|| self.programs.last(), |index| self.programs.get(index)) {
            Some((_, Ok(program))) => Ok(program),
            Some((_, Err(message))) => Err(message),
            None => Err("no program"),
        }
    }

    /// True if the packet passes; never for a link type for which the filter does not compile.
    pub(super) fn admits(&mut self, link: LinkType, bytes: &[u8]) -> bool {
        self.compile(link).is_ok_and(|program| program.filter(bytes))
    }
}

fn compile(expression: &str, link: LinkType) -> Result<BpfProgram, String> {
    let capture = Capture::dead(Linktype(data_link(link))).map_err(message)?;
    capture.compile(expression, true).map_err(message)
}

fn message(error: pcap::Error) -> String {
    match error {
        pcap::Error::PcapError(text) => text,
        other => other.to_string(),
    }
}

/// The number by which libpcap knows a link type in memory; files have their own for those that
/// differed among systems (`linktype_to_dlt` of pcap-common.c).
fn data_link(link: LinkType) -> i32 {
    match link.0 {
        100 => 11,
        101 => 12,
        102 => 15,
        103 => 16,
        106 => 19,
        246 => 18,
        other => i32::from(other),
    }
}

const MAX_PROGRAMS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    const ETHERNET: LinkType = LinkType(1);
    const RAW: LinkType = LinkType(101);

    #[test]
    fn a_program_is_compiled_for_each_link_type() {
        let mut filter = Filter::new("ip proto 6");
        let mut ip = [0_u8; 40];
        ip[0] = 0x45;
        ip[9] = 6;
        let ethernet: Vec<u8> = [0; 12].into_iter().chain([8, 0]).chain(ip).collect();
        assert!(filter.admits(ETHERNET, &ethernet));
        assert!(filter.admits(RAW, &ip));
        assert!(!filter.admits(ETHERNET, &ip));
        assert!(!filter.admits(RAW, &[]));
    }

    #[test]
    fn what_does_not_compile_says_so_in_the_words_of_libpcap() {
        let error = |text: &str, link| Filter::new(text).compile(link).err().map(str::to_owned);
        assert!(error("tcp prot 80", ETHERNET).is_some_and(|text| text.contains("syntax error")));
        assert!(error("wlan type mgt", ETHERNET).is_some());
        assert!(error("tcp port 80", LinkType(249)).is_some(), "USB has no TCP");
        assert!(error("tcp\0", ETHERNET).is_some());
    }

    #[test]
    fn link_types_are_compiled_for_only_so_often() {
        let mut filter = Filter::new("less 100");
        let compiled = (0..1_000).filter(|link| filter.compile(LinkType(*link)).is_ok()).count();
        assert!(compiled <= MAX_PROGRAMS && filter.programs.len() == MAX_PROGRAMS);
    }
}
