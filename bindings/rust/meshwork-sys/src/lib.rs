//! The C interface of [meshwork](https://docs.rs/meshwork), as it is. The comments of `<meshwork/*.h>` say
//! what each function does, who owns what and which thread may call it; the crate `meshwork` is the safe one.
//!
//! The library is found by pkg-config; the feature `vendored` builds it from source and links it statically.
#![no_std]
#![allow(non_camel_case_types)]

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
