//! Forged DNS answers: two answers to one query, answers that are known or cannot be true, answers
//! too soon, answers built by another program.
//!
//! *Enters:* messages with the headers that brought them ([`Book::message`]); at the end of a
//! recording all exchanges, first to learn each resolver's [`Habits`], which are then
//! [settled](Habits::settle), and then to be [judged](judge()).
//! *Leaves:* for each exchange that is odd a [`Suspicion`]; innocent ones leave nothing. *Kept:* for
//! each flow a [`Book`]: exchanges under way and the closed ones that will be told. *Bounds:*
//! [`Book::OPEN_MAX`] exchanges under way, closed after [`Book::OPEN_SPAN`]; [`Book::TOLD_MAX`]
//! told ones and as many again that stand out; [`Exchange::REPLIES_MAX`] replies to each; of all
//! resolvers together 16,384 questions, and of each the first 8 answers.
//!
//! What is normal for a resolver is learnt from all flows to it, because clients ask each question
//! from a port of its own. So nothing is judged before all exchanges are known, and the order of
//! flows does not matter.
//!
//! # Two answers to one query
//!
//! One honest resolver sends one answer to one query. The innocent twins are the client that asks
//! again (as many answers are allowed for as queries were seen), the rotation of a balanced set
//! (the same or neighbouring addresses), the frame captured twice, and the answer cut to fit (TC).
//! Two answers prove a third party where the query was sent once, the answers deny each other, come
//! within a second (a client that asks again waits longer), and their headers are those of two
//! senders. Which of the two is forged is told by the resolver's habits; failing these, by EDNS that
//! was asked for and is missing, and by who was sooner, because who forges must be first.
//!
//! # One answer, from nearer
//!
//! A device in the path that swallows the question leaves one answer. Where it is rare, the
//! resolver's habit gives it away. Where it is not, it becomes a habit itself, as a balancer's second
//! machine does; then it is told by how the answers split: by name, which no balancer does, and with
//! one answer for unrelated names, which no cache gives. `split.rs` says how that is weighed.
//!
//! # One address for many names
//!
//! Where the true answer came as well, an address is shown to be false. Answers of odd make for other
//! names that hold the same address are judged by that, too ([`Forgeries`]).
//!
//! # Not done here
//!
//! Multicast DNS has many honest answerers and is never judged. Over TCP the headers belong to the
//! connection (`reset`, `response`), so only the content of answers is looked at.
//!
//! [`Suspicion`]: crate::evidence::Suspicion

mod again;
mod book;
mod content;
mod device;
mod exchange;
mod habit;
mod impossible;
mod judge;
mod ledger;
mod marks;
mod pairs;
mod quarrel;
mod split;
#[cfg(test)]
mod tests;

pub use again::Forgeries;
pub use book::{Book, stands_out};
pub use exchange::{Exchange, Query, Reply, Stamp};
pub use habit::{Habits, Look};
pub use judge::judge;
