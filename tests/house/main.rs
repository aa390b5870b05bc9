//! The walls of the house, held by reading `src/` as text.
//!
//! A room names only the rooms that the table allows, a crate is used in its own rooms only, no
//! room reads a clock, nothing is unsafe, nothing gives up or prints where a packet is odd, and
//! files and functions stay short. Tests inside `src/` are held to the length of files and to the
//! absence of `unsafe` only.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

#[cfg(test)]
mod checks;
#[cfg(test)]
mod paths;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod source;
#[cfg(test)]
mod walls;

use walls::{LODGERS, ROOMS};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_walls_stand() {
    let sources = source::read_all(&root().join("src"));
    assert!(sources.len() > 100, "only {} files", sources.len());
    let faults: Vec<String> =
        sources.iter().flat_map(checks::faults).map(|fault| fault.to_string()).collect();
    assert!(faults.is_empty(), "\n{}\n\n{}", faults.join("\n"), walls::table());
}

#[test]
fn every_room_is_in_the_table() {
    let entries = fs::read_dir(root().join("src")).expect("src");
    let rooms: BTreeSet<String> = entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.is_dir())
        .map(|path| path.file_name().unwrap_or_default().to_string_lossy().into_owned())
        .collect();
    let table: BTreeSet<String> = ROOMS.iter().map(|room| room.name.to_owned()).collect();
    assert_eq!(rooms, table);
}

#[test]
fn arrows_point_one_way() {
    // The table is in an order in which each room names only rooms before it.
    for (place, room) in ROOMS.iter().enumerate() {
        for named in room.may_name {
            let there = ROOMS.iter().position(|other| other.name == *named);
            assert!(there < Some(place), "{} -> {named} runs back up", room.name);
        }
    }
}

#[test]
fn every_dependency_has_a_room() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("Cargo.toml");
    let dependencies = manifest
        .lines()
        .skip_while(|line| *line != "[dependencies]")
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| line.split_once([' ', '=', '.']))
        .map(|(name, _)| name.replace('-', "_"))
        .filter(|name| !name.is_empty() && !name.starts_with('#'));
    let dependencies: BTreeSet<String> = dependencies.collect();
    let table: BTreeSet<String> = LODGERS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(dependencies, table, "left: Cargo.toml, right: tests/house/walls.rs");
}
