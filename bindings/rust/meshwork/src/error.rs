//! Why something was refused or failed.
use crate::ffi;
use std::fmt;

/// What calls answer.
pub type Result<T> = std::result::Result<T, Error>;

/// A status code of the library; its values are constants such as [`Code::EAGAIN`].
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Code(pub(crate) i32);

impl Code {
    /// The number of the C interface, such as -20.
    pub fn value(self) -> i32 {
        self.0
    }

    /// The name of the C interface, such as `MW_EAGAIN`.
    pub fn name(self) -> &'static str {
        ffi::status_name(self.0)
    }

    /// One English sentence.
    pub fn text(self) -> &'static str {
        ffi::status_text(self.0)
    }

    /// Whether trying again later may succeed.
    pub fn retryable(self) -> bool {
        ffi::status_flags(self.0) & ffi::MW_SF_RETRY != 0
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A refusal or a failure: its code, and a sentence that says what to do where the library has one.
#[derive(Clone, PartialEq, Eq)]
pub struct Error {
    code: Code,
    os: i32,
    detail: Box<str>,
}

impl Error {
    pub(crate) fn new(code: i32) -> Error {
        Error { code: Code(code), os: 0, detail: "".into() }
    }

    pub(crate) fn detail(self, os: i32, detail: &str) -> Error {
        Error { os, detail: detail.into(), ..self }
    }

    /// The code, to compare with [`Code`]'s constants.
    pub fn code(&self) -> Code {
        self.code
    }

    /// The name of the code, such as `MW_EAGAIN`.
    pub fn name(&self) -> &'static str {
        self.code.name()
    }

    /// Whether trying again later may succeed.
    pub fn retryable(&self) -> bool {
        self.code.retryable()
    }

    /// What the operating system said (`errno`), where it did.
    pub fn os(&self) -> Option<std::io::Error> {
        (self.os != 0).then(|| std::io::Error::from_raw_os_error(self.os))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.detail.is_empty() { self.code.text() } else { &self.detail })
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {self}", self.name())
    }
}

impl std::error::Error for Error {}
