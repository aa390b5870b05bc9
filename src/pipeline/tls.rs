//! What the two directions of a TLS connection tell in the clear.

use crate::detect::{TlsRefusal, Trigger, Watch};
use crate::evidence::{HostSource, TlsNames};
use crate::protocol::{CertificateClaims, ClientHello, TlsEvent, TlsReader, TlsSender};
use crate::wire::{Direction, FrameId};

/// The readers of both directions, and the names read.
#[derive(Debug)]
pub(super) struct TlsTalk {
    readers: [TlsReader; 2],
    names: TlsNames,
    /// What the server's own certificate is worth.
    leaf: Option<Leaf>,
    /// The server has said something.
    answered: bool,
}

/// The server's own certificate.
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
        Self { readers, names: TlsNames::default(), leaf: None, answered: false }
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
        let (names, leaf, answered) = (&mut self.names, &mut self.leaf, &mut self.answered);
        reader.push(bytes, &mut |event| {
            if direction == Direction::ToClient {
                let first = !std::mem::replace(answered, true);
                note_refusal(first, watch, &event, frame);
            }
            if leaf.is_none() {
                *leaf = leaf_of(&event, names.sni.as_deref(), frame);
            }
            note(names, watch, event, frame);
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
        size_of::<Self>() + self.readers.iter().map(TlsReader::held_bytes).sum::<usize>()
    }

    /// The names and the certificate, where both were in the clear.
    pub(super) fn certificate(&self) -> Option<(&TlsNames, Leaf)> {
        Some((&self.names, self.leaf?))
    }

    /// The host asked for, and the frame in which the server answered.
    pub(super) fn host(&self) -> Option<(&str, Option<FrameId>)> {
        Some((self.names.sni.as_deref()?, self.names.server_hello_frame))
    }

    /// The names, where there was anything to read them from.
    pub(super) fn names(&self) -> Option<TlsNames> {
        let told = self.names.client_hello_frame.or(self.names.server_hello_frame);
        (told.is_some() || self.names.certificate_sha256.is_some()).then(|| self.names.clone())
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

fn note(names: &mut TlsNames, watch: &mut Watch, event: TlsEvent, frame: FrameId) {
    match event {
        TlsEvent::ClientHello(hello) if names.client_hello_frame.is_none() => {
            note_client_hello(names, *hello, frame);
            let host = names.sni.clone().map(String::into_boxed_str);
            watch.named(Trigger { frame, host, source: HostSource::Sni });
        }
        TlsEvent::ServerHello(hello) if !hello.hello_retry_request => {
            names.server_version = Some(hello.version.to_string());
            names.server_hello_frame = Some(frame);
            names.lenient |= hello.lenient;
        }
        TlsEvent::Certificate(chain) if names.certificate_sha256.is_none() => {
            let Some(leaf) = chain.certificates.into_iter().next() else { return };
            names.certificate_sha256 = Some(leaf.sha256);
            if let Some(claims) = leaf.claims {
                names.certificate_subject = Some(claims.subject);
                names.certificate_issuer = Some(claims.issuer);
            }
        }
        _ => {}
    }
}

fn note_client_hello(names: &mut TlsNames, hello: ClientHello, frame: FrameId) {
    names.client_hello_frame = Some(frame);
    names.sni = hello.sni;
    names.alpn = hello.alpn;
    names.versions = hello.versions.iter().map(ToString::to_string).collect();
    names.ech = hello.ech;
    names.ja4 = hello.ja4;
    names.lenient |= hello.lenient;
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
