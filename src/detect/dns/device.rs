//! What forged answers tell about the device that sent them.

use std::net::{IpAddr, Ipv4Addr};

use super::content::addresses;
use super::exchange::Reply;
use super::quarrel::{Case, Quarrel};
use crate::evidence::Injector;
use crate::wire::{Direction, Ttl};

/// The portrait of whoever sent the forged answers: hops as a range, with the resolver's beside it.
pub(super) fn portrait(case: &Case<'_>, quarrel: &Quarrel<'_>) -> Injector {
    let ttls = || quarrel.forged.iter().filter_map(|reply| Some(reply.stamp.ip?.ttl));
    let own = case.habit.home().map(|home| home.ttl);
    let own = own.or_else(|| Some(quarrel.genuine.first()?.stamp.ip?.ttl));
    Injector {
        direction: Some(Direction::ToClient),
        initial_ttl: ttls().next().map(Ttl::guess_initial),
        hops_min: ttls().map(Ttl::guess_hops).min(),
        hops_max: ttls().map(Ttl::guess_hops).max(),
        server_hops: own.map(Ttl::guess_hops),
        fingerprint: quarrel.forged.iter().find_map(|reply| known_device(reply)).map(str::to_owned),
        in_path: (!quarrel.genuine.is_empty()).then_some(false),
    }
}

/// The device that has all the marks of `reply`. Only marks are looked at that are rare by
/// themselves: of China's three kinds of injectors two leave none.
fn known_device(reply: &Reply) -> Option<&'static str> {
    let ip = reply.stamp.ip?;
    let answers = || addresses(reply);
    let v4 = |wanted: fn(Ipv4Addr) -> bool| {
        answers().any(|address| matches!(address, IpAddr::V4(address) if wanted(address)))
    };
    let tunnel = answers().any(|address| {
        matches!(address, IpAddr::V6(address) if address.segments().starts_with(&[0x2001, 0]))
    });
    let china = tunnel
        || (!ip.dont_fragment
            && ip.id.is_some_and(|id| id != 0)
            && reply.flags.is_authoritative()
            && reply.flags.recursion_available()
            && !reply.edns
            && matches!(reply.records.as_slice(), [only] if only.ttl == 60));
    if v4(|address| address.octets().starts_with(&[10, 10, 34])) {
        Some("iran_dns")
    } else if v4(|address| address == Ipv4Addr::LOCALHOST)
        && ip.id == Some(30_000)
        && ip.ttl.guess_initial() == Ttl(128)
    {
        Some("turkmenistan_dns")
    } else {
        china.then_some(if tunnel { "china_dns" } else { "china_dns_1" })
    }
}
