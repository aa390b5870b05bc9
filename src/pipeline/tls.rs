//! What the two directions of a TLS connection tell in the clear.

use crate::detect::{TlsRefusal, Trigger, Watch};
use crate::evidence::{HostSource, TlsNames};
use crate::protocol::{CertificateClaims, ClientHello, TlsEvent, TlsReader, TlsSender, TlsVersion};
use crate::wire::{Direction, FrameId};

/// The readers of both directions, and the names read.
#[derive(Debug)]
pub(super) struct TlsTalk {
    readers: [TlsReader; 2],
    heard: Heard,
    /// What the server's own certificate is worth.
    leaf: Option<Leaf>,
    /// The server has said something.
    answered: bool,
}

/// What [`TlsNames`] are made of, if they are told: of most connections they are not.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// The client's hello, and the frame that completed it.
    asked: Option<(ClientHello, FrameId)>,
    /// The version that the server chose, and the frame that completed its hello.
    chosen: Option<(TlsVersion, FrameId)>,
    pub(super) certificate: Option<Box<Certificate>>,
    lenient: bool,
}

/// What is told of the server's own certificate.
#[derive(Debug)]
pub(super) struct Certificate {
    sha256: String,
    pub(super) subject: Option<String>,
    pub(super) issuer: Option<String>,
}

/// What the server's own certificate is worth.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leaf {
    /// Frame that completed it.
    pub(super) frame: FrameId,
    /// It is issued by another than its subject, and holds for the name asked for.
    pub(super) vouched: bool,
    /// Its subject and its issuer are the same.
    pub(super) self_signed: bool,
    /// The chain holds who signed it, and that one answers to nobody: no public authority.
    pub(super) private: bool,
}

impl TlsTalk {
    pub(super) fn new() -> Self {
        let readers = [TlsReader::new(TlsSender::Client), TlsReader::new(TlsSender::Server)];
        Self { readers, heard: Heard::default(), leaf: None, answered: false }
    }

    pub(super) fn bytes(
        &mut self,
        direction: Direction,
        bytes: &[u8],
        frame: FrameId,
        watch: &mut Watch,
    ) {
        let [client, server] = &mut self.readers;
        let reader = if direction == Direction::ToServer { client } else { server };
        let (heard, leaf, answered) = (&mut self.heard, &mut self.leaf, &mut self.answered);
        reader.push(bytes, &mut |event| {
            if direction == Direction::ToClient {
                let first = !std::mem::replace(answered, true);
                note_refusal(first, watch, &event, frame);
            }
            if leaf.is_none() {
                *leaf = leaf_of(&event, heard.sni(), frame);
            }
            heard.note(watch, event, frame);
        });
    }

    pub(super) fn gap(&mut self, direction: Direction, missing: u64) {
        if let Some(reader) = self.readers.get_mut(direction.index()) {
            reader.gap(missing, &mut |_| {});
        }
    }

    /// Whether neither direction will tell anything more.
    pub(super) fn is_done(&self) -> bool {
        self.readers.iter().all(|reader| !reader.wants_more())
    }

    /// Bytes held, this value included, about.
    pub(super) fn held_bytes(&self) -> usize {
        let readers = self.readers.iter().map(TlsReader::held_bytes).sum::<usize>();
        let hello = self.heard.hello().map_or(0, ClientHello::held_bytes);
        size_of::<Self>() + readers + hello
    }

    /// What was heard, and what the certificate is worth, where that was in the clear.
    pub(super) fn certificate(&self) -> Option<(&Heard, Leaf)> {
        Some((&self.heard, self.leaf?))
    }

    /// Whether the certificate, if any was in the clear, is one that public authorities vouch for.
    pub(super) fn is_plain(&self) -> bool {
        self.leaf.is_none_or(|leaf| leaf.vouched && !leaf.private)
    }

    /// The host asked for, and the frame in which the server answered.
    pub(super) fn host(&self) -> Option<(&str, Option<FrameId>)> {
        Some((self.heard.sni()?, self.heard.server_hello()))
    }

    /// The names, where there was anything to read them from.
    pub(super) fn names(&self) -> Option<TlsNames> {
        let told = self.heard.client_hello().or(self.heard.server_hello());
        (told.is_some() || self.heard.certificate.is_some()).then(|| self.heard.names())
    }
}

fn leaf_of(event: &TlsEvent, name: Option<&str>, frame: FrameId) -> Option<Leaf> {
    let TlsEvent::Certificate(chain) = event else { return None };
    let claims = chain.certificates.first()?.claims.as_ref()?;
    let holds = name.is_none_or(|name| holds_for(claims, name));
    let mut others = chain.certificates.iter().skip(1).filter_map(|one| one.claims.as_ref());
    let private = others.any(|other| other.self_signed && other.subject == claims.issuer);
    let self_signed = claims.self_signed;
    Some(Leaf {
        frame,
        vouched: holds && !self_signed,
        self_signed,
        private: private && !self_signed,
    })
}

/// Whether a certificate holds for `name` (RFC 9525 §6.3): one of its names is that name, or that
/// with a star for the first label. A list that was cut is given the benefit of the doubt.
fn holds_for(claims: &CertificateClaims, name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    let parent = name.split_once('.').map(|(_, parent)| parent);
    let matches = |own: &str| {
        own.eq_ignore_ascii_case(name)
            || own
                .strip_prefix("*.")
                .zip(parent)
                .is_some_and(|(own, parent)| own.eq_ignore_ascii_case(parent))
    };
    let common = claims.subject.rsplit("CN=").next().unwrap_or_default();
    claims.names.iter().any(|own| matches(own))
        || claims.names.len() >= NAMES_CUT
        || (claims.names.is_empty() && matches(common))
}

/// As many names as are read of one certificate: there may be more.
const NAMES_CUT: usize = 64;

/// A fatal alert that is the server's first word (RFC 8446 §6.2).
fn note_refusal(first: bool, watch: &mut Watch, event: &TlsEvent, frame: FrameId) {
    if let TlsEvent::Alert(alert) = event
        && first
        && alert.fatal
    {
        watch.refused(TlsRefusal { frame, code: alert.code, name: alert.name });
    }
}

impl Heard {
    fn note(&mut self, watch: &mut Watch, event: TlsEvent, frame: FrameId) {
        match event {
            TlsEvent::ClientHello(hello) if self.asked.is_none() => {
                self.lenient |= hello.lenient;
                let host = hello.sni.clone();
                watch.named(Trigger { frame, host, source: HostSource::Sni });
                self.asked = Some((*hello, frame));
            }
            TlsEvent::ServerHello(hello) if !hello.hello_retry_request => {
                self.chosen = Some((hello.version, frame));
                self.lenient |= hello.lenient;
            }
            TlsEvent::Certificate(chain) if self.certificate.is_none() => {
                let Some(leaf) = chain.certificates.into_iter().next() else { return };
                let claims = leaf.claims.map(|claims| (claims.subject, claims.issuer));
                let (subject, issuer) = claims.unzip();
                let certificate = Certificate { sha256: leaf.sha256, subject, issuer };
                self.certificate = Some(Box::new(certificate));
            }
            _ => {}
        }
    }

    /// The host asked for.
    pub(super) fn sni(&self) -> Option<&str> {
        self.hello()?.sni.as_deref()
    }

    /// Frame that completed the client's hello.
    pub(super) fn client_hello(&self) -> Option<FrameId> {
        self.asked.as_ref().map(|(_, frame)| *frame)
    }

    fn hello(&self) -> Option<&ClientHello> {
        self.asked.as_ref().map(|(hello, _)| hello)
    }

    fn server_hello(&self) -> Option<FrameId> {
        self.chosen.map(|(_, frame)| frame)
    }

    fn names(&self) -> TlsNames {
        let (hello, certificate) = (self.hello(), self.certificate.as_deref());
        let versions = hello.into_iter().flat_map(ClientHello::versions);
        TlsNames {
            sni: self.sni().map(str::to_owned),
            alpn: hello.into_iter().flat_map(ClientHello::alpn).collect(),
            versions: versions.map(|version| version.to_string()).collect(),
            ech: hello.is_some_and(|hello| hello.ech),
            ja4: hello.and_then(ClientHello::ja4),
            server_version: self.chosen.map(|(version, _)| version.to_string()),
            certificate_sha256: certificate.map(|shown| shown.sha256.clone()),
            certificate_subject: certificate.and_then(|shown| shown.subject.clone()),
            certificate_issuer: certificate.and_then(|shown| shown.issuer.clone()),
            client_hello_frame: self.client_hello(),
            server_hello_frame: self.server_hello(),
            lenient: self.lenient,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{CertificateChain, CertificateInfo};

    fn certificate(subject: &str, issuer: &str) -> CertificateInfo {
        let claims = CertificateClaims {
            subject: subject.to_owned(),
            issuer: issuer.to_owned(),
            self_signed: subject == issuer,
            not_before: String::new(),
            not_after: String::new(),
            names: vec!["site.example".to_owned()],
        };
        CertificateInfo { sha256: String::new(), der_len: 0, claims: Some(claims) }
    }

    fn is_private(chain: &[(&str, &str)]) -> bool {
        let certificates = chain.iter().map(|(subject, issuer)| certificate(subject, issuer));
        let chain = CertificateChain { certificates: certificates.collect(), complete: true };
        let event = TlsEvent::Certificate(chain);
        leaf_of(&event, Some("site.example"), FrameId::default()).expect("a leaf").private
    }

    #[test]
    fn who_signs_for_servers_with_its_own_root_is_no_public_authority() {
        assert!(is_private(&[("CN=site", "CN=Gateway"), ("CN=Gateway", "CN=Gateway")]));
        // A public root signs for others that sign, and some servers send it along.
        let public = [("CN=site", "CN=R3"), ("CN=R3", "CN=Root X1"), ("CN=Root X1", "CN=Root X1")];
        assert!(!is_private(&public));
        assert!(!is_private(&public[..2]));
        assert!(!is_private(&[("CN=site", "CN=Gateway")]), "unknown, as it is not there");
        assert!(!is_private(&[("CN=site", "CN=site"), ("CN=site", "CN=site")]), "self-signed");
    }
}
