//! What the two directions of a TLS connection tell in the clear.

use crate::detect::{TlsRefusal, Trigger, Watch};
use crate::evidence::{HostSource, TlsNames};
use crate::protocol::{ClientHello, TlsEvent, TlsReader, TlsSender};
use crate::wire::{Direction, FrameId};

/// The readers of both directions, and the names read.
#[derive(Debug)]
pub(super) struct TlsTalk {
    readers: [TlsReader; 2],
    names: TlsNames,
    /// The server has said something.
    answered: bool,
}

impl TlsTalk {
    pub(super) fn new() -> Self {
        let readers = [TlsReader::new(TlsSender::Client), TlsReader::new(TlsSender::Server)];
        Self { readers, names: TlsNames::default(), answered: false }
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
        let (names, answered) = (&mut self.names, &mut self.answered);
        reader.push(bytes, &mut |event| {
            if direction == Direction::ToClient {
                let first = !std::mem::replace(answered, true);
                note_refusal(first, watch, &event, frame);
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

    pub(super) fn held_bytes(&self) -> usize {
        self.readers.iter().map(TlsReader::held_bytes).sum()
    }

    /// The host asked for, and whether the server answered.
    pub(super) fn host(&self) -> Option<(&str, bool)> {
        Some((self.names.sni.as_deref()?, self.names.server_version.is_some()))
    }

    /// The names, where there was anything to read them from.
    pub(super) fn names(&self) -> Option<TlsNames> {
        let told = self.names.client_hello_frame.or(self.names.server_hello_frame);
        (told.is_some() || self.names.certificate_sha256.is_some()).then(|| self.names.clone())
    }
}

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
