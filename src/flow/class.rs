//! What flows are worth when room is short, and how long they may idle.

use crate::wire::Duration;

/// What a flow is worth when room is short, and how long it may idle.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Class {
    /// Closed or reset, and quiet since: nothing more is expected.
    Cold,
    /// No complete handshake: first to go.
    Opening,
    /// Closed or reset; waits for stragglers.
    Over,
    /// Datagrams of one side only.
    Unanswered,
    /// A connection of which one side has not shown that it hears the other: anybody can make them
    /// by the million.
    Unproven,
    /// Datagrams.
    Datagrams,
    /// A connection alive: last to go.
    Established,
}

impl Class {
    pub(super) const COUNT: usize = Self::ALL.len();
    /// All, the least valuable first.
    pub(super) const ALL: [Self; 7] = [
        Self::Cold,
        Self::Opening,
        Self::Over,
        Self::Unanswered,
        Self::Unproven,
        Self::Datagrams,
        Self::Established,
    ];

    /// Whether both sides were heard, so that one side alone cannot make such flows by the million.
    pub(super) const fn is_answered(self) -> bool {
        matches!(self, Self::Datagrams | Self::Established)
    }

    pub(super) const fn index(self) -> usize {
        match self {
            Self::Cold => 0,
            Self::Opening => 1,
            Self::Over => 2,
            Self::Unanswered => 3,
            Self::Unproven => 4,
            Self::Datagrams => 5,
            Self::Established => 6,
        }
    }
}

/// How long flows of each class may idle, in packet time.
#[derive(Clone, Copy, Debug)]
pub struct Idle {
    /// Half-open: above the 127 s over which Linux repeats a SYN.
    pub opening: Duration,
    /// After the end, until a flow is cold: longer than answers and copies of them are under way.
    pub cooling: Duration,
    /// After the end, until it is gone: two maximum segment lifetimes as stacks have them in practice.
    pub over: Duration,
    /// Datagrams, answered or not: as NATs keep them (RFC 4787 §4.3: 2 minutes at least).
    pub datagrams: Duration,
    /// Alive: an hour without a packet. Keep-alives come each 2 h at most, so a flow may be cut.
    pub established: Duration,
}

impl Idle {
    pub(super) const fn by_class(self) -> [Duration; Class::COUNT] {
        let Self { opening, over, datagrams, established, .. } = self;
        [over, opening, over, datagrams, established, datagrams, established]
    }
}

impl Default for Idle {
    fn default() -> Self {
        Self {
            opening: Duration::from_secs(130),
            cooling: Duration::from_secs(15),
            over: Duration::from_secs(60),
            datagrams: Duration::from_secs(120),
            established: Duration::from_secs(3600),
        }
    }
}
