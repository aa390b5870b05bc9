//! The shared directory of hosts, for whoever watches a run while it goes on.
//!
//! An array of read-write-locked shards (`dashmap`): not lock-free, and so never touched for a
//! packet, only when a flow ends. No guard is held across another call into the map.

use std::sync::atomic::{AtomicU64, Ordering};

use dashmap::DashMap;
use foldhash::quality::RandomState;

/// Hosts and how they stand, so far.
#[derive(Debug, Default)]
pub struct Directory {
    hosts: DashMap<Box<str>, Standing, RandomState>,
    flows: AtomicU64,
    interfered: AtomicU64,
    /// Nobody watches: nothing is noted.
    closed: bool,
}

/// How one host stands, so far.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Standing {
    /// Flows that named it and have ended.
    pub flows: u64,
    /// Those with a finding.
    pub interfered: u64,
}

impl Directory {
    /// Hosts kept; names beyond are not counted one by one.
    pub const HOSTS_MAX: usize = 65_536;

    /// A directory that stays empty, for a run that nobody watches.
    pub fn closed() -> Self {
        Self { closed: true, ..Self::default() }
    }

    /// A flow has ended.
    pub fn ended<'a>(&self, hosts: impl IntoIterator<Item = &'a str>, interfered: bool) {
        if self.closed {
            return;
        }
        self.flows.fetch_add(1, Ordering::Relaxed);
        self.interfered.fetch_add(u64::from(interfered), Ordering::Relaxed);
        for host in hosts {
            if let Some(mut standing) = self.hosts.get_mut(host) {
                standing.add(interfered);
            } else if self.hosts.len() < Self::HOSTS_MAX {
                self.hosts.entry(host.into()).or_default().add(interfered);
            }
        }
    }

    /// Flows ended, flows with a finding, hosts named.
    pub fn totals(&self) -> (u64, u64, usize) {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        (load(&self.flows), load(&self.interfered), self.hosts.len())
    }

    /// How `host` stands.
    pub fn standing(&self, host: &str) -> Option<Standing> {
        self.hosts.get(host).map(|standing| *standing)
    }
}

impl Standing {
    fn add(&mut self, interfered: bool) {
        self.flows += 1;
        self.interfered += u64::from(interfered);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_one_stays_empty() {
        let directory = Directory::closed();
        directory.ended(["a.example"], true);
        assert_eq!((directory.totals(), directory.standing("a.example")), ((0, 0, 0), None));
    }

    #[test]
    fn lanes_may_tell_it_at_once() {
        let directory = Directory::default();
        std::thread::scope(|scope| {
            for lane in 0..4 {
                let directory = &directory;
                scope.spawn(move || {
                    for n in 0..1000u32 {
                        let host = format!("{}.example", n % 10);
                        directory.ended([host.as_str()], lane == 0);
                    }
                });
            }
        });
        assert_eq!(directory.totals(), (4000, 1000, 10));
        assert_eq!(directory.standing("3.example"), Some(Standing { flows: 400, interfered: 100 }));
    }
}
