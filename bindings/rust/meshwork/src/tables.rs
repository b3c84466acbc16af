// Made by bindings/rust/tables.py from the library. Do not edit.

use crate::{Code, Flags};

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
    /// The other side serves nothing of this name.
    pub const ENOSERVICE: Code = Code(-62);
    /// The service has no such method.
    pub const ENOMETHOD: Code = Code(-63);
    /// No member serves this now.
    pub const ENOPEER: Code = Code(-64);
    /// The other side failed to answer.
    pub const EREMOTE: Code = Code(-65);
    /// Some of the members failed to answer.
    pub const EPARTIAL: Code = Code(-66);
    /// The other side is shutting down and takes no new work.
    pub const EDRAINING: Code = Code(-67);
    /// Another process leads this share.
    pub const ENOTLEADER: Code = Code(-68);
    /// No manager of the mesh answers.
    pub const EREGISTRY: Code = Code(-70);
    /// It was tried as often as its queue allows, and given up.
    pub const EDEAD: Code = Code(-72);
}

impl Flags {
    /// UTF-8 text, checked.
    pub const TEXT: Flags = Flags(0x1);
    /// Compress if the link negotiated it.
    pub const COMPRESS: Flags = Flags(0x2);
    /// First or middle fragment of a message.
    pub const MORE: Flags = Flags(0x4);
    /// Middle or last fragment.
    pub const CONT: Flags = Flags(0x8);
    /// A ping, at most 125 bytes.
    pub const PING: Flags = Flags(0x10);
    /// A call that nobody answers.
    pub const ONEWAY: Flags = Flags(0x100);
    /// A call of a node: to every member that serves it.
    pub const ALL: Flags = Flags(0x400);
    /// A oneway call of a share: again to each new leader.
    pub const REPEAT: Flags = Flags(0x800);
    /// The body is a list: u32 length and bytes, each, little endian (wire meshwork).
    pub const PARTS: Flags = Flags(0x1000);
    /// Refuse while offline, even with an offline buffer.
    pub const NOQUEUE: Flags = Flags(0x2000);
    /// Seen: sent by this handle itself.
    pub const LOCAL: Flags = Flags(0x80);
    /// Seen: the last value of a key, from before the subscription.
    pub const RETAINED: Flags = Flags(0x10000);
    /// Seen in UP.
    pub const RESUMED: Flags = Flags(0x80000);
    /// Seen in LOG: an event of a channel that its hub dumps.
    pub const DUMP: Flags = Flags(0x200000);
    /// Seen in ERROR.
    pub const FATAL: Flags = Flags(0x800000);
    /// Seen with TEXT: body is ASCII only.
    pub const ASCII: Flags = Flags(0x2000000);
    pub(crate) const NAMES: &'static [(Flags, &'static str)] = &[
        (Flags::TEXT, "TEXT"),
        (Flags::COMPRESS, "COMPRESS"),
        (Flags::MORE, "MORE"),
        (Flags::CONT, "CONT"),
        (Flags::PING, "PING"),
        (Flags::ONEWAY, "ONEWAY"),
        (Flags::ALL, "ALL"),
        (Flags::REPEAT, "REPEAT"),
        (Flags::PARTS, "PARTS"),
        (Flags::NOQUEUE, "NOQUEUE"),
        (Flags::LOCAL, "LOCAL"),
        (Flags::RETAINED, "RETAINED"),
        (Flags::RESUMED, "RESUMED"),
        (Flags::DUMP, "DUMP"),
        (Flags::FATAL, "FATAL"),
        (Flags::ASCII, "ASCII"),
    ];
}

/// What an event is about, and what its fields mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// A usable link or listener; `code`: attempts; `text`: facts as JSON.
    Up,
    /// The link is lost; `status` why, `code` close code, `retry_in`, `text` the reason.
    Down,
    /// Connected, and everything after it done.
    Ready,
    /// The last event of a handle (`id`); `status` why, `code` close code, `text` the reason.
    Closed,
    /// A failure in the background; `status`, `text`.
    Error,
    /// A line; `code` the level from 1 (error) to 5 (trace), `topic` the area, `text` the line.
    Log,
    /// A peer was admitted; `peer`; `text`: facts as JSON.
    PeerUp,
    /// The last event of a peer; `status` why, `code` close code, `text` the reason.
    PeerDown,
    /// A message; `peer` (provider), `topic`, `body` or `text`, `message` with its headers.
    Message,
    /// There is room again for sends; `peer` (provider).
    Writable,
    /// A peer is slow; `id` bytes wait, `code` the policy about to act.
    Slow,
    /// Messages were dropped; `code` how many, `status` why, `body` the last one.
    Dropped,
    /// A ping came (told only when asked for by the option `events`).
    Ping,
    /// A pong came; `id` the round trip in microseconds.
    Pong,
    /// Who is subscribed changed; `topic`, `code` the new count, `id` the old one.
    Interest,
    /// Of a streamed answer: id op; peer; meta; body.
    Part,
    /// A call to answer: id request handle; code ms left, -1 none; peer caller; topic method; meta; body.
    Request,
    /// A request is over: id its handle, now stale; status why; code MW_CANCEL_*; body reason.
    Cancel,
    /// May this client come in? Answer with `ask`; `text`: the request as JSON.
    Ask,
    /// Of a node: a member is there; id incarnation; topic its service; body JSON: name, address ....
    MemberUp,
    /// A member is gone; status why; id incarnation; topic; body JSON: name, reason, by ....
    MemberDown,
    /// As MEMBER_UP; code 1 it is suspected, 0 it is well or has changed.
    MemberChanged,
    /// A member serves topic; code how many other members do now; body JSON: member, version, methods.
    ServiceUp,
    /// A member serves topic no more; as SERVICE_UP.
    ServiceDown,
    /// Of a share or an election: topic its name; code 1 this process leads, 0 another, -1 none; id epoch.
    Leader,
    /// The other side drains; `code` ms until our turn, `id` its deadline in ms.
    Draining,
    /// One this crate does not know yet.
    Other(u32),
}

impl Kind {
    /// That of a number of the C interface.
    pub fn of(number: u32) -> Kind {
        match number {
            1 => Kind::Up,
            2 => Kind::Down,
            3 => Kind::Ready,
            4 => Kind::Closed,
            5 => Kind::Error,
            6 => Kind::Log,
            10 => Kind::PeerUp,
            11 => Kind::PeerDown,
            20 => Kind::Message,
            21 => Kind::Writable,
            22 => Kind::Slow,
            23 => Kind::Dropped,
            25 => Kind::Ping,
            26 => Kind::Pong,
            27 => Kind::Interest,
            30 => Kind::Part,
            40 => Kind::Request,
            41 => Kind::Cancel,
            50 => Kind::Ask,
            60 => Kind::MemberUp,
            61 => Kind::MemberDown,
            62 => Kind::MemberChanged,
            63 => Kind::ServiceUp,
            64 => Kind::ServiceDown,
            65 => Kind::Leader,
            66 => Kind::Draining,
            other => Kind::Other(other),
        }
    }

    /// The number of the C interface.
    pub fn number(self) -> u32 {
        match self {
            Kind::Up => 1,
            Kind::Down => 2,
            Kind::Ready => 3,
            Kind::Closed => 4,
            Kind::Error => 5,
            Kind::Log => 6,
            Kind::PeerUp => 10,
            Kind::PeerDown => 11,
            Kind::Message => 20,
            Kind::Writable => 21,
            Kind::Slow => 22,
            Kind::Dropped => 23,
            Kind::Ping => 25,
            Kind::Pong => 26,
            Kind::Interest => 27,
            Kind::Part => 30,
            Kind::Request => 40,
            Kind::Cancel => 41,
            Kind::Ask => 50,
            Kind::MemberUp => 60,
            Kind::MemberDown => 61,
            Kind::MemberChanged => 62,
            Kind::ServiceUp => 63,
            Kind::ServiceDown => 64,
            Kind::Leader => 65,
            Kind::Draining => 66,
            Kind::Other(other) => other,
        }
    }

    /// The name of the C interface, such as `UP`.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Up => "UP",
            Kind::Down => "DOWN",
            Kind::Ready => "READY",
            Kind::Closed => "CLOSED",
            Kind::Error => "ERROR",
            Kind::Log => "LOG",
            Kind::PeerUp => "PEER_UP",
            Kind::PeerDown => "PEER_DOWN",
            Kind::Message => "MESSAGE",
            Kind::Writable => "WRITABLE",
            Kind::Slow => "SLOW",
            Kind::Dropped => "DROPPED",
            Kind::Ping => "PING",
            Kind::Pong => "PONG",
            Kind::Interest => "INTEREST",
            Kind::Part => "PART",
            Kind::Request => "REQUEST",
            Kind::Cancel => "CANCEL",
            Kind::Ask => "ASK",
            Kind::MemberUp => "MEMBER_UP",
            Kind::MemberDown => "MEMBER_DOWN",
            Kind::MemberChanged => "MEMBER_CHANGED",
            Kind::ServiceUp => "SERVICE_UP",
            Kind::ServiceDown => "SERVICE_DOWN",
            Kind::Leader => "LEADER",
            Kind::Draining => "DRAINING",
            Kind::Other(_) => "OTHER",
        }
    }

    /// That of a name of the C interface.
    pub fn named(name: &str) -> Option<Kind> {
        match name {
            "UP" => Some(Kind::Up),
            "DOWN" => Some(Kind::Down),
            "READY" => Some(Kind::Ready),
            "CLOSED" => Some(Kind::Closed),
            "ERROR" => Some(Kind::Error),
            "LOG" => Some(Kind::Log),
            "PEER_UP" => Some(Kind::PeerUp),
            "PEER_DOWN" => Some(Kind::PeerDown),
            "MESSAGE" => Some(Kind::Message),
            "WRITABLE" => Some(Kind::Writable),
            "SLOW" => Some(Kind::Slow),
            "DROPPED" => Some(Kind::Dropped),
            "PING" => Some(Kind::Ping),
            "PONG" => Some(Kind::Pong),
            "INTEREST" => Some(Kind::Interest),
            "PART" => Some(Kind::Part),
            "REQUEST" => Some(Kind::Request),
            "CANCEL" => Some(Kind::Cancel),
            "ASK" => Some(Kind::Ask),
            "MEMBER_UP" => Some(Kind::MemberUp),
            "MEMBER_DOWN" => Some(Kind::MemberDown),
            "MEMBER_CHANGED" => Some(Kind::MemberChanged),
            "SERVICE_UP" => Some(Kind::ServiceUp),
            "SERVICE_DOWN" => Some(Kind::ServiceDown),
            "LEADER" => Some(Kind::Leader),
            "DRAINING" => Some(Kind::Draining),
            _ => None,
        }
    }
}

/// A number something keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stat {
    /// Bytes accepted and not yet handed to the kernel.
    Buffered,
    /// Milliseconds since 1970 of the last heartbeat seen.
    LastBeat,
    /// Missed heartbeats.
    Strikes,
    /// Milliseconds between heartbeats.
    BeatInterval,
    /// Milliseconds of silence that end the link.
    BeatCutoff,
    /// Microseconds of the last ping's round trip.
    Rtt,
    /// Connected peers of a provider.
    Peers,
    /// Calls without answer: a consumer's or peer's own, a service's requests.
    InFlight,
    /// Bytes received.
    BytesIn,
    /// Bytes sent.
    BytesOut,
    /// Messages dropped by an overflow policy.
    Dropped,
    /// Events in the inbox (context).
    Queued,
    /// Messages received.
    MessagesIn,
    /// Messages sent.
    MessagesOut,
    /// One this crate does not know yet.
    Other(i32),
}

impl Stat {
    /// That of a number of the C interface.
    pub fn of(number: i32) -> Stat {
        match number {
            1 => Stat::Buffered,
            2 => Stat::LastBeat,
            3 => Stat::Strikes,
            4 => Stat::BeatInterval,
            5 => Stat::BeatCutoff,
            6 => Stat::Rtt,
            7 => Stat::Peers,
            8 => Stat::InFlight,
            9 => Stat::BytesIn,
            10 => Stat::BytesOut,
            11 => Stat::Dropped,
            12 => Stat::Queued,
            13 => Stat::MessagesIn,
            14 => Stat::MessagesOut,
            other => Stat::Other(other),
        }
    }

    /// The number of the C interface.
    pub fn number(self) -> i32 {
        match self {
            Stat::Buffered => 1,
            Stat::LastBeat => 2,
            Stat::Strikes => 3,
            Stat::BeatInterval => 4,
            Stat::BeatCutoff => 5,
            Stat::Rtt => 6,
            Stat::Peers => 7,
            Stat::InFlight => 8,
            Stat::BytesIn => 9,
            Stat::BytesOut => 10,
            Stat::Dropped => 11,
            Stat::Queued => 12,
            Stat::MessagesIn => 13,
            Stat::MessagesOut => 14,
            Stat::Other(other) => other,
        }
    }

    /// The name of the C interface, such as `BUFFERED`.
    pub fn name(self) -> &'static str {
        match self {
            Stat::Buffered => "BUFFERED",
            Stat::LastBeat => "LAST_BEAT",
            Stat::Strikes => "STRIKES",
            Stat::BeatInterval => "BEAT_INTERVAL",
            Stat::BeatCutoff => "BEAT_CUTOFF",
            Stat::Rtt => "RTT",
            Stat::Peers => "PEERS",
            Stat::InFlight => "IN_FLIGHT",
            Stat::BytesIn => "BYTES_IN",
            Stat::BytesOut => "BYTES_OUT",
            Stat::Dropped => "DROPPED",
            Stat::Queued => "QUEUED",
            Stat::MessagesIn => "MESSAGES_IN",
            Stat::MessagesOut => "MESSAGES_OUT",
            Stat::Other(_) => "OTHER",
        }
    }

    /// That of a name of the C interface.
    pub fn named(name: &str) -> Option<Stat> {
        match name {
            "BUFFERED" => Some(Stat::Buffered),
            "LAST_BEAT" => Some(Stat::LastBeat),
            "STRIKES" => Some(Stat::Strikes),
            "BEAT_INTERVAL" => Some(Stat::BeatInterval),
            "BEAT_CUTOFF" => Some(Stat::BeatCutoff),
            "RTT" => Some(Stat::Rtt),
            "PEERS" => Some(Stat::Peers),
            "IN_FLIGHT" => Some(Stat::InFlight),
            "BYTES_IN" => Some(Stat::BytesIn),
            "BYTES_OUT" => Some(Stat::BytesOut),
            "DROPPED" => Some(Stat::Dropped),
            "QUEUED" => Some(Stat::Queued),
            "MESSAGES_IN" => Some(Stat::MessagesIn),
            "MESSAGES_OUT" => Some(Stat::MessagesOut),
            _ => None,
        }
    }
}

/// In which state something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum State {
    /// Not started.
    Idle,
    /// On the way to its first or next link.
    Connecting,
    /// Connected, or listening.
    Up,
    /// Connected, and everything after it done.
    Ready,
    /// For the next attempt.
    Waiting,
    /// Finishing what runs.
    Draining,
    /// One this crate does not know yet.
    Other(i32),
}

impl State {
    /// That of a number of the C interface.
    pub fn of(number: i32) -> State {
        match number {
            0 => State::Idle,
            1 => State::Connecting,
            2 => State::Up,
            3 => State::Ready,
            4 => State::Waiting,
            5 => State::Draining,
            other => State::Other(other),
        }
    }

    /// The number of the C interface.
    pub fn number(self) -> i32 {
        match self {
            State::Idle => 0,
            State::Connecting => 1,
            State::Up => 2,
            State::Ready => 3,
            State::Waiting => 4,
            State::Draining => 5,
            State::Other(other) => other,
        }
    }

    /// The name of the C interface, such as `IDLE`.
    pub fn name(self) -> &'static str {
        match self {
            State::Idle => "IDLE",
            State::Connecting => "CONNECTING",
            State::Up => "UP",
            State::Ready => "READY",
            State::Waiting => "WAITING",
            State::Draining => "DRAINING",
            State::Other(_) => "OTHER",
        }
    }

    /// That of a name of the C interface.
    pub fn named(name: &str) -> Option<State> {
        match name {
            "IDLE" => Some(State::Idle),
            "CONNECTING" => Some(State::Connecting),
            "UP" => Some(State::Up),
            "READY" => Some(State::Ready),
            "WAITING" => Some(State::Waiting),
            "DRAINING" => Some(State::Draining),
            _ => None,
        }
    }
}
