//! Who speaks with whom, and in what phase.
//!
//! Enters: segments and datagrams (`wire`). Leaves: for each segment an [`Observation`], for each
//! flow its counters, roles, handshake and end. Kept: one slot of the lane's [`FlowTable`] for each
//! flow alive; a slot is found by one hash of the order-free key. A TCP connection that has carried
//! no payload is only a [`Prelude`]: its headers, to be taken in when it speaks or ends; of one that was
//! judged only its [`Remains`] are there. Bounds: the
//! table's capacity; where it is full, half-open flows go first, so that a flood of SYNs does not
//! push out established flows. Flows also leave by idling beyond the limit of their phase, in packet
//! time.
//!
//! Not done here: bytes (`stream`), names (`protocol`), judgement (`detect`). A table belongs to
//! one lane, that is to one thread, and is never shared: there is nothing to lock.

mod class;
mod lifecycle;
mod prelude;
mod remains;
mod sighting;
mod signature;
mod slab;
mod table;
mod tcp;
mod udp;

pub use class::{Class, Idle};
pub use lifecycle::{Event, Phase};
pub use prelude::Prelude;
pub use remains::Remains;
pub use sighting::Sighting;
pub use table::{BUNCH_MAX, Bunch, FlowHasher, FlowTable, SlotId};
pub use tcp::{Handshake, Observation, SenderState, TcpFlow};
pub use udp::UdpFlow;
