//! Names that belong together: what happened to a service as a whole.
//!
//! Here records are counted and nothing is weighed. That one name is interfered with says nothing
//! of its siblings, which may share no more with it than a customer's contract.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::evidence::{HostRecord, HostVerdict, JoinedBy, NamesRecord, ServiceRecord};

/// Names of one verdict that a record lists.
pub const MAX_NAMES_LISTED: usize = 64;

/// Addresses let through that a record lists.
pub const MAX_LET_THROUGH_LISTED: usize = 16;

/// What one client met at one host.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Seen {
    pub(super) interfered: bool,
    pub(super) untouched: bool,
}

impl Seen {
    pub(super) fn add(&mut self, other: Self) {
        self.interfered |= other.interfered;
        self.untouched |= other.untouched;
    }
}

/// The services of which something is to be told, by name. A name that a file counts to a service
/// counts to no domain.
pub(super) fn records<'a>(
    hosts: &'a [HostRecord],
    clients: impl Iterator<Item = (&'a str, IpAddr, Seen)>,
) -> Vec<ServiceRecord> {
    let mut groups: BTreeMap<(&str, JoinedBy), Group<'_>> = BTreeMap::new();
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
    for (name, ip, seen) in clients {
        if let Some(host) = members.get(name)
            && let Some(group) = key_of(host).and_then(|key| groups.get_mut(&key))
        {
            // What a client got at a name that nobody was refused shows no difference.
            let untouched = seen.untouched && is_interfered(host);
            group.clients.entry(ip).or_default().add(Seen { untouched, ..seen });
        }
    }
    groups.into_iter().map(|((name, by), group)| group.record(name, by)).collect()
}

fn key_of(host: &HostRecord) -> Option<(&str, JoinedBy)> {
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
            self.clients.iter().filter(|(_, seen)| seen.untouched && !seen.interfered);
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
