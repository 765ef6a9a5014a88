//! Any bytes as a model, and the shipped model with any of its bytes changed: refused without a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use palabre::classifier::Model;

fuzz_target!(|input: (Vec<u8>, Vec<(u32, u8)>)| {
    let (bytes, changes) = input;
    assert!(Model::from_bytes(&bytes).is_err());
    let mut changed = Model::SHIPPED.to_vec();
    for (at, with) in changes {
        let length = changed.len();
        changed[at as usize % length] ^= with;
    }
    let same = changed == Model::SHIPPED;
    assert_eq!(Model::from_bytes(&changed).is_ok(), same);
});
