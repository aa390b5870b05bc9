//! What is told of a conversation, as far as it may not depend on the road.

use std::collections::BTreeMap;

use tamperscope::evidence::{Confidence, Kind};
use tamperscope::pipeline::Analysis;

/// Names, exchanges and findings.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(crate) struct Told {
    /// Each host with its verdict.
    pub(crate) hosts: BTreeMap<String, String>,
    /// Client, name and JA4 of each TLS connection.
    pub(crate) tls: Vec<String>,
    /// Client, host, target and status of each exchange.
    pub(crate) http: Vec<String>,
    /// Kind, host and client of each finding that is at least `likely`.
    pub(crate) findings: Vec<(Kind, Option<String>, String)>,
}

/// A part of what is told, of which a road may take something away.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Part {
    Http,
    /// And with them the verdicts of hosts.
    Findings,
}

impl Told {
    pub(crate) fn by(analysis: &Analysis) -> Self {
        let mut told = Self::default();
        for host in &analysis.hosts {
            told.hosts.insert(host.host.clone(), host.verdict.name().to_owned());
        }
        for flow in &analysis.flows {
            told.tls.extend(
                flow.tls
                    .iter()
                    .map(|tls| format!("{} {tls_names}", flow.client, tls_names = names(tls))),
            );
            told.http.extend(flow.http.iter().map(|one| {
                format!(
                    "{} {:?} {:?} {:?} {:?}",
                    flow.client, one.host, one.method, one.target, one.status
                )
            }));
        }
        let sure = analysis.findings.iter().filter(|found| found.confidence >= Confidence::Likely);
        told.findings =
            sure.map(|found| (found.kind, found.host.clone(), found.client.to_string())).collect();
        told.tls.sort();
        told.http.sort();
        told.findings.sort();
        told
    }

    /// This, without what `other` lacks in `part`.
    pub(crate) fn without(&self, part: Part, other: &Self) -> Self {
        let mut less = self.clone();
        match part {
            // Of an exchange the answer is lost, not the request.
            Part::Http => {
                for (own, theirs) in less.http.iter_mut().zip(&other.http) {
                    let asked = theirs.strip_suffix(" None");
                    if asked.is_some_and(|asked| own.starts_with(asked)) {
                        own.clone_from(theirs);
                    }
                }
            }
            Part::Findings => {
                less.findings.retain(|finding| other.findings.contains(finding));
                // A question in DNS names a host only by its finding.
                less.hosts.retain(|host, _| other.hosts.contains_key(host));
                for (host, verdict) in &mut less.hosts {
                    let theirs = other.hosts.get(host);
                    if let Some(weaker) = theirs.filter(|theirs| rank(theirs) < rank(verdict)) {
                        verdict.clone_from(weaker);
                    }
                }
            }
        }
        less
    }

    /// What `other` tells otherwise, in words.
    pub(crate) fn differences(&self, other: &Self) -> Vec<String> {
        let mut found = Vec::new();
        let mut compare = |what: &str, own: String, theirs: String| {
            if own != theirs {
                found.push(format!("{what}\n    was {own}\n    is  {theirs}"));
            }
        };
        compare("hosts", format!("{:?}", self.hosts), format!("{:?}", other.hosts));
        compare("TLS", format!("{:?}", self.tls), format!("{:?}", other.tls));
        compare("HTTP", format!("{:?}", self.http), format!("{:?}", other.http));
        compare("findings", format!("{:?}", self.findings), format!("{:?}", other.findings));
        found
    }
}

/// How much a verdict claims.
fn rank(verdict: &str) -> Option<usize> {
    ["untouched", "unclear", "partly", "blocked"].iter().position(|known| *known == verdict)
}

fn names(tls: &tamperscope::evidence::TlsNames) -> String {
    format!(
        "{:?} {:?} {:?} {:?} {:?}",
        tls.sni, tls.alpn, tls.ja4, tls.server_version, tls.certificate_sha256
    )
}
