//! The accesses that records point to, so that who doubts them can look.

use std::net::IpAddr;

use super::services::ServiceSet;
use crate::evidence::AccessRecord;
use crate::wire::{FrameId, Timestamp};

/// How a flow began.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Opening {
    /// Its first packet's time,
    pub time: Timestamp,
    /// its first frame,
    pub frame: FrameId,
    /// and the address of its client.
    pub client: IpAddr,
}

/// What the records say beyond the tally.
#[derive(Clone, Copy)]
pub struct Book<'a> {
    /// Which names belong together by the user's word.
    pub services: &'a ServiceSet,
    /// The number of the flow that began with a frame.
    pub flow: &'a dyn Fn(FrameId) -> u64,
    /// The path of a frame's file.
    pub path: &'a dyn Fn(FrameId) -> String,
}

/// An access that shows a fate. Of several the first or last in time is kept.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Sight {
    pub(super) time: Timestamp,
    /// The frame to look at.
    pub(super) frame: FrameId,
    pub(super) opening: Opening,
}

impl Sight {
    pub(super) fn record(self, book: &Book<'_>) -> AccessRecord {
        AccessRecord {
            flow: (book.flow)(self.opening.frame),
            client: self.opening.client,
            capture: (book.path)(self.frame),
            frame: self.frame,
            time: self.time,
        }
    }
}

/// An answer to one client at one host; with the client's address it is a [`Sight`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Pass {
    time: Timestamp,
    frame: FrameId,
    /// First frame of the flow.
    pub(super) begins: FrameId,
}

impl Pass {
    /// The answer in `frame` of a flow that began so.
    pub(super) const fn of(opening: Opening, frame: FrameId) -> Self {
        Self { time: opening.time, frame, begins: opening.frame }
    }

    pub(super) const fn to(self, client: IpAddr) -> Sight {
        let opening = Opening { time: self.time, frame: self.begins, client };
        Sight { time: self.time, frame: self.frame, opening }
    }
}
