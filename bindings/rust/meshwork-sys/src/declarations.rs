// Made by bindings/rust/tables.py from the library. Do not edit.

use core::ffi::{c_char, c_int, c_void};

pub type mw_status = i32;
pub type mw_handle = u64;
pub type mw_event_fn = Option<unsafe extern "C" fn(ev: *const mw_event, data: *const u8, user: *mut c_void)>;
pub type mw_wake_fn = Option<unsafe extern "C" fn(user: *mut c_void)>;
pub type mw_free_fn = Option<unsafe extern "C" fn(hint: *mut c_void)>;

#[repr(C)]
pub struct mw_msg {
    _opaque: [u8; 0],
}

#[repr(C)]
pub struct mw_conf {
    _opaque: [u8; 0],
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct mw_error {
    /// the status returned
    pub code: i32,
    /// MW_SF_*
    pub flags: u32,
    /// errno where MW_SF_SYSTEM is set, else 0
    pub os: i32,
    /// bytes of text, without the NUL
    pub text_len: u32,
    /// one English sentence, UTF-8, NUL terminated, cut to fit
    pub text: [c_char; 240],
}

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct mw_event {
    /// MW_EVENT_*
    pub kind: u32,
    /// mw_status: why, or the result
    pub status: i32,
    /// the host's number for the object
    pub token: u64,
    /// op, ask, subscription, hint: see the kind
    pub id: u64,
    /// the peer concerned, or 0
    pub peer: u64,
    /// MW_F_*
    pub flags: u32,
    /// see the kind
    pub code: i32,
    /// of the topic
    pub offset: u32,
    /// bytes
    pub topic_len: u32,
    /// bytes: pairs of u16 key length, u32 value length, key, value
    pub meta_len: u32,
    /// bytes
    pub body_len: u32,
    /// with MW_F_REF: mw_msg* as a number; the host releases it
    pub msg: u64,
}

values! {
    MW_OK: i32 = 0;
    MW_BUFFERED: i32 = 1;
    MW_STORED: i32 = 2;
    MW_MORE: i32 = 3;
    MW_EINVAL: i32 = -1;
    MW_ENOMEM: i32 = -2;
    MW_EINTERNAL: i32 = -3;
    MW_ECLOSED: i32 = -4;
    MW_EKIND: i32 = -5;
    MW_ESTATE: i32 = -6;
    MW_EDEADLOCK: i32 = -7;
    MW_EFORK: i32 = -8;
    MW_EOPTION: i32 = -9;
    MW_EEND: i32 = -10;
    MW_ENOTSUP: i32 = -11;
    MW_EBUSY: i32 = -12;
    MW_EDUPLICATE: i32 = -13;
    MW_EPATTERN: i32 = -14;
    MW_EAGAIN: i32 = -20;
    MW_EDROPPED: i32 = -21;
    MW_EOVERFLOW: i32 = -22;
    MW_ETOOBIG: i32 = -23;
    MW_EMEMORY: i32 = -24;
    MW_ERATE: i32 = -25;
    MW_ENOTCONN: i32 = -30;
    MW_ERESOLVE: i32 = -31;
    MW_EREFUSED: i32 = -32;
    MW_EUNREACH: i32 = -33;
    MW_ERESET: i32 = -34;
    MW_EPEERGONE: i32 = -35;
    MW_EADDRINUSE: i32 = -36;
    MW_ETLS: i32 = -37;
    MW_EPROTO: i32 = -38;
    MW_EVERSION: i32 = -39;
    MW_EIO: i32 = -40;
    MW_EAUTH: i32 = -50;
    MW_EDENIED: i32 = -51;
    MW_EEXPIRED: i32 = -52;
    MW_ETIMEDOUT: i32 = -60;
    MW_ECANCELED: i32 = -61;
    MW_ENOSERVICE: i32 = -62;
    MW_ENOMETHOD: i32 = -63;
    MW_ENOPEER: i32 = -64;
    MW_EREMOTE: i32 = -65;
    MW_EPARTIAL: i32 = -66;
    MW_EDRAINING: i32 = -67;
    MW_ENOTLEADER: i32 = -68;
    MW_EREGISTRY: i32 = -70;
    MW_EDEAD: i32 = -72;
    MW_SF_RETRY: u32 = 1;
    MW_SF_FATAL: u32 = 2;
    MW_SF_SYSTEM: u32 = 4;
    MW_EVENT_UP: u32 = 1;
    MW_EVENT_DOWN: u32 = 2;
    MW_EVENT_READY: u32 = 3;
    MW_EVENT_CLOSED: u32 = 4;
    MW_EVENT_ERROR: u32 = 5;
    MW_EVENT_LOG: u32 = 6;
    MW_EVENT_PEER_UP: u32 = 10;
    MW_EVENT_PEER_DOWN: u32 = 11;
    MW_EVENT_MESSAGE: u32 = 20;
    MW_EVENT_WRITABLE: u32 = 21;
    MW_EVENT_SLOW: u32 = 22;
    MW_EVENT_DROPPED: u32 = 23;
    MW_EVENT_PING: u32 = 25;
    MW_EVENT_PONG: u32 = 26;
    MW_EVENT_INTEREST: u32 = 27;
    MW_EVENT_PART: u32 = 30;
    MW_EVENT_DONE: u32 = 31;
    MW_EVENT_RELEASED: u32 = 32;
    MW_EVENT_REQUEST: u32 = 40;
    MW_EVENT_CANCEL: u32 = 41;
    MW_EVENT_ASK: u32 = 50;
    MW_EVENT_MEMBER_UP: u32 = 60;
    MW_EVENT_MEMBER_DOWN: u32 = 61;
    MW_EVENT_MEMBER_CHANGED: u32 = 62;
    MW_EVENT_SERVICE_UP: u32 = 63;
    MW_EVENT_SERVICE_DOWN: u32 = 64;
    MW_EVENT_LEADER: u32 = 65;
    MW_EVENT_DRAINING: u32 = 66;
    MW_F_TEXT: u32 = 0x1;
    MW_F_COMPRESS: u32 = 0x2;
    MW_F_MORE: u32 = 0x4;
    MW_F_CONT: u32 = 0x8;
    MW_F_PING: u32 = 0x10;
    MW_F_ONEWAY: u32 = 0x100;
    MW_F_ALL: u32 = 0x400;
    MW_F_REPEAT: u32 = 0x800;
    MW_F_PARTS: u32 = 0x1000;
    MW_F_NOQUEUE: u32 = 0x2000;
    MW_F_LOCAL: u32 = 0x80;
    MW_F_RETAINED: u32 = 0x10000;
    MW_F_RESUMED: u32 = 0x80000;
    MW_F_DUMP: u32 = 0x200000;
    MW_F_FATAL: u32 = 0x800000;
    MW_F_REF: u32 = 0x1000000;
    MW_F_ASCII: u32 = 0x2000000;
    MW_CANCEL_ASKED: i32 = 1;
    MW_CANCEL_DEADLINE: i32 = 2;
    MW_CANCEL_GONE: i32 = 3;
    MW_FAIL_RETRY: u32 = 1;
    MW_CLOSE_ABORT: u32 = 1;
    MW_CONF_CTX: i32 = 1;
    MW_CONF_PROVIDER: i32 = 2;
    MW_CONF_CONSUMER: i32 = 3;
    MW_CONF_SUB: i32 = 4;
    MW_CONF_SERVICE: i32 = 5;
    MW_CONF_CALL: i32 = 6;
    MW_CONF_HUB: i32 = 7;
    MW_CONF_CHANNEL: i32 = 8;
    MW_CONF_SHARE: i32 = 9;
    MW_CONF_ELECT: i32 = 10;
    MW_CONF_NODE: i32 = 11;
    MW_CONF_MANAGER: i32 = 12;
    MW_STATE_IDLE: i32 = 0;
    MW_STATE_CONNECTING: i32 = 1;
    MW_STATE_UP: i32 = 2;
    MW_STATE_READY: i32 = 3;
    MW_STATE_WAITING: i32 = 4;
    MW_STATE_DRAINING: i32 = 5;
    MW_STAT_BUFFERED: i32 = 1;
    MW_STAT_LAST_BEAT: i32 = 2;
    MW_STAT_STRIKES: i32 = 3;
    MW_STAT_BEAT_INTERVAL: i32 = 4;
    MW_STAT_BEAT_CUTOFF: i32 = 5;
    MW_STAT_RTT: i32 = 6;
    MW_STAT_PEERS: i32 = 7;
    MW_STAT_IN_FLIGHT: i32 = 8;
    MW_STAT_BYTES_IN: i32 = 9;
    MW_STAT_BYTES_OUT: i32 = 10;
    MW_STAT_DROPPED: i32 = 11;
    MW_STAT_QUEUED: i32 = 12;
    MW_STAT_MESSAGES_IN: i32 = 13;
    MW_STAT_MESSAGES_OUT: i32 = 14;
}

extern "C" {
    pub fn mw_version() -> u32;
    pub fn mw_status_name(s: mw_status) -> *const c_char;
    pub fn mw_status_text(s: mw_status) -> *const c_char;
    pub fn mw_status_flags(s: mw_status) -> u32;
    pub fn mw_conf_new(kind: i32) -> *mut mw_conf;
    pub fn mw_conf_ref(c: *const mw_conf) -> *mut mw_conf;
    pub fn mw_conf_unref(c: *mut mw_conf);
    pub fn mw_conf_set(c: *mut mw_conf, key: *const c_char, klen: usize, val: *const c_char, vlen: usize, err: *mut mw_error) -> mw_status;
    pub fn mw_conf_load(c: *mut mw_conf, json: *const c_char, len: usize, err: *mut mw_error) -> mw_status;
    pub fn mw_conf_get(c: *const mw_conf, key: *const c_char, klen: usize, buf: *mut c_char, cap: usize, need: *mut usize) -> mw_status;
    pub fn mw_conf_describe(kind: i32, index: usize, json: *mut *mut mw_msg) -> mw_status;
    pub fn mw_msg_new(body: *const c_void, len: usize, flags: u32) -> *mut mw_msg;
    pub fn mw_msg_wrap(ctx: mw_handle, body: *const c_void, len: usize, release: mw_free_fn, hint: *mut c_void, flags: u32) -> *mut mw_msg;
    pub fn mw_msg_ref(m: *const mw_msg) -> *mut mw_msg;
    pub fn mw_msg_unref(m: *mut mw_msg);
    pub fn mw_msg_keep(ev: *const mw_event, data: *const u8) -> *mut mw_msg;
    pub fn mw_msg_set(m: *mut mw_msg, key: *const c_char, klen: usize, val: *const c_void, vlen: usize) -> mw_status;
    pub fn mw_msg_get(m: *const mw_msg, key: *const c_char, klen: usize, vlen: *mut usize) -> *const c_void;
    pub fn mw_msg_topic(m: *const mw_msg, len: *mut usize) -> *const c_char;
    pub fn mw_msg_body(m: *const mw_msg, len: *mut usize) -> *const c_void;
    pub fn mw_msg_meta(m: *const mw_msg, len: *mut usize) -> *const c_void;
    pub fn mw_msg_flags(m: *const mw_msg) -> u32;
    pub fn mw_ctx_open(c: *const mw_conf, ctx: *mut mw_handle, err: *mut mw_error) -> mw_status;
    pub fn mw_ctx_run(ctx: mw_handle, timeout_ms: i64, err: *mut mw_error) -> mw_status;
    pub fn mw_ctx_fd(ctx: mw_handle, fd: *mut c_int) -> mw_status;
    pub fn mw_ctx_waker(ctx: mw_handle, call: mw_wake_fn, user: *mut c_void) -> mw_status;
    pub fn mw_ctx_wait(ctx: mw_handle, timeout_ms: i64) -> mw_status;
    pub fn mw_ctx_wake(ctx: mw_handle) -> mw_status;
    pub fn mw_ctx_dispatch(ctx: mw_handle, max: usize, n: *mut usize) -> mw_status;
    pub fn mw_ctx_take(ctx: mw_handle, ev: *mut mw_event, stride: usize, cap: usize, slab: *mut c_void, slab_len: usize, n: *mut usize) -> mw_status;
    pub fn mw_ctx_join(ctx: mw_handle, timeout_ms: i64) -> mw_status;
    pub fn mw_cancel(h: mw_handle, op: u64) -> mw_status;
    pub fn mw_on(h: mw_handle, call: mw_event_fn, user: *mut c_void, free_user: mw_free_fn) -> mw_status;
    pub fn mw_start(h: mw_handle, op: u64, err: *mut mw_error) -> mw_status;
    pub fn mw_update(h: mw_handle, c: *const mw_conf, op: u64, err: *mut mw_error) -> mw_status;
    pub fn mw_token(h: mw_handle, token: u64) -> mw_status;
    pub fn mw_pause(h: mw_handle, on: c_int) -> mw_status;
    pub fn mw_drain(h: mw_handle, deadline_ms: i64, op: u64, err: *mut mw_error) -> mw_status;
    pub fn mw_close(h: mw_handle, code: i32, reason: *const c_char, rlen: usize, flags: u32) -> mw_status;
    pub fn mw_state(h: mw_handle) -> mw_status;
    pub fn mw_stat(h: mw_handle, what: i32, value: *mut i64) -> mw_status;
    pub fn mw_info(h: mw_handle, what: *const c_char, wlen: usize, now: *mut *mut mw_msg, op: u64, err: *mut mw_error) -> mw_status;
    pub fn mw_answer(ask: mw_handle, allow: c_int, json: *const c_char, len: usize, err: *mut mw_error) -> mw_status;
    pub fn mw_provider_open(ctx: mw_handle, c: *const mw_conf, token: u64, h: *mut mw_handle, err: *mut mw_error) -> mw_status;
    pub fn mw_consumer_open(ctx: mw_handle, c: *const mw_conf, token: u64, h: *mut mw_handle, err: *mut mw_error) -> mw_status;
    pub fn mw_send(h: mw_handle, m: *const mw_msg, flags: u32, op: u64) -> mw_status;
    pub fn mw_send_bytes(h: mw_handle, body: *const c_void, len: usize, flags: u32) -> mw_status;
    pub fn mw_send_records(ctx: mw_handle, ev: *mut mw_event, stride: usize, n: usize, base: *const c_void) -> mw_status;
    pub fn mw_publish(h: mw_handle, topic: *const c_char, tlen: usize, m: *const mw_msg, except: mw_handle, flags: u32, op: u64) -> mw_status;
    pub fn mw_subscribe(h: mw_handle, pat: *const c_char, plen: usize, sub: *const mw_conf, token: u64, op: u64, id: *mut mw_handle, err: *mut mw_error) -> mw_status;
    pub fn mw_unsubscribe(h: mw_handle, pat: *const c_char, plen: usize, op: u64) -> mw_status;
    pub fn mw_subscribed(h: mw_handle, topic: *const c_char, tlen: usize) -> mw_status;
    pub fn mw_cork(h: mw_handle, on: c_int) -> mw_status;
    pub fn mw_node_open(ctx: mw_handle, c: *const mw_conf, token: u64, h: *mut mw_handle, err: *mut mw_error) -> mw_status;
    pub fn mw_manager_open(ctx: mw_handle, c: *const mw_conf, token: u64, h: *mut mw_handle, err: *mut mw_error) -> mw_status;
    pub fn mw_serve(h: mw_handle, name: *const c_char, nlen: usize, service: *const mw_conf, token: u64, id: *mut mw_handle, err: *mut mw_error) -> mw_status;
    pub fn mw_call(h: mw_handle, target: *const c_char, tlen: usize, m: *const mw_msg, how: *const mw_conf, timeout_ms: i64, parent: mw_handle, flags: u32, op: u64, err: *mut mw_error) -> mw_status;
    pub fn mw_reply(req: mw_handle, m: *const mw_msg, flags: u32, op: u64) -> mw_status;
    pub fn mw_fail(req: mw_handle, code: mw_status, json: *const c_char, len: usize, flags: u32) -> mw_status;
    pub fn mw_channel_open(ctx: mw_handle, c: *const mw_conf, token: u64, h: *mut mw_handle, err: *mut mw_error) -> mw_status;
    pub fn mw_hub_open(ctx: mw_handle, c: *const mw_conf, token: u64, h: *mut mw_handle, err: *mut mw_error) -> mw_status;
    pub fn mw_share_open(ctx: mw_handle, c: *const mw_conf, token: u64, h: *mut mw_handle, err: *mut mw_error) -> mw_status;
    pub fn mw_elect(h: mw_handle, name: *const c_char, nlen: usize, c: *const mw_conf, token: u64, id: *mut mw_handle, err: *mut mw_error) -> mw_status;
}
