//! Flows of the same client and network, near in time.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use super::passages::{Road, network};
use crate::wire::{FrameId, Timestamp};

/// A flow that is held against others of its client and network.
pub(super) trait Peer {
    /// Between whom.
    fn road(&self) -> Road;
    /// When it became of interest, and its first frame.
    fn since(&self) -> (Timestamp, FrameId);
}

/// All flows of one sort, by client and network of the server, in the order of their time.
#[derive(Debug)]
pub(super) struct Peers<'a, T> {
    flows: BTreeMap<(IpAddr, IpAddr), Vec<&'a T>>,
}

impl<T> Default for Peers<'_, T> {
    fn default() -> Self {
        Self { flows: BTreeMap::new() }
    }
}

impl<'a, T: Peer> Peers<'a, T> {
    /// All of `flows`.
    pub(super) fn of(flows: impl IntoIterator<Item = &'a T>) -> Self {
        let mut all = Self::default();
        for flow in flows {
            all.flows.entry(place(flow)).or_default().push(flow);
        }
        for flows in all.flows.values_mut() {
            flows.sort_by_key(|flow| flow.since());
        }
        all
    }

    /// The others of `flow`'s client and network from `low` to `high`, [`PEERS_MAX`] at most.
    pub(super) fn near(
        &self,
        flow: &T,
        (low, high): (Timestamp, Timestamp),
    ) -> impl Iterator<Item = &'a T> {
        let flows = self.flows.get(&place(flow)).map(Vec::as_slice).unwrap_or_default();
        let (_, own) = flow.since();
        since(flows, (low, high)).filter(move |flow| flow.since().1 != own)
    }

    /// The others of `flow`'s client from `low` to `high`, whatever network they went to,
    /// [`PEERS_MAX`] at most of each.
    pub(super) fn of_client(
        &self,
        flow: &T,
        window: (Timestamp, Timestamp),
    ) -> impl Iterator<Item = &'a T> {
        let client = flow.road().client;
        let (_, own) = flow.since();
        let networks = self.flows.range((client, IpAddr::V4(Ipv4Addr::UNSPECIFIED))..);
        networks
            .take_while(move |((of, _), _)| *of == client)
            .flat_map(move |(_, flows)| since(flows, window))
            .filter(move |flow| flow.since().1 != own)
    }
}

/// Of `flows`, which are in the order of their time, those from `low` to `high`.
fn since<'a, T: Peer>(
    flows: &[&'a T],
    (low, high): (Timestamp, Timestamp),
) -> impl Iterator<Item = &'a T> {
    let begin = flows.partition_point(|flow| flow.since().0 < low);
    let near = flows.iter().skip(begin).take(PEERS_MAX);
    near.take_while(move |flow| flow.since().0 <= high).copied()
}

fn place(flow: &impl Peer) -> (IpAddr, IpAddr) {
    let road = flow.road();
    (road.client, network(road.server.ip))
}

/// Others that are looked at.
const PEERS_MAX: usize = 256;
