//! Plans the packets of a TCP connection: handshake, data in windows, acknowledgments, an end.

use super::packet::{ACK, FIN, PSH, SYN};
use super::rng::Rng;
use super::talk::{CLIENT, SERVER, Shot, Talk};

/// How far the ends are from the capture point, and how they send.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Path {
    /// From the capture point to each end and back, in ns.
    pub(crate) rtt: [u64; 2],
    /// Between two segments of one window, in ns.
    pub(crate) spacing: u64,
    /// Payloads of full segments, in turn: as they are on the wire, or as a card joined them.
    pub(crate) segments: [u64; 4],
    /// Segments in the first window; it doubles up to 16 times as much.
    pub(crate) window: u64,
}

/// A connection being planned.
pub(crate) struct Plan<'a> {
    pub(crate) talk: &'a mut Talk,
    path: Path,
    /// The time at the capture point.
    pub(crate) now: u64,
    /// What each side has sent.
    pub(crate) sent: [u64; 2],
    /// When the last packet passed that each side has got from the other.
    heard: [u64; 2],
}

impl<'a> Plan<'a> {
    /// Nothing was sent yet.
    pub(crate) const fn begin(talk: &'a mut Talk, path: Path, start: u64) -> Self {
        Self { talk, path, now: start, sent: [0; 2], heard: [start; 2] }
    }

    /// Both ends' SYNs and the client's ACK.
    pub(crate) fn open(talk: &'a mut Talk, path: Path, start: u64) -> Self {
        let mut plan = Self::begin(talk, path, start);
        plan.shoot(CLIENT, SYN, 0);
        plan.reach(SERVER);
        plan.shoot(SERVER, SYN | ACK, 0);
        plan.reach(CLIENT);
        plan.shoot(CLIENT, ACK, 0);
        plan
    }

    /// What passed now reaches `side`, which answers at once.
    pub(crate) fn reach(&mut self, side: usize) {
        self.heard[side] = self.now;
        self.now += self.path.rtt[side];
    }

    /// From the capture point to `side` and back, in ns.
    pub(crate) const fn rtt(&self, side: usize) -> u64 {
        self.path.rtt[side]
    }

    pub(crate) const fn wait(&mut self, ns: u64) {
        self.now += ns;
    }

    /// A packet of `side`, now, with all acknowledged that the other side has sent.
    pub(crate) fn shoot(&mut self, side: usize, flags: u8, len: u64) {
        let shot = Shot {
            at: self.now,
            from: side,
            flags,
            is_forged: false,
            len: len as u16,
            offset: self.sent[side],
            ack: self.sent[1 - side],
            echo: self.heard[side],
        };
        self.sent[side] += len;
        self.talk.shots.push(shot);
    }

    /// A packet that `side` did not send, `offset` bytes beyond what it has sent.
    pub(crate) fn forge(&mut self, side: usize, flags: u8, (len, offset): (u64, u64)) {
        self.shoot(side, flags, 0);
        if let Some(shot) = self.talk.shots.last_mut() {
            shot.is_forged = true;
            shot.len = len as u16;
            shot.offset += offset;
        }
    }

    /// `side` sends all that its stream holds, window by window; the other side acknowledges each
    /// second segment.
    pub(crate) fn say(&mut self, side: usize) {
        let mut left = self.talk.ends[side].stream.len() - self.sent[side];
        let mut window = self.path.window;
        while left > 0 {
            let mut last = self.now;
            for n in 1..=window {
                let len = left.min(self.path.segments[(n % 4) as usize]);
                left -= len;
                let flags = if left == 0 || n == window { PSH | ACK } else { ACK };
                self.shoot(side, flags, len);
                last = self.now;
                if n % 2 == 0 || left == 0 {
                    self.acknowledge(1 - side);
                }
                if left == 0 {
                    break;
                }
                self.now += self.path.spacing;
            }
            self.now = last + self.path.rtt[1 - side];
            if left > 0 {
                self.reach(side);
                window = (window * 2).min(self.path.window * 16);
            }
        }
    }

    /// `side` acknowledges, after the way that it takes, what has passed so far.
    fn acknowledge(&mut self, side: usize) {
        let passed = self.now;
        self.heard[side] = passed;
        self.now += self.path.rtt[side];
        self.shoot(side, ACK, 0);
        self.now = passed;
    }

    /// An orderly end, begun by `side`.
    pub(crate) fn close(&mut self, side: usize) {
        self.shoot(side, FIN | ACK, 0);
        self.sent[side] += 1;
        self.reach(1 - side);
        self.shoot(1 - side, FIN | ACK, 0);
        self.sent[1 - side] += 1;
        self.reach(side);
        self.shoot(side, ACK, 0);
    }
}

/// 1 % of the segments with data come after the next one, 0.5 % once more.
pub(crate) fn disturb(talk: &mut Talk, rng: &mut Rng, path: &Path) {
    let planned = talk.shots.len();
    for n in 0..planned {
        let shot = talk.shots[n];
        if shot.len == 0 || shot.is_forged {
            continue;
        }
        let next = talk.shots[n + 1..planned]
            .iter()
            .take(3)
            .find(|next| next.from == shot.from && next.len > 0)
            .map(|next| next.at)
            .filter(|at| at - shot.at <= LATE_NS_MAX);
        match (rng.below(200), next) {
            (0, _) => {
                let late = path.rtt[0] + path.rtt[1] + 200_000_000;
                talk.shots.push(Shot { at: shot.at + late, ..shot });
            }
            // Only those that have a near successor can change places; two in five have.
            (1..=LATE, Some(at)) => talk.shots[n].at = at + 1000,
            _ => {}
        }
    }
    talk.settle();
}

/// In 200.
const LATE: u64 = 3;
const LATE_NS_MAX: u64 = 400_000;
