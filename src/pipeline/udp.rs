//! All that belongs to one UDP flow.

use super::dns::DatagramDns;
use super::quic::QuicTalk;
use super::settings::Settings;
use crate::flow::UdpFlow;
use crate::wire::{Datagram, Side};

/// One UDP flow with all that is known of it. What a protocol needs is boxed: most flows speak
/// none that is read.
#[derive(Debug)]
pub(super) struct DatagramTalk {
    pub(super) flow: UdpFlow,
    pub(super) dns: DatagramDns,
    pub(super) quic: QuicTalk,
}

impl DatagramTalk {
    /// A flow that begins with `datagram`, sent by `sender`.
    pub(super) fn open(datagram: &Datagram<'_>, sender: Side) -> Self {
        let flow = UdpFlow::open(datagram, sender);
        Self { flow, dns: DatagramDns::default(), quic: QuicTalk::default() }
    }

    /// Takes in the next datagram.
    pub(super) fn datagram(&mut self, datagram: &Datagram<'_>, sender: Side, settings: &Settings) {
        let way = self.flow.observe(datagram, sender);
        self.dns.datagram(datagram, way, &settings.fingerprints);
        self.quic.datagram(datagram, sender, &mut self.flow);
    }

    /// Bytes held.
    pub(super) fn memory(&self) -> usize {
        self.dns.memory() + self.quic.memory()
    }

    /// Gives up what is under way.
    pub(super) fn give_up_bytes(&mut self, settings: &Settings) {
        self.dns.give_up(&settings.fingerprints);
        self.quic.settle();
    }
}
