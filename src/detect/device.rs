//! What forged packets tell about the device that sent them.

use super::baseline::Baseline;
use super::{Scene, known};
use crate::evidence::Injector;
use crate::flow::Sighting;
use crate::wire::{Direction, Duration, FrameId};

/// The portrait of whoever sent `forged`: hops as a range, with the server's own beside it.
pub(super) fn portrait(
    scene: &Scene<'_>,
    forged: &[FrameId],
    direction: Option<Direction>,
) -> Injector {
    let suspects = || forged.iter().filter_map(|frame| scene.sighting(*frame));
    let to_client: Vec<&Sighting> =
        suspects().filter(|seen| seen.direction == Direction::ToClient).collect();
    let hops = || to_client.iter().map(|seen| seen.ttl.guess_hops());
    // Hop counters that no path leaves so, or that one device cannot show, were made up.
    let (least, most) = (hops().min(), hops().max());
    let honest = most <= Some(HOPS_MAX)
        && most.zip(least).is_none_or(|(most, least)| most - least <= ONE_PLACE);
    let own = Baseline::of(scene, Direction::ToClient, forged);
    let first = forged.first().copied().unwrap_or_default();
    let server = own.ttl_range(first).map(|range| range.low.guess_hops());
    Injector {
        direction,
        initial_ttl: to_client.first().map(|seen| seen.ttl.guess_initial()),
        hops_min: least.filter(|_| honest),
        hops_max: most.filter(|_| honest),
        server_hops: server.filter(|hops| *hops <= HOPS_MAX),
        fingerprint: known::device_of(scene, &to_client).map(str::to_owned),
        in_path: to_client.first().and_then(|first| in_path(scene, first, forged)),
    }
}

/// Whether the device holds packets back. Not so where the server's own answer came through after
/// the `first` forged packet, and shows that what set it off had come to the server. So where the client then asked again, twice or more and for over a
/// second, and nobody but the forger ever said a word: a server that had been told to close would
/// answer that by a RST. Otherwise this capture does not show it.
fn in_path(scene: &Scene<'_>, first: &Sighting, forged: &[FrameId]) -> Option<bool> {
    let later =
        || scene.after(first, Direction::ToClient).filter(|seen| !forged.contains(&seen.frame));
    let asked = scene.provocation(first);
    let arrived = |seen: &Sighting| asked.is_none_or(|asked| !asked.seq_end().is_after(seen.ack));
    let answers = |seen: &Sighting| (seen.payload_len > 0 || seen.is_syn_ack()) && arrived(seen);
    if later().any(|seen| !seen.is_reset() && answers(seen)) {
        return Some(false);
    }
    let asked = asked?;
    let again: Vec<&Sighting> = scene
        .after(first, Direction::ToServer)
        .filter(|seen| !seen.is_reset() && seen.payload_len > 0 && seen.seq == asked.seq)
        .collect();
    let (one, last) = (again.first()?, again.last()?);
    let insisted = again.len() >= 2 && last.after(one) >= INSISTED && scene.gaps == 0;
    (insisted && later().next().is_none()).then_some(true)
}

/// How long repetitions must go on.
const INSISTED: Duration = Duration::from_secs(1);
/// Longer paths are not met in the Internet.
pub(super) const HOPS_MAX: u8 = 40;
/// Packets of one device differ by no more hops.
const ONE_PLACE: u8 = 8;
