//! Devices that others have described, by the marks of the packets that they forge.
//!
//! A name is given only where every mark of an entry fits that this capture can show, and where at
//! least three can be shown (IPv6 has no identification, a lone RST no steps). "Unknown" is the
//! usual answer and a good one: marks can be imitated, and most devices have never been described.
//!
//! Left out for want of marks: Russia's older devices (an identification of 0 or 1 alone is many
//! a stack's), and devices that send nothing.

use super::Scene;
use crate::flow::Sighting;
use crate::wire::TcpFlags;

/// The device whose marks `forged` bear, all packets to the client and in order.
pub(super) fn device_of(scene: &Scene<'_>, forged: &[&Sighting]) -> Option<&'static str> {
    by_notice(scene, forged).or_else(|| {
        let fits = |device: &&Device| device.fits(scene, forged);
        DEVICES.iter().find(fits).map(|device| device.name)
    })
}

/// Notices that only one network shows.
fn by_notice(scene: &Scene<'_>, forged: &[&Sighting]) -> Option<&'static str> {
    let ours = |frame| forged.iter().any(|seen| seen.frame == frame);
    let answer = scene.answers.iter().find(|answer| ours(answer.begins))?;
    let notice = answer.notice.as_ref().filter(|notice| notice.specific)?;
    NOTICES.iter().find(|(prefix, _)| notice.name.starts_with(prefix)).map(|(_, name)| *name)
}

/// Beginnings of the names of notices in the builtin list.
const NOTICES: [(&str, &str); 2] = [("iran_", "Iran"), ("koryolink_", "Koryolink")];

/// Whether a mark is there; `None` where this capture cannot show it.
type Mark = fn(&Scene<'_>, &[&Sighting]) -> Option<bool>;

/// One described device.
struct Device {
    name: &'static str,
    marks: &'static [Mark],
}

impl Device {
    fn fits(&self, scene: &Scene<'_>, forged: &[&Sighting]) -> bool {
        let shown: Vec<bool> = self.marks.iter().filter_map(|mark| mark(scene, forged)).collect();
        shown.len() >= SHOWN_MIN && shown.iter().all(|fits| *fits)
    }
}

const SHOWN_MIN: usize = 3;

/// From Bock and others 2021 and later work on China's devices, Weaver and others 2009, the
/// captures of 2006, 2009 and 2022, and Nourin and others 2023 (Turkmenistan). The more particular
/// stand first.
static DEVICES: [Device; 9] = [
    Device {
        name: "RAE",
        marks: &[rst_ack, |_, f| each(f, |seen| seen.seq.0 == 0), reserved, ack_is_isn, copies_syn],
    },
    Device {
        name: "Sandvine type",
        marks: &[
            |_, f| Some(f.len() == 2),
            |_, f| steps(f).map(|steps| steps == [12_503]),
            |_, f| id_steps(f).map(|steps| steps == [2]),
            |_, f| each(f, |seen| seen.is_reset() && seen.window == 10_240),
        ],
    },
    Device {
        name: "China, earlier",
        marks: &[rst, |_, f| steps(f).map(|steps| steps == [1_460, 2_920]), rising],
    },
    Device {
        name: "Henan",
        marks: &[
            rst_ack,
            |_, f| id(f, |id| id == 1),
            |_, f| each(f, |seen| seen.payload_len == 10),
            |_, f| each(f, |seen| seen.ttl.guess_initial().0 == 64),
        ],
    },
    Device {
        name: "China III",
        marks: &[
            rst_ack,
            fragments,
            |_, f| id(f, |id| (0x9916..=0x9933).contains(&id)),
            |_, f| each(f, |seen| seen.ttl.0 >= 224),
        ],
    },
    Device { name: "China II", marks: &[rst_ack, unfragmented, |_, f| Some(f.len() == 3), alike] },
    Device {
        name: "China I",
        marks: &[rst, fragments, |_, f| id(f, |id| id == 0), |_, f| Some(f.len() == 1)],
    },
    Device {
        name: "Turkmenistan",
        marks: &[
            rst,
            |_, f| each(f, |seen| seen.seq.0 == 0),
            |_, f| each(f, |seen| seen.window == 0),
            |_, f| each(f, |seen| seen.ttl.guess_initial().0 == 128),
        ],
    },
    Device {
        name: "Iran",
        marks: &[
            |_, f| each(f, |seen| !seen.flags.contains(TcpFlags::PSH) && seen.has_ack()),
            |_, f| each(f, |seen| seen.is_reset() || seen.is_fin()),
            |_, f| each(f, |seen| (180..=192).contains(&seen.ttl.0)),
            no_timestamp,
        ],
    },
];

/// Whether all fit; nothing is shown by none.
fn each(forged: &[&Sighting], fits: impl Fn(&Sighting) -> bool) -> Option<bool> {
    (!forged.is_empty()).then(|| forged.iter().all(|seen| fits(seen)))
}

/// Whether all identifications fit, where there are any.
fn id(forged: &[&Sighting], fits: impl Fn(u16) -> bool) -> Option<bool> {
    let ids: Vec<u16> = forged.iter().filter_map(|seen| seen.ip_id).collect();
    (!ids.is_empty()).then(|| ids.into_iter().all(fits))
}

fn rst(_: &Scene<'_>, forged: &[&Sighting]) -> Option<bool> {
    each(forged, |seen| seen.is_reset() && !seen.has_ack())
}

fn rst_ack(_: &Scene<'_>, forged: &[&Sighting]) -> Option<bool> {
    each(forged, |seen| seen.is_reset() && seen.has_ack())
}

fn fragments(_: &Scene<'_>, forged: &[&Sighting]) -> Option<bool> {
    id(forged, |_| true)?;
    each(forged, |seen| !seen.dont_fragment)
}

fn unfragmented(_: &Scene<'_>, forged: &[&Sighting]) -> Option<bool> {
    id(forged, |_| true)?;
    each(forged, |seen| seen.dont_fragment)
}

/// All of one sequence number, acknowledgment and window.
fn alike(_: &Scene<'_>, forged: &[&Sighting]) -> Option<bool> {
    let first = forged.first()?;
    let same =
        |seen: &Sighting| (seen.seq, seen.ack, seen.window) == (first.seq, first.ack, first.window);
    each(forged, same)
}

/// TTL and window rise from one packet to the next.
fn rising(_: &Scene<'_>, forged: &[&Sighting]) -> Option<bool> {
    let rises =
        |(one, next): (&&Sighting, &&Sighting)| next.ttl > one.ttl && next.window > one.window;
    (forged.len() > 1).then(|| forged.iter().zip(forged.iter().skip(1)).all(rises))
}

fn reserved(_: &Scene<'_>, forged: &[&Sighting]) -> Option<bool> {
    let all = TcpFlags::RESERVED.union(TcpFlags::AE);
    each(forged, |seen| seen.flags.contains(all))
}

fn ack_is_isn(scene: &Scene<'_>, forged: &[&Sighting]) -> Option<bool> {
    let syn = scene.handshake.syn?;
    each(forged, |seen| seen.ack == syn.seq)
}

fn copies_syn(scene: &Scene<'_>, forged: &[&Sighting]) -> Option<bool> {
    let syn = scene.handshake.syn?;
    each(forged, |seen| seen.ip_id == syn.ip_id && seen.window == syn.window)
}

fn no_timestamp(scene: &Scene<'_>, forged: &[&Sighting]) -> Option<bool> {
    scene.handshake.negotiated_timestamps().filter(|agreed| *agreed)?;
    each(forged, |seen| seen.timestamps.is_none())
}

/// How far each sequence number lies beyond the one before.
fn steps(forged: &[&Sighting]) -> Option<Vec<i32>> {
    let pairs = forged.iter().zip(forged.iter().skip(1));
    (forged.len() > 1).then(|| pairs.map(|(one, next)| next.seq.distance_from(one.seq)).collect())
}

/// The same for identifications.
fn id_steps(forged: &[&Sighting]) -> Option<Vec<u16>> {
    let pairs = forged.iter().zip(forged.iter().skip(1));
    pairs.map(|(one, next)| Some(next.ip_id?.wrapping_sub(one.ip_id?))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::sample::{CLIENT_ISN, down, handshake, opening, scene};
    use super::*;
    use crate::wire::{SeqNumber, Ttl};

    const RST: TcpFlags = TcpFlags::RST;
    const RST_ACK: TcpFlags = TcpFlags::RST.union(TcpFlags::ACK);

    fn forged(flags: TcpFlags, ip_id: u16, ttl: u8) -> Sighting {
        Sighting {
            ip_id: Some(ip_id),
            ttl: Ttl(ttl),
            dont_fragment: false,
            timestamps: None,
            ..down(5, 60, flags)
        }
    }

    fn named(packets: &[Sighting]) -> Option<&'static str> {
        let log = opening();
        let mut log_handshake = handshake(&log);
        if let Some(syn) = &mut log_handshake.syn {
            syn.ip_id = Some(0x1234);
        }
        let packets: Vec<&Sighting> = packets.iter().collect();
        device_of(&scene(&log_handshake, &log), &packets)
    }

    #[test]
    fn each_entry_is_known_by_its_marks() {
        let china_i = forged(RST, 0, 100);
        let china_ii = Sighting { dont_fragment: true, ..forged(RST_ACK, 77, 90) };
        let china_iii = forged(RST_ACK, 0x9920, 248);
        let henan = Sighting { payload_len: 10, ..forged(RST_ACK, 1, 58) };
        let zero = Sighting { seq: SeqNumber(0), window: 0, ..forged(RST, 30_000, 120) };
        let rising = |n: u32| Sighting {
            seq: SeqNumber([1, 1_461, 4_381][n as usize]),
            window: 2_000 + n as u16,
            ..forged(RST, 4, 60 + n as u8)
        };
        let pair =
            |seq, id| Sighting { seq: SeqNumber(seq), window: 10_240, ..forged(RST, id, 60) };
        let every = TcpFlags::RESERVED.union(TcpFlags::AE).union(RST_ACK);
        let rae =
            Sighting { seq: SeqNumber(0), ack: SeqNumber(CLIENT_ISN), ..forged(every, 0x1234, 60) };
        let table: [(&[Sighting], &str); 9] = [
            (&[china_i], "China I"),
            (&[china_ii, china_ii, china_ii], "China II"),
            (&[china_iii], "China III"),
            (&[henan], "Henan"),
            (&[zero], "Turkmenistan"),
            (&[rising(0), rising(1), rising(2)], "China, earlier"),
            (&[pair(10, 7), pair(12_513, 9)], "Sandvine type"),
            (&[rae], "RAE"),
            (&[forged(RST_ACK, 5, 188)], "Iran"),
        ];
        for (packets, name) in table {
            assert_eq!(named(packets), Some(name));
        }
    }

    #[test]
    fn a_mark_that_does_not_fit_leaves_it_unknown() {
        assert_eq!(named(&[forged(RST, 9, 100)]), None);
        assert_eq!(named(&[forged(RST_ACK, 0x9920, 60)]), None);
        assert_eq!(named(&[forged(RST, 0, 100), forged(RST, 0, 100)]), None);
    }

    #[test]
    fn where_too_few_marks_can_be_shown_it_is_unknown() {
        let v6 = Sighting { ip_id: None, ..forged(RST, 0, 100) };
        assert_eq!(named(&[v6]), None);
        assert_eq!(named(&[]), None);
    }
}
