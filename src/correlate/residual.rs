//! Residual blocking: what the same endpoints met for a while after a name had set a device off.
//!
//! Some devices, having seen a name, go on for seconds or minutes to reset or swallow whatever the
//! same client sends to the same server. Such a flow carries no name that could have caused it: it
//! is hit at its SYN. So a finding whose trigger bears no name is joined to the latest finding of
//! the same client and server within three minutes whose trigger did. What the block hangs on
//! (the port too, or the client's own) is what the two flows have in common.
//!
//! A fold over values, sorted here: the order in which they are given does not matter.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::evidence::{Residual, Tuple};
use crate::wire::{Duration, Endpoint, Timestamp, Transport};

/// A finding, as far as it matters here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Episode {
    /// Transport protocol.
    pub proto: Transport,
    /// Who asked.
    pub client: Endpoint,
    /// Who was asked.
    pub server: Endpoint,
    /// When it set in.
    pub time: Timestamp,
    /// Its trigger bore a name.
    pub named: bool,
    /// It is `likely` or `confirmed`.
    pub sure: bool,
}

/// For each episode, which one set off its blocking, and for how long that had lasted.
pub fn residual_of(episodes: &[Episode]) -> Vec<Option<(usize, Residual)>> {
    let mut order: Vec<usize> = (0..episodes.len()).collect();
    let key = |place: &usize| episodes.get(*place).map(|one| (one.time, one.client, one.server));
    order.sort_by_key(|place| (key(place), *place));
    let mut links = vec![None; episodes.len()];
    let mut origins: BTreeMap<(IpAddr, IpAddr), Origins> = BTreeMap::new();
    for place in order {
        let Some(episode) = episodes.get(place) else { continue };
        let origins = origins.entry((episode.client.ip, episode.server.ip)).or_default();
        if episode.named {
            if episode.sure {
                origins.add(place, episode);
            }
        } else if let Some(link) = links.get_mut(place) {
            *link = origins.of(episode);
        }
    }
    links
}

/// Named episodes of one client and one server.
#[derive(Default)]
struct Origins {
    latest: Option<Origin>,
    by_port: BTreeMap<(u16, bool), Origin>,
    by_ports: BTreeMap<(u16, u16, bool), Origin>,
}

#[derive(Clone, Copy)]
struct Origin {
    place: usize,
    time: Timestamp,
}

impl Origins {
    fn add(&mut self, place: usize, episode: &Episode) {
        let origin = Origin { place, time: episode.time };
        self.latest = Some(origin);
        self.by_port.insert(port(episode), origin);
        self.by_ports.insert(ports(episode), origin);
    }

    /// The latest that has most in common with `episode`.
    fn of(&self, episode: &Episode) -> Option<(usize, Residual)> {
        let candidates = [
            (self.by_ports.get(&ports(episode)), Tuple::Four),
            (self.by_port.get(&port(episode)), Tuple::Three),
            (self.latest.as_ref(), Tuple::Two),
        ];
        candidates.into_iter().find_map(|(origin, tuple)| {
            let origin = origin?;
            let since = episode.time.since(origin.time);
            let seconds = (since.as_millis_f64().round()) / 1e3;
            (since <= RESIDUAL_MAX).then_some((origin.place, Residual { seconds, tuple }))
        })
    }
}

fn port(episode: &Episode) -> (u16, bool) {
    (episode.server.port, episode.proto == Transport::Tcp)
}

fn ports(episode: &Episode) -> (u16, u16, bool) {
    let (server, tcp) = port(episode);
    (episode.client.port, server, tcp)
}

/// The longest that is known of: 180 s, in China and in Iran.
const RESIDUAL_MAX: Duration = Duration::from_secs(180);

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn episode(second: i64, (client, server): (u16, u16), named: bool) -> Episode {
        let ip = |last| IpAddr::V4(Ipv4Addr::new(203, 0, 113, last));
        Episode {
            proto: Transport::Tcp,
            client: Endpoint { ip: ip(1), port: client },
            server: Endpoint { ip: ip(2), port: server },
            time: Timestamp::from_nanos(second * 1_000_000_000),
            named,
            sure: true,
        }
    }

    fn links(episodes: &[Episode]) -> Vec<Option<(usize, f64, Tuple)>> {
        let found = residual_of(episodes).into_iter();
        found.map(|link| link.map(|(origin, r)| (origin, r.seconds, r.tuple))).collect()
    }

    #[test]
    fn what_two_flows_have_in_common_is_what_the_block_hangs_on() {
        let all = [
            episode(0, (1000, 443), true),
            episode(1, (1000, 443), false),
            episode(2, (1001, 443), false),
            episode(3, (1002, 80), false),
        ];
        let expected = vec![
            None,
            Some((0, 1.0, Tuple::Four)),
            Some((0, 2.0, Tuple::Three)),
            Some((0, 3.0, Tuple::Two)),
        ];
        assert_eq!(links(&all), expected);
    }

    #[test]
    fn it_lasts_three_minutes_at_most_and_never_comes_before_its_cause() {
        let all = [
            episode(0, (1000, 443), false),
            episode(1, (1001, 443), true),
            episode(181, (1002, 443), false),
            episode(182, (1003, 443), false),
        ];
        assert_eq!(links(&all), [None, None, Some((1, 180.0, Tuple::Three)), None]);
    }

    #[test]
    fn a_named_flow_has_its_own_cause_and_doubtful_ones_cause_nothing() {
        let doubtful = Episode { sure: false, ..episode(0, (1000, 443), true) };
        let all = [doubtful, episode(1, (1001, 443), false), episode(2, (1002, 443), true)];
        assert_eq!(links(&all), [None, None, None]);
    }

    #[test]
    fn other_endpoints_and_other_orders_change_nothing() {
        let mut other = episode(0, (1000, 443), true);
        other.client.ip = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 9));
        let all = [episode(5, (1001, 443), false), episode(3, (1000, 443), true), other];
        assert_eq!(links(&all), [Some((1, 2.0, Tuple::Three)), None, None]);
    }
}
