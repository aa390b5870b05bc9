//! What forged packets tell about the device that sent them.

use super::Scene;
use super::baseline::Baseline;
use crate::evidence::Injector;
use crate::wire::{Direction, FrameId};

/// The portrait of whoever sent `forged`: hops as a range, with the server's own beside it.
pub(super) fn portrait(
    scene: &Scene<'_>,
    forged: &[FrameId],
    direction: Option<Direction>,
) -> Injector {
    let suspects = || forged.iter().filter_map(|frame| scene.sighting(*frame));
    let to_client: Vec<_> =
        suspects().filter(|seen| seen.direction == Direction::ToClient).collect();
    let hops = || to_client.iter().map(|seen| seen.ttl.guess_hops());
    let own = Baseline::of(scene, Direction::ToClient, forged);
    let first = forged.first().copied().unwrap_or_default();
    let server = own.ttl_range(first).map(|range| range.low.guess_hops());
    let answered = scene
        .sent(Direction::ToClient)
        .filter(|seen| !seen.is_reset() && !forged.contains(&seen.frame) && seen.payload_len > 0)
        .any(|seen| to_client.first().is_some_and(|first| seen.frame > first.frame));
    Injector {
        direction,
        initial_ttl: to_client.first().map(|seen| seen.ttl.guess_initial()),
        hops_min: hops().min(),
        hops_max: hops().max(),
        server_hops: server,
        fingerprint: None,
        in_path: answered.then_some(false),
    }
}
