//! Some ports of many.

use std::num::NonZeroU16;

/// The lowest of some ports, in order.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Ports([Option<NonZeroU16>; 4]);

impl Ports {
    /// Adds one; beyond four the greatest is given up.
    pub(super) fn add(&mut self, port: u16) {
        let Some(mut port) = NonZeroU16::new(port) else { return };
        for place in &mut self.0 {
            match *place {
                None => {
                    *place = Some(port);
                    return;
                }
                Some(own) if own == port => return,
                Some(own) if own > port => {
                    *place = Some(port);
                    port = own;
                }
                Some(_) => {}
            }
        }
    }

    pub(super) fn told(self) -> impl Iterator<Item = u16> {
        self.0.into_iter().flatten().map(NonZeroU16::get)
    }
}
