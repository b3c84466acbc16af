//! Bytes that tell when they are given back.

pub struct Lent(pub String);

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        b"lent bytes"
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        println!("! ctx RELEASED id={}", self.0);
    }
}
