//! The C interface of [meshwork](https://docs.rs/meshwork), as it is. The comments of `<meshwork/*.h>` say
//! what each function does, who owns what and which thread may call it; the crate `meshwork` is the safe one.
//!
//! The library is found by pkg-config; the feature `vendored` builds it from source and links it statically.
#![no_std]
#![allow(non_camel_case_types)]

use core::ffi::{c_char, c_void};

/// Negative: refused or failed. 0: done. Positive: done, with a remark.
pub type mw_status = i32;
/// Name of a live thing; 0 is never valid, a stale one answers `MW_ECLOSED`.
pub type mw_handle = u64;

/// One message, immutable once used, reference counted.
#[repr(C)]
pub struct mw_msg {
    _opaque: [u8; 0],
}

/// Options of one kind of object.
#[repr(C)]
pub struct mw_conf {
    _opaque: [u8; 0],
}

/// Detail of a failure.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mw_error {
    pub code: i32,
    pub flags: u32,
    pub os: i32,
    pub text_len: u32,
    pub text: [c_char; 240],
}

/// One event.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct mw_event {
    pub kind: u32,
    pub status: i32,
    pub token: u64,
    pub id: u64,
    pub peer: u64,
    pub flags: u32,
    pub code: i32,
    pub offset: u32,
    pub topic_len: u32,
    pub meta_len: u32,
    pub body_len: u32,
    pub msg: u64,
}

pub type mw_event_fn = Option<unsafe extern "C" fn(ev: *const mw_event, data: *const u8, user: *mut c_void)>;
pub type mw_wake_fn = Option<unsafe extern "C" fn(user: *mut c_void)>;
pub type mw_free_fn = Option<unsafe extern "C" fn(hint: *mut c_void)>;

/// Length of text that ends with a NUL byte.
pub const MW_NTS: usize = usize::MAX;

macro_rules! values {
    ($($name:ident: $type:ty = $value:expr;)*) => {
        $(pub const $name: $type = $value;)*
        /// Every value by its name: what the layout test compares.
        #[doc(hidden)]
        pub const VALUES: &[(&str, i64)] = &[$((stringify!($name), $name as i64)),*];
    };
}

#[rustfmt::skip]
mod declarations;

pub use declarations::*;
