//! What tests of several processes' matters share.
use meshwork::{Context, Options};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

/// A runtime directory that ends with its test.
pub struct Place(pub PathBuf);

impl Place {
    pub fn new() -> Place {
        static LAST: AtomicU32 = AtomicU32::new(0);
        let number = LAST.fetch_add(1, Ordering::Relaxed);
        Place(std::env::temp_dir().join(format!("meshwork-rust-{}-{number}", std::process::id())))
    }

    pub fn put(&self, options: Options) -> Options {
        options.set("dir", self.0.display())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub fn context() -> Context {
    Context::open(Options::context()).unwrap()
}
