//! Models that differ from the shipped one, made without training.

use palabre::classifier::Model;
use serde_json::Value;
use xxhash_rust::xxh3::xxh3_64;

/// Bytes before the header: the magic number, and three or more numbers.
const FIXED: usize = 20;

/// The shipped model with another header.
pub fn changed(change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let shipped = Model::SHIPPED;
    let number = |at: usize| u32::from_le_bytes(shipped[at..at + 4].try_into().unwrap());
    let length = number(12) as usize;
    let mut header: Value = serde_json::from_slice(&shipped[FIXED..FIXED + length]).unwrap();
    change(&mut header);
    let header = serde_json::to_vec(&header).unwrap();
    let mut bytes = shipped[..12].to_vec();
    bytes.extend_from_slice(&(header.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&shipped[16..FIXED]);
    bytes.extend_from_slice(&header);
    bytes.extend_from_slice(&shipped[FIXED + length..shipped.len() - 8]);
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
