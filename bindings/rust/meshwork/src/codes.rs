// Made by bindings/rust/tables.py from the library. Do not edit.

use crate::Code;

impl Code {
    /// Done.
    pub const OK: Code = Code(0);
    /// Accepted; more than the soft mark is waiting to be sent.
    pub const BUFFERED: Code = Code(1);
    /// Accepted and stored durably.
    pub const STORED: Code = Code(2);
    /// Events are left; come again.
    pub const MORE: Code = Code(3);
    /// An argument is not valid.
    pub const EINVAL: Code = Code(-1);
    /// There is no memory left.
    pub const ENOMEM: Code = Code(-2);
    /// The library met a case it does not handle; please report it.
    pub const EINTERNAL: Code = Code(-3);
    /// The handle is closed or was never opened.
    pub const ECLOSED: Code = Code(-4);
    /// The handle or conf is of another kind.
    pub const EKIND: Code = Code(-5);
    /// This is not allowed in the present state.
    pub const ESTATE: Code = Code(-6);
    /// Waiting here would wait for the caller itself.
    pub const EDEADLOCK: Code = Code(-7);
    /// The handle belongs to the parent process.
    pub const EFORK: Code = Code(-8);
    /// An option's key or value is not valid.
    pub const EOPTION: Code = Code(-9);
    /// There is nothing more.
    pub const EEND: Code = Code(-10);
    /// This is not supported here.
    pub const ENOTSUP: Code = Code(-11);
    /// Somebody else is doing this at the moment.
    pub const EBUSY: Code = Code(-12);
    /// It exists already.
    pub const EDUPLICATE: Code = Code(-13);
    /// The topic pattern is not valid.
    pub const EPATTERN: Code = Code(-14);
    /// Refused because too much is waiting; nothing was kept.
    pub const EAGAIN: Code = Code(-20);
    /// The overflow policy dropped the message.
    pub const EDROPPED: Code = Code(-21);
    /// Too much was waiting, so the overflow policy ended the link.
    pub const EOVERFLOW: Code = Code(-22);
    /// It is larger than the limit and can never fit.
    pub const ETOOBIG: Code = Code(-23);
    /// The context's memory budget is used up.
    pub const EMEMORY: Code = Code(-24);
    /// The peer sent faster than its rate limit.
    pub const ERATE: Code = Code(-25);
    /// There is no connection at the moment.
    pub const ENOTCONN: Code = Code(-30);
    /// The host name could not be resolved.
    pub const ERESOLVE: Code = Code(-31);
    /// The connection was refused.
    pub const EREFUSED: Code = Code(-32);
    /// The host or network cannot be reached.
    pub const EUNREACH: Code = Code(-33);
    /// The connection was cut by the other side.
    pub const ERESET: Code = Code(-34);
    /// The peer went away before it answered.
    pub const EPEERGONE: Code = Code(-35);
    /// The address is already in use.
    pub const EADDRINUSE: Code = Code(-36);
    /// The TLS handshake or session failed.
    pub const ETLS: Code = Code(-37);
    /// The peer broke the protocol.
    pub const EPROTO: Code = Code(-38);
    /// The two sides share no wire or version.
    pub const EVERSION: Code = Code(-39);
    /// The operating system reported a failure.
    pub const EIO: Code = Code(-40);
    /// The credentials were not accepted.
    pub const EAUTH: Code = Code(-50);
    /// A rule does not allow this.
    pub const EDENIED: Code = Code(-51);
    /// The credentials have expired.
    pub const EEXPIRED: Code = Code(-52);
    /// It took longer than allowed.
    pub const ETIMEDOUT: Code = Code(-60);
    /// It was cancelled.
    pub const ECANCELED: Code = Code(-61);
    /// The other side is shutting down and takes no new work.
    pub const EDRAINING: Code = Code(-67);
}
