//! The border: the one file that names a symbol of the C library, and the one with `unsafe`. What it shows is
//! safe: handles are numbers the library checks, messages and options are owned references, and nothing unwinds
//! into C.
#![allow(unsafe_code)]

use crate::{Error, Flags, Result};
use meshwork_sys as sys;
use std::any::Any;
use std::ffi::{c_char, c_void, CStr};
use std::mem::{size_of, MaybeUninit};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr::{null_mut, NonNull};
use std::sync::Arc;

pub use sys::mw_event as Head;
pub use sys::*;

/// Makes a call that fills in a detail where it fails.
fn told(call: impl FnOnce(*mut sys::mw_error) -> i32) -> Result<()> {
    let mut e = MaybeUninit::<sys::mw_error>::zeroed();
    let status = call(e.as_mut_ptr());
    if status >= 0 {
        return Ok(());
    }
    // All zero is a valid mw_error, so it is initialised whatever the call wrote.
    let e = unsafe { e.assume_init() };
    let text: Vec<u8> = e.text.iter().take(e.text_len.min(240) as usize).map(|c| *c as u8).collect();
    Err(Error::new(status).detail(e.os, &String::from_utf8_lossy(&text)))
}

/// What a status that is no failure says.
fn value(status: i32) -> Result<i32> {
    if status >= 0 {
        Ok(status)
    } else {
        Err(Error::new(status))
    }
}

fn plain(status: i32) -> Result<()> {
    value(status).map(drop)
}

fn chars(text: &str) -> *const c_char {
    text.as_ptr().cast()
}

/// Bytes the library owns; empty where it has none.
unsafe fn bytes<'a>(p: *const c_void, len: usize) -> &'a [u8] {
    if p.is_null() || len == 0 {
        &[]
    } else {
        std::slice::from_raw_parts(p.cast(), len)
    }
}

pub fn version() -> u32 {
    unsafe { sys::mw_version() }
}

pub fn status_name(code: i32) -> &'static str {
    unsafe { CStr::from_ptr(sys::mw_status_name(code)) }.to_str().unwrap_or("MW_EUNKNOWN")
}

pub fn status_text(code: i32) -> &'static str {
    unsafe { CStr::from_ptr(sys::mw_status_text(code)) }.to_str().unwrap_or("unknown status")
}

pub fn status_flags(code: i32) -> u32 {
    unsafe { sys::mw_status_flags(code) }
}

// ---- Options -------------------------------------------------------------

/// A reference to options. One thread at a time, so it is Send and not Sync.
pub struct Conf(NonNull<sys::mw_conf>);

unsafe impl Send for Conf {}

impl Conf {
    pub fn new(kind: i32) -> Option<Conf> {
        NonNull::new(unsafe { sys::mw_conf_new(kind) }).map(Conf)
    }

    pub fn set(&mut self, key: &str, value: &[u8]) -> Result<()> {
        told(|e| unsafe {
            sys::mw_conf_set(self.0.as_ptr(), chars(key), key.len(), value.as_ptr().cast(), value.len(), e)
        })
    }

    pub fn load(&mut self, json: &str) -> Result<()> {
        told(|e| unsafe { sys::mw_conf_load(self.0.as_ptr(), chars(json), json.len(), e) })
    }

    pub fn get(&self, key: &str) -> Result<String> {
        let mut buf = vec![0u8; 256];
        loop {
            let mut need = 0;
            let status = unsafe {
                let at = buf.as_mut_ptr().cast();
                sys::mw_conf_get(self.0.as_ptr(), chars(key), key.len(), at, buf.len(), &mut need)
            };
            if status == MW_ETOOBIG && need >= buf.len() {
                buf.resize(need + 1, 0);
                continue;
            }
            if status < 0 {
                return Err(Error::new(status));
            }
            buf.truncate(need);
            return Ok(String::from_utf8_lossy(&buf).into_owned());
        }
    }
}

impl Drop for Conf {
    fn drop(&mut self) {
        unsafe { sys::mw_conf_unref(self.0.as_ptr()) }
    }
}

/// Option number `index` of a kind, described as JSON.
pub fn describe(kind: i32, index: usize) -> Option<Message> {
    let mut json = null_mut();
    unsafe { sys::mw_conf_describe(kind, index, &mut json) };
    NonNull::new(json).map(Message)
}

// ---- Messages ------------------------------------------------------------

/// A message of its own: a counted reference, cheap to clone, that any thread may hold and send any number of times.
pub struct Message(NonNull<sys::mw_msg>);

// Immutable once made: headers are set before anybody else can see it.
unsafe impl Send for Message {}
unsafe impl Sync for Message {}

impl Message {
    /// A copy of bytes, with `TEXT` and `COMPRESS` as given, and with headers (own wire).
    pub fn copy(body: &[u8], flags: Flags, headers: &[(&str, &[u8])]) -> Result<Message> {
        Message::made(unsafe { sys::mw_msg_new(body.as_ptr().cast(), body.len(), flags.bits()) }, headers)
    }

    /// The owner's bytes without a copy; it is dropped when the library needs them no more, on any thread.
    pub fn from_owner<T>(owner: T, flags: Flags, headers: &[(&str, &[u8])]) -> Result<Message>
    where
        T: AsRef<[u8]> + Send + Sync + 'static,
    {
        unsafe extern "C" fn release<T>(hint: *mut c_void) {
            let owner = Box::from_raw(hint.cast::<T>());
            quietly(|| drop(owner));
        }
        let owner = Box::into_raw(Box::new(owner));
        let m = unsafe {
            let (body, hint) = ((*owner).as_ref(), owner.cast());
            sys::mw_msg_wrap(0, body.as_ptr().cast(), body.len(), Some(release::<T>), hint, flags.bits())
        };
        if m.is_null() {
            drop(unsafe { Box::from_raw(owner) });
        }
        Message::made(m, headers)
    }

    fn made(m: *mut sys::mw_msg, headers: &[(&str, &[u8])]) -> Result<Message> {
        const WHY: &str =
            "No message: the text is not UTF-8, a flag is none of TEXT and COMPRESS, or no memory is left.";
        let it = NonNull::new(m).map(Message).ok_or_else(|| Error::new(MW_EINVAL).detail(0, WHY))?;
        for (key, value) in headers {
            plain(unsafe { sys::mw_msg_set(m, chars(key), key.len(), value.as_ptr().cast(), value.len()) })?;
        }
        Ok(it)
    }

    /// A header.
    pub fn header(&self, key: &str) -> Option<&[u8]> {
        let mut len = 0;
        let p = unsafe { sys::mw_msg_get(self.0.as_ptr(), chars(key), key.len(), &mut len) };
        (!p.is_null()).then(|| unsafe { bytes(p, len) })
    }

    /// Every header as it travels: u16 key length, u32 value length (both in the machine's order), key, value.
    pub fn meta(&self) -> &[u8] {
        let mut len = 0;
        unsafe { bytes(sys::mw_msg_meta(self.0.as_ptr(), &mut len), len) }
    }

    /// The topic it was published with, or "".
    pub fn topic(&self) -> &str {
        let mut len = 0;
        let topic = unsafe { bytes(sys::mw_msg_topic(self.0.as_ptr(), &mut len).cast(), len) };
        std::str::from_utf8(topic).unwrap_or_default()
    }

    /// The bytes.
    pub fn body(&self) -> &[u8] {
        let mut len = 0;
        unsafe { bytes(sys::mw_msg_body(self.0.as_ptr(), &mut len), len) }
    }

    /// `TEXT` and `COMPRESS`.
    pub fn flags(&self) -> Flags {
        Flags(unsafe { sys::mw_msg_flags(self.0.as_ptr()) })
    }
}

impl Clone for Message {
    fn clone(&self) -> Message {
        unsafe { Message(NonNull::new_unchecked(sys::mw_msg_ref(self.0.as_ptr()))) }
    }
}

impl Drop for Message {
    fn drop(&mut self) {
        unsafe { sys::mw_msg_unref(self.0.as_ptr()) }
    }
}

// ---- Events --------------------------------------------------------------

/// An event while its bytes live: inside the callback.
#[derive(Clone, Copy)]
pub struct Record<'a> {
    pub head: &'a Head,
    data: *const u8,
}

// Bytes nobody writes while the borrow lasts; keeping them copies, or adds an atomic reference.
unsafe impl Send for Record<'_> {}
unsafe impl Sync for Record<'_> {}

impl<'a> Record<'a> {
    fn cut(&self, skip: u32, len: u32) -> &'a [u8] {
        // The library promises topic, meta and body back to back at data + offset.
        unsafe { bytes(self.data.wrapping_add(self.head.offset as usize + skip as usize).cast(), len as usize) }
    }

    pub fn topic(&self) -> &'a [u8] {
        self.cut(0, self.head.topic_len)
    }

    pub fn meta(&self) -> &'a [u8] {
        self.cut(self.head.topic_len, self.head.meta_len)
    }

    pub fn body(&self) -> &'a [u8] {
        if self.head.flags & MW_F_REF == 0 {
            return self.cut(self.head.topic_len + self.head.meta_len, self.head.body_len);
        }
        let mut len = 0;
        unsafe { bytes(sys::mw_msg_body(self.head.msg as usize as *const sys::mw_msg, &mut len), len) }
    }

    /// The event's bytes as a message of its own.
    pub fn message(&self) -> Option<Message> {
        NonNull::new(unsafe { sys::mw_msg_keep(self.head, self.data) }).map(Message)
    }

    /// A copy that stays.
    pub fn keep(&self) -> Kept {
        let (topic, meta, body) = (self.topic(), self.meta(), self.body());
        let flags = self.head.flags & !MW_F_REF;
        Kept(Head { flags, offset: 0, body_len: body.len() as u32, msg: 0, ..*self.head }, [topic, meta, body].concat())
    }
}

/// An event with bytes of its own.
#[derive(Clone)]
pub struct Kept(Head, Vec<u8>);

impl Kept {
    /// A DROPPED of the binding's own.
    pub fn dropped(code: i32) -> Kept {
        Kept(Head { kind: MW_EVENT_DROPPED, status: MW_EOVERFLOW, code, ..Head::default() }, Vec::new())
    }

    pub fn record(&self) -> Record<'_> {
        Record { head: &self.0, data: self.1.as_ptr() }
    }
}

/// Who hears the events of a context or of what lives in it.
pub trait Listener: Send + Sync + 'static {
    fn event(&self, record: Record<'_>);
    /// After each event, and with what `event` panicked with. This one must not panic.
    fn after(&self, record: Record<'_>, panic: Option<Box<dyn Any + Send>>);
}

/// Runs what a user made where a panic has nowhere to go: the hook prints it. A payload that panics in turn when it is
/// dropped is leaked; nothing unwinds into C.
pub fn quietly(run: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(run)) {
        let _ = catch_unwind(AssertUnwindSafe(|| drop(payload))).map_err(std::mem::forget);
    }
}

unsafe extern "C" fn hear<L: Listener>(ev: *const Head, data: *const u8, user: *mut c_void) {
    let listener = &*user.cast::<L>();
    let record = Record { head: &*ev, data };
    let panic = catch_unwind(AssertUnwindSafe(|| listener.event(record))).err();
    listener.after(record, panic);
}

unsafe extern "C" fn release<L: Listener>(user: *mut c_void) {
    let listener = Arc::from_raw(user.cast::<L>().cast_const());
    quietly(|| drop(listener));
}

/// Installs the listener; the library keeps a reference until after CLOSED.
pub fn on<L: Listener>(h: u64, listener: Arc<L>) -> Result<()> {
    let user = Arc::into_raw(listener).cast_mut().cast();
    let answer = plain(unsafe { sys::mw_on(h, Some(hear::<L>), user, Some(release::<L>)) });
    if answer.is_err() {
        unsafe { release::<L>(user) }; // the library did not take it
    }
    answer
}

// ---- Verbs ---------------------------------------------------------------

/// Each a call that says nothing but whether it was accepted.
macro_rules! calls {
    ($($name:ident($($arg:ident: $type:ty),*), $detail:pat => $call:expr;)*) => {$(
        pub fn $name($($arg: $type),*) -> Result<()> {
            told(|$detail| unsafe { $call })
        }
    )*};
}

calls! {
    ctx_run(ctx: u64), e => sys::mw_ctx_run(ctx, -1, e);
    ctx_join(ctx: u64), _ => sys::mw_ctx_join(ctx, -1);
    cancel(h: u64, op: u64), _ => sys::mw_cancel(h, op);
    start(h: u64, op: u64), e => sys::mw_start(h, op, e);
    update(h: u64, conf: &Conf, op: u64), e => sys::mw_update(h, conf.0.as_ptr(), op, e);
    token(h: u64, token: u64), _ => sys::mw_token(h, token);
    pause(h: u64, on: bool), _ => sys::mw_pause(h, on.into());
    cork(h: u64, on: bool), _ => sys::mw_cork(h, on.into());
    drain(h: u64, deadline_ms: i64, op: u64), e => sys::mw_drain(h, deadline_ms, op, e);
    close(h: u64, code: i32, reason: &[u8], flags: u32), _ =>
        sys::mw_close(h, code, reason.as_ptr().cast(), reason.len(), flags);
    answer(ask: u64, allow: bool, json: &str), e => sys::mw_answer(ask, allow.into(), chars(json), json.len(), e);
    publish(h: u64, topic: &str, m: &Message, except: u64, flags: u32, op: u64), _ =>
        sys::mw_publish(h, chars(topic), topic.len(), m.0.as_ptr(), except, flags, op);
    fail(request: u64, code: i32, json: &str, flags: u32), _ =>
        sys::mw_fail(request, code, if json.is_empty() { std::ptr::null() } else { chars(json) }, json.len(), flags);
    unsubscribe(h: u64, pattern: &str, op: u64), _ => sys::mw_unsubscribe(h, chars(pattern), pattern.len(), op);
}

pub fn ctx_open(conf: &Conf) -> Result<u64> {
    let mut h = 0;
    told(|e| unsafe { sys::mw_ctx_open(conf.0.as_ptr(), &mut h, e) }).map(|_| h)
}

/// Waits for events and makes their callbacks (queued).
pub fn ctx_dispatch(ctx: u64) -> Result<()> {
    let mut n = 0;
    plain(unsafe { sys::mw_ctx_wait(ctx, -1) })?;
    plain(unsafe { sys::mw_ctx_dispatch(ctx, 0, &mut n) })
}

pub fn party_open(kind: i32, ctx: u64, conf: &Conf) -> Result<u64> {
    let open = match kind {
        MW_CONF_PROVIDER => sys::mw_provider_open,
        MW_CONF_CHANNEL => sys::mw_channel_open,
        MW_CONF_HUB => sys::mw_hub_open,
        MW_CONF_SHARE => sys::mw_share_open,
        MW_CONF_NODE => sys::mw_node_open,
        MW_CONF_MANAGER => sys::mw_manager_open,
        _ => sys::mw_consumer_open,
    };
    let mut h = 0;
    told(|e| unsafe { open(ctx, conf.0.as_ptr(), 0, &mut h, e) }).map(|_| h)
}

/// Stands in an election.
pub fn elect(ctx: u64, name: &str, conf: &Conf) -> Result<u64> {
    let mut h = 0;
    told(|e| unsafe { sys::mw_elect(ctx, chars(name), name.len(), conf.0.as_ptr(), 0, &mut h, e) }).map(|_| h)
}

pub fn state(h: u64) -> Result<i32> {
    value(unsafe { sys::mw_state(h) })
}

pub fn stat(h: u64, what: i32) -> Result<i64> {
    let mut value = 0;
    plain(unsafe { sys::mw_stat(h, what, &mut value) }).map(|_| value)
}

/// A fact at once, or none where `op` has its DONE with it.
pub fn info(h: u64, what: &str, op: u64) -> Result<Option<Message>> {
    let mut now = null_mut();
    told(|e| unsafe { sys::mw_info(h, chars(what), what.len(), &mut now, op, e) })?;
    Ok(NonNull::new(now).map(Message))
}

pub fn send(h: u64, m: &Message, flags: u32, op: u64) -> Result<i32> {
    value(unsafe { sys::mw_send(h, m.0.as_ptr(), flags, op) })
}

pub fn send_bytes(h: u64, body: &[u8], flags: u32) -> Result<i32> {
    value(unsafe { sys::mw_send_bytes(h, body.as_ptr().cast(), body.len(), flags) })
}

/// Sends the records, whose bodies must lie in `base`; each gets its status.
pub fn send_records(ctx: u64, records: &mut [Head], base: &[u8]) -> Result<()> {
    let inside = |r: &Head| r.flags & MW_F_REF == 0 && r.offset as usize + r.body_len as usize <= base.len();
    if !records.iter().all(inside) {
        return Err(Error::new(MW_EINVAL));
    }
    let n = records.len();
    plain(unsafe { sys::mw_send_records(ctx, records.as_mut_ptr(), size_of::<Head>(), n, base.as_ptr().cast()) })
}

pub fn subscribe(h: u64, pattern: &str, sub: &Conf, op: u64) -> Result<()> {
    let (p, n) = (chars(pattern), pattern.len());
    told(|e| unsafe { sys::mw_subscribe(h, p, n, sub.0.as_ptr(), 0, op, null_mut(), e) })
}

/// Subscribes; the answer is the subscription's handle.
pub fn subscription(h: u64, pattern: &str, sub: &Conf, token: u64, op: u64) -> Result<u64> {
    let (p, n, mut id) = (chars(pattern), pattern.len(), 0);
    told(|e| unsafe { sys::mw_subscribe(h, p, n, sub.0.as_ptr(), token, op, &mut id, e) }).map(|_| id)
}

/// Serves; the answer is the service's handle.
pub fn serve(h: u64, name: &str, service: &Conf, token: u64) -> Result<u64> {
    let mut id = 0;
    told(|e| unsafe { sys::mw_serve(h, chars(name), name.len(), service.0.as_ptr(), token, &mut id, e) }).map(|_| id)
}

#[allow(clippy::too_many_arguments)] // the C function's
pub fn call(
    h: u64,
    to: &str,
    m: &Message,
    how: Option<&Conf>,
    ms: i64,
    parent: u64,
    flags: u32,
    op: u64,
) -> Result<()> {
    let how = how.map_or(null_mut(), |conf| conf.0.as_ptr());
    told(|e| unsafe { sys::mw_call(h, chars(to), to.len(), m.0.as_ptr(), how, ms, parent, flags, op, e) })
}

pub fn reply(request: u64, m: &Message, flags: u32) -> Result<i32> {
    value(unsafe { sys::mw_reply(request, m.0.as_ptr(), flags, 0) })
}

pub fn subscribed(h: u64, topic: &str) -> Result<i32> {
    value(unsafe { sys::mw_subscribed(h, chars(topic), topic.len()) })
}
