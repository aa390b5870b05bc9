//! From an ended flow to what `correlate` compares: how fast it was, and what ceiling it met.

use super::conversation::Conversation;
use super::silence::road;
use crate::correlate::{Name, Road, Slow, Subject, Swift, Swifts};
use crate::detect::{Held, Speed};
use crate::flow::TcpFlow;
use crate::wire::{FlowKey, FrameId};

/// Notes in `swifts` how fast a TCP flow was; gives the ceiling that it met.
pub(super) fn of_tcp(
    key: &FlowKey,
    (conversation, hosts): (&Conversation, &[(Name, Option<FrameId>)]),
    swifts: &mut Swifts,
) -> Option<Box<Slow>> {
    let Conversation { flow, rates, watch, .. } = conversation;
    if flow.rewound {
        return None;
    }
    let road = road(key, flow.client);
    for speed in rates.speeds(flow) {
        for (name, _) in hosts {
            let Some(subject) = name.subject(0) else { continue };
            runs_of((road, &subject), flow, &speed).for_each(|swift| swifts.add(swift));
        }
    }
    let Held { ceiling, host, source, trigger } = rates.conclude(flow, watch)?;
    let (subject, begins) = (Subject::of(&host, 0)?, flow.first_frame);
    Some(Box::new(Slow { road, subject, source, trigger, begins, ceiling }))
}

fn runs_of(
    (road, subject): (Road, &Subject),
    flow: &TcpFlow,
    speed: &Speed,
) -> impl Iterator<Item = Swift> {
    let runs = [true, false].into_iter().zip(speed.runs);
    runs.filter_map(move |(whole, run)| {
        Some(Swift {
            road,
            subject: subject.clone(),
            direction: speed.direction,
            begins: flow.first_frame,
            run: run?,
            whole,
            lost: speed.lost,
        })
    })
}
