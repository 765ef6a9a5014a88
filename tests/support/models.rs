//! Models that differ from the shipped one, made without training.

#![allow(
    dead_code,
    reason = "each test target uses what it needs of the shared helpers"
)]

use palabre::classifier::Model;
use serde_json::Value;
use xxhash_rust::xxh3::xxh3_64;

/// The magic number and the format.
const BEGIN: usize = 12;

/// The shipped model with another header.
pub fn changed(change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let shipped = Model::SHIPPED;
    let number = |at: usize| u32::from_le_bytes(shipped[at..at + 4].try_into().unwrap());
    let sections = if number(8) == 1 { 2 } else { 4 };
    let from = BEGIN + 4 * sections;
    let to = from + number(BEGIN) as usize;
    let mut header: Value = serde_json::from_slice(&shipped[from..to]).unwrap();
    change(&mut header);
    let header = serde_json::to_vec(&header).unwrap();
    let mut bytes = shipped[..BEGIN].to_vec();
    bytes.extend_from_slice(&(header.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&shipped[BEGIN + 4..from]);
    bytes.extend_from_slice(&header);
    bytes.extend_from_slice(&shipped[to..shipped.len() - 8]);
    let check = xxh3_64(&bytes);
    bytes.extend_from_slice(&check.to_le_bytes());
    bytes
}

/// A model of that name to which every text is likelier to be an insult.
pub fn wary(version: &str) -> Vec<u8> {
    changed(|header| {
        header["version"] = version.into();
        header["bias"]["insult"] = (header["bias"]["insult"].as_f64().unwrap() + 1.0).into();
    })
}

/// A model of that name to which every text is an insult.
pub fn harsh(version: &str) -> Vec<u8> {
    changed(|header| {
        header["version"] = version.into();
        header["bias"]["insult"] = 30.into();
    })
}
