//! The accesses of one flow: the names that it asked for, and what became of each.

use crate::correlate::names::{Name, normal};
use crate::evidence::{Confidence, Finding, FlowRecord, Kind};
use crate::wire::{FrameId, Timestamp};

/// What became of one access.
pub(super) enum Fate {
    /// When it was interfered with first, with the frame to look at, and when last.
    Interfered {
        kinds: Vec<Kind>,
        first: (Timestamp, Option<FrameId>),
        last: Timestamp,
    },
    /// In which frame it was answered.
    Untouched(FrameId),
    Unclear,
}

/// The names of a flow, each with the frame in which the server was seen to answer to it.
pub(super) fn named_by(flow: &FlowRecord) -> Vec<(&str, Option<FrameId>)> {
    let tls = flow.tls.iter().filter_map(|tls| Some((tls.sni.as_deref()?, tls.server_hello_frame)));
    let quic = flow.quic.iter().filter_map(|quic| Some((quic.sni.as_deref()?, None)));
    let http = flow
        .http
        .iter()
        .filter_map(|exchange| Some((exchange.host.as_deref()?, exchange.status_frame)));
    tls.chain(quic).chain(http).collect()
}

/// Each name once, with its last answer.
pub(super) fn each_once(
    names: impl Iterator<Item = (Name, Option<FrameId>)>,
) -> Vec<(Name, Option<FrameId>)> {
    let mut known: Vec<_> = names.collect();
    // Descending: of equal names the last answer comes first, and stays.
    known.sort_unstable_by(|(one, answered), (other, later)| {
        (&other.text, later).cmp(&(&one.text, answered))
    });
    known.dedup_by(|(later, _), (first, _)| later.text == first.text);
    known
}

/// What became of the access to `name`, which may be the `only` name of its flow.
pub(super) fn fate(
    name: &str,
    answered: Option<FrameId>,
    only: bool,
    findings: &[&Finding],
) -> Fate {
    let mut suspected = false;
    let (mut kinds, mut times) = (Vec::new(), Vec::new());
    for finding in findings {
        let concerned = match finding.host.as_deref().and_then(normal) {
            Some(host) if host == name => true,
            Some(_) => continue,
            // A finding without a name can only be pinned on the one name that there is.
            None => only,
        };
        suspected = true;
        if concerned && finding.confidence >= Confidence::Likely {
            kinds.push(finding.kind);
            let frame = finding.forged_frames.first().or(finding.trigger_frame.as_ref());
            times.push((finding.time, frame.copied()));
        }
    }
    match (times.iter().min(), times.iter().max(), answered) {
        (Some(first), Some((last, _)), _) => Fate::Interfered { kinds, first: *first, last: *last },
        (_, _, Some(frame)) if !suspected => Fate::Untouched(frame),
        _ => Fate::Unclear,
    }
}
