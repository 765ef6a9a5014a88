//! Any text as a token, and as a set of public keys: refused without a panic.
#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use palabre::{
    moderation::{Moderation, SsoKeys},
    store::Store,
};
use tokio::runtime::Runtime;

struct Service {
    runtime: Runtime,
    moderation: Moderation,
    _directory: tempfile::TempDir,
}

static SERVICE: OnceLock<Service> = OnceLock::new();

fn service() -> Service {
    let runtime = Runtime::new().expect("a runtime");
    let directory = tempfile::tempdir().expect("a directory");
    let moderation = runtime.block_on(async {
        let store = Store::open_file(&directory.path().join("palabre.db")).await;
        Moderation::open(store.expect("a database")).await.expect("a service")
    });
    Service {
        runtime,
        moderation,
        _directory: directory,
    }
}

fuzz_target!(|text: &str| {
    let service = SERVICE.get_or_init(service);
    let outcome = service.runtime.block_on(service.moderation.verify_token(text));
    assert!(outcome.is_err(), "nobody can make a token up");
    let _ = SsoKeys::parse(text);
});
