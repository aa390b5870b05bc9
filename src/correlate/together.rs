//! Names that belong together: what happened to a service as a whole.
//!
//! Here records are counted and nothing is weighed. That one name is interfered with says nothing
//! of its siblings, which may share no more with it than a customer's contract.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::net::IpAddr;

use super::sight::{Pass, Sight};
use crate::evidence::{HostRecord, HostVerdict, JoinedBy, NamesRecord, ServiceRecord};

/// Services that are told.
pub const MAX_SERVICES: usize = 1 << 10;

/// Names of one verdict that a record lists.
pub const MAX_NAMES_LISTED: usize = 64;

/// Addresses let through that a record lists.
pub const MAX_LET_THROUGH_LISTED: usize = 16;

/// What one client met at one host.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Seen {
    pub(super) interfered: bool,
    /// Its last untouched access.
    pub(super) passed: Option<Pass>,
}

impl Seen {
    pub(super) fn add(&mut self, other: Self) {
        self.interfered |= other.interfered;
        self.passed = self.passed.max(other.passed);
    }
}

/// What is to be told of services.
pub(super) struct Together {
    /// By name; the [`MAX_SERVICES`] with the most interfered accesses.
    pub(super) services: Vec<ServiceRecord>,
    /// How many others there are.
    pub(super) given_up: u64,
    /// For untouched names the last access of a client that was interfered with at another name of
    /// the service, where there is one: it shows the difference best.
    pub(super) beside: BTreeMap<String, Sight>,
}

/// The services of which something is to be told. A name that a file counts to a service counts to
/// no domain.
pub(super) fn records<'a>(
    hosts: &'a [HostRecord],
    clients: impl Iterator<Item = (&'a str, IpAddr, Seen)> + Clone,
) -> Together {
    let mut groups: BTreeMap<Key<'_>, Group<'_>> = BTreeMap::new();
    for host in hosts {
        if let Some(key) = key_of(host) {
            groups.entry(key).or_default().hosts.push(host);
        }
    }
    groups.retain(|_, group| group.is_told());
    let mut members: BTreeMap<&str, &HostRecord> = BTreeMap::new();
    for host in groups.values().flat_map(|group| &group.hosts) {
        members.insert(&host.host, host);
    }
    for (name, ip, seen) in clients.clone() {
        if let Some(host) = members.get(name)
            && let Some(group) = key_of(host).and_then(|key| groups.get_mut(&key))
        {
            // What a client got at a name that nobody was refused shows no difference.
            let passed = seen.passed.filter(|_| is_interfered(host));
            group.clients.entry(ip).or_default().add(Seen { passed, ..seen });
        }
    }
    let mut beside: BTreeMap<String, Sight> = BTreeMap::new();
    for (name, ip, seen) in clients {
        let Some(host) = members.get(name).filter(|host| !is_interfered(host)) else { continue };
        let group = key_of(host).and_then(|key| groups.get(&key));
        let client = group.and_then(|group| group.clients.get(&ip));
        if let Some(pass) = seen.passed.filter(|_| client.is_some_and(|seen| seen.interfered)) {
            let last = beside.entry(name.to_owned()).or_insert(pass.to(ip));
            *last = (*last).max(pass.to(ip));
        }
    }
    let (groups, given_up) = foremost(groups);
    let services = groups.into_iter().map(|((name, by), group)| group.record(name, by)).collect();
    Together { services, given_up, beside }
}

/// The groups to tell, by name: of those that were interfered with equally often the first; and the
/// number of the others.
fn foremost<'a>(groups: BTreeMap<Key<'a>, Group<'a>>) -> (BTreeMap<Key<'a>, Group<'a>>, u64) {
    let given_up = groups.len().saturating_sub(MAX_SERVICES);
    let mut groups: Vec<_> = groups.into_iter().collect();
    if given_up > 0 {
        groups.sort_by_key(|(key, group)| (Reverse(group.interfered()), *key));
        groups.truncate(MAX_SERVICES);
    }
    (groups.into_iter().collect(), given_up as u64)
}

/// What a group is known by.
type Key<'a> = (&'a str, JoinedBy);

fn key_of(host: &HostRecord) -> Option<Key<'_>> {
    let service = host.service.as_deref().map(|service| (service, JoinedBy::File));
    service.or_else(|| Some((host.domain.as_deref()?, JoinedBy::Domain)))
}

fn is_interfered(host: &HostRecord) -> bool {
    matches!(host.verdict, HostVerdict::Blocked | HostVerdict::Partly)
}

/// Names that belong together.
#[derive(Default)]
struct Group<'a> {
    hosts: Vec<&'a HostRecord>,
    clients: BTreeMap<IpAddr, Seen>,
}

impl Group<'_> {
    /// Of one name alone its host record says all; of innocent ones there is nothing to say.
    fn is_told(&self) -> bool {
        let judged = self.hosts.iter().filter(|host| host.verdict != HostVerdict::Unclear);
        judged.count() >= 2 && self.hosts.iter().any(|host| is_interfered(host))
    }

    /// Accesses to its names that were interfered with.
    fn interfered(&self) -> u64 {
        let of = |host: &&HostRecord| host.accesses.saturating_sub(host.untouched + host.unclear);
        self.hosts.iter().map(of).sum()
    }

    fn record(&self, service: &str, by: JoinedBy) -> ServiceRecord {
        let mut hosts: BTreeMap<HostVerdict, NamesRecord> = BTreeMap::new();
        for host in &self.hosts {
            let named = hosts.entry(host.verdict).or_default();
            named.count += 1;
            if named.names.len() < MAX_NAMES_LISTED {
                named.names.push(host.host.clone());
            }
        }
        let some_pass = [HostVerdict::Partly, HostVerdict::Untouched];
        let partly = some_pass.iter().any(|verdict| hosts.contains_key(verdict));
        let let_through =
            self.clients.iter().filter(|(_, seen)| seen.passed.is_some() && !seen.interfered);
        let first = self.hosts.iter().filter_map(|host| host.first_interfered);
        let last = self.hosts.iter().filter_map(|host| host.last_interfered);
        ServiceRecord {
            service: service.to_owned(),
            by,
            verdict: if partly { HostVerdict::Partly } else { HostVerdict::Blocked },
            hosts,
            clients: self.clients.len() as u64,
            clients_interfered: self.clients.values().filter(|seen| seen.interfered).count() as u64,
            clients_let_through: let_through.clone().count() as u64,
            let_through: let_through.map(|(ip, _)| *ip).take(MAX_LET_THROUGH_LISTED).collect(),
            first_interfered: first.min(),
            last_interfered: last.max(),
        }
    }
}

#[cfg(test)]
mod tests;
