//! Any text as a cursor: refused without a panic unless it is one that we gave.
#![no_main]

use libfuzzer_sys::fuzz_target;
use palabre::domain::Cursor;

fuzz_target!(|text: &str| {
    let _ = Cursor::read::<_, (i64, String)>(text, &("fuzz", 1));
});
