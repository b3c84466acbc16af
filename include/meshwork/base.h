/* meshwork: versions, status codes, handles, events and errors.
 * Stable for ever: mw_error (256 bytes) and mw_event (64 bytes) never grow;
 * new facts are new functions, new option keys and new event kinds, which
 * old hosts ignore. */
#ifndef MESHWORK_BASE_H
#define MESHWORK_BASE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define MW_API __attribute__((visibility("default")))
#else
#define MW_API
#endif

#define MW_VERSION_MAJOR 0
#define MW_VERSION_MINOR 1
#define MW_VERSION_PATCH 0

/* Length of text that ends with a NUL byte. */
#define MW_NTS ((size_t)-1)

/* Negative: refused or failed. 0: done. Positive: done, with a remark. */
typedef int32_t mw_status;

/* Name of a live thing: kind, slot and generation in 53 bits, so that it is
 * exact in a double. 0 is never valid; a stale one answers MW_ECLOSED. */
typedef uint64_t mw_handle;

typedef struct mw_msg mw_msg;   /* one message, immutable once used, reference counted */
typedef struct mw_conf mw_conf; /* options of one kind of object */

/* Status codes. The list is made from lib/base/errors.def; a test compares. */
enum {
  MW_OK = 0,
  MW_BUFFERED = 1, /* accepted, above the soft mark; WRITABLE follows */
  MW_STORED = 2,   /* accepted and durable */
  MW_MORE = 3,     /* events are left; come again */

  MW_EINVAL = -1,
  MW_ENOMEM = -2,
  MW_EINTERNAL = -3,
  MW_ECLOSED = -4,
  MW_EKIND = -5,
  MW_ESTATE = -6,
  MW_EDEADLOCK = -7,
  MW_EFORK = -8,
  MW_EOPTION = -9,
  MW_EEND = -10,
  MW_ENOTSUP = -11,
  MW_EBUSY = -12,
  MW_EDUPLICATE = -13,
  MW_EPATTERN = -14,

  MW_EAGAIN = -20,
  MW_EDROPPED = -21,
  MW_EOVERFLOW = -22,
  MW_ETOOBIG = -23,
  MW_EMEMORY = -24,
  MW_ERATE = -25,

  MW_ENOTCONN = -30,
  MW_ERESOLVE = -31,
  MW_EREFUSED = -32,
  MW_EUNREACH = -33,
  MW_ERESET = -34,
  MW_EPEERGONE = -35,
  MW_EADDRINUSE = -36,
  MW_ETLS = -37,
  MW_EPROTO = -38,
  MW_EVERSION = -39,
  MW_EIO = -40,

  MW_EAUTH = -50,
  MW_EDENIED = -51,
  MW_EEXPIRED = -52,

  MW_ETIMEDOUT = -60,
  MW_ECANCELED = -61,
  MW_ENOSERVICE = -62,
  MW_ENOMETHOD = -63,
  MW_ENOPEER = -64,
  MW_EREMOTE = -65,
  MW_EPARTIAL = -66,
  MW_EDRAINING = -67,
  MW_ENOTLEADER = -68,
  MW_EREGISTRY = -70,
  MW_EDEAD = -72
};

/* What mw_status_flags tells. */
enum {
  MW_SF_RETRY = 1,  /* trying again later may succeed */
  MW_SF_FATAL = 2,  /* trying again cannot succeed */
  MW_SF_SYSTEM = 4  /* the operating system said so: see mw_error.os */
};

/* Detail of a failure, in the caller's memory. Layout frozen. */
typedef struct mw_error {
  int32_t code;      /* the status returned */
  uint32_t flags;    /* MW_SF_* */
  int32_t os;        /* errno where MW_SF_SYSTEM is set, else 0 */
  uint32_t text_len; /* bytes of text, without the NUL */
  char text[240];    /* one English sentence, UTF-8, NUL terminated, cut to fit */
} mw_error;

/* One event. Layout frozen. Unused fields are 0. Its bytes (topic, then
 * meta, then body, back to back) lie at data + offset: data is the second
 * argument of a callback, or the slab given to mw_ctx_take. With MW_F_REF the
 * body is a message of its own in msg, body_len its length. */
typedef struct mw_event {
  uint32_t kind;      /* MW_EVENT_* */
  int32_t status;     /* mw_status: why, or the result */
  uint64_t token;     /* the host's number for the object */
  uint64_t id;        /* op, ask, subscription, hint: see the kind */
  uint64_t peer;      /* the peer concerned, or 0 */
  uint32_t flags;     /* MW_F_* */
  int32_t code;       /* see the kind */
  uint32_t offset;    /* of the topic */
  uint32_t topic_len; /* bytes */
  uint32_t meta_len;  /* bytes: pairs of u16 key length, u32 value length, key, value */
  uint32_t body_len;  /* bytes */
  uint64_t msg;       /* with MW_F_REF: mw_msg* as a number; the host releases it */
} mw_event;

/* Event kinds. */
enum {
  MW_EVENT_UP = 1,       /* usable link or listener; code: attempts; peer: provider's peer id; body: JSON */
  MW_EVENT_DOWN = 2,     /* link lost, will retry; status why, code close code, id ms to next try, body reason */
  MW_EVENT_READY = 3,    /* of a node: gate.services; code 1 met, 0 lost again; body JSON: how many serve each */
  MW_EVENT_CLOSED = 4,   /* last of its handle; status why, code close code, id the handle, body reason */
  MW_EVENT_ERROR = 5,    /* background failure; status, code errno, peer, body text */
  MW_EVENT_LOG = 6,      /* code level 1 error to 5 trace, topic area, body line */
  MW_EVENT_PEER_UP = 10, /* peer; body JSON: uuid ip port parameters wire ... */
  MW_EVENT_PEER_DOWN = 11, /* last of this peer; status why, code close code, body reason, meta unsent, unsent_bytes */
  MW_EVENT_MESSAGE = 20, /* peer, topic, meta, body; code: link sequence mod 2^31 */
  MW_EVENT_WRITABLE = 21, /* peer or 0; id: the request whose streamed answer has room again, or 0 */
  MW_EVENT_SLOW = 22,    /* peer; id bytes waiting; code the policy about to act */
  MW_EVENT_DROPPED = 23, /* peer; status why; code count; body of the last one; id: the service whose queue gave it up, or 0 */
  MW_EVENT_PING = 25,    /* peer; body */
  MW_EVENT_PONG = 26,    /* peer; id round trip in microseconds; body */
  MW_EVENT_INTEREST = 27, /* topic; code new count; id old count; peer who changed it */
  MW_EVENT_PART = 30,    /* of a streamed answer: id op; peer; meta; body */
  MW_EVENT_DONE = 31,    /* id op; status result; code; meta, body: the answer, or JSON why not */
  MW_EVENT_RELEASED = 32, /* id hint of mw_msg_wrap */
  MW_EVENT_REQUEST = 40, /* a call to answer: id request handle; code ms left, -1 none; peer caller; topic method; meta; body */
  MW_EVENT_CANCEL = 41,  /* a request is over: id its handle, now stale; status why; code MW_CANCEL_*; body reason */
  MW_EVENT_ASK = 50,     /* id ask; code 1 admit; body JSON: the request */
  MW_EVENT_MEMBER_UP = 60, /* of a node: a member is there; id incarnation; topic its service; body JSON: name, address ... */
  MW_EVENT_MEMBER_DOWN = 61, /* a member is gone; status why; id incarnation; topic; body JSON: name, reason, by ... */
  MW_EVENT_MEMBER_CHANGED = 62, /* as MEMBER_UP; code 1 it is suspected, 0 it is well or has changed */
  MW_EVENT_SERVICE_UP = 63, /* a member serves topic; code how many other members do now; body JSON: member, version, methods */
  MW_EVENT_SERVICE_DOWN = 64, /* a member serves topic no more; as SERVICE_UP */
  MW_EVENT_LEADER = 65,  /* of a share or an election: topic its name; code 1 this process leads, 0 another, -1 none; id epoch */
  MW_EVENT_DRAINING = 66 /* peer; code ms until our slot; id deadline in ms */
};

/* Flags of messages, sends and events. */
enum {
  MW_F_TEXT = 0x1,      /* UTF-8 text, checked */
  MW_F_COMPRESS = 0x2,  /* compress if the link negotiated it */
  MW_F_MORE = 0x4,      /* first or middle fragment of a message */
  MW_F_CONT = 0x8,      /* middle or last fragment */
  MW_F_PING = 0x10,     /* a ping, at most 125 bytes */
  MW_F_ONEWAY = 0x100,  /* a call that nobody answers */
  MW_F_ALL = 0x400,     /* a call of a node: to every member that serves it */
  MW_F_REPEAT = 0x800,  /* a oneway call of a share: again to each new leader */
  MW_F_PARTS = 0x1000,  /* the body is a list: u32 length and bytes, each, little endian (wire meshwork) */
  MW_F_NOQUEUE = 0x2000, /* refuse while offline, even with an offline buffer */

  MW_F_LOCAL = 0x80,          /* seen: sent by this handle itself */
  MW_F_RETAINED = 0x10000,    /* seen: the last value of a key, from before the subscription */
  MW_F_RESUMED = 0x80000,     /* seen in UP */
  MW_F_DUMP = 0x200000,       /* seen in LOG: an event of a channel that its hub dumps */
  MW_F_FATAL = 0x800000,      /* seen in ERROR */
  MW_F_REF = 0x1000000,       /* seen: body is in msg */
  MW_F_ASCII = 0x2000000      /* seen with TEXT: body is ASCII only */
};

/* Why a request ended unanswered: the code of CANCEL. */
enum {
  MW_CANCEL_ASKED = 1,    /* the caller no longer wants the answer */
  MW_CANCEL_DEADLINE = 2, /* no time is left */
  MW_CANCEL_GONE = 3      /* caller, connection or service has gone */
};

/* Flags of mw_fail. */
enum {
  MW_FAIL_RETRY = 1 /* the request goes back into its queue */
};

/* Flags of mw_close. */
enum {
  MW_CLOSE_ABORT = 1 /* discard what waits, no close frame */
};

/* mw_event bytes of a callback lie at data + ev->offset; both die with it. */
typedef void (*mw_event_fn)(const mw_event *ev, const uint8_t *data, void *user);
typedef void (*mw_wake_fn)(void *user);
typedef void (*mw_free_fn)(void *hint);

/* Version of the loaded library: major << 16 | minor << 8 | patch.
 * Owns: nothing. Thread: any. Blocks: no. Allocates: no.
 * Completes: at once. Errors: none. Since: 0.1 */
MW_API uint32_t mw_version(void);

/* Name of a status, such as "MW_EAGAIN"; "MW_EUNKNOWN" for an unknown one.
 * Owns: static text. Thread: any. Blocks: no. Allocates: no.
 * Completes: at once. Errors: none. Since: 0.1 */
MW_API const char *mw_status_name(mw_status s);

/* One English sentence for a status.
 * Owns: static text. Thread: any. Blocks: no. Allocates: no.
 * Completes: at once. Errors: none. Since: 0.1 */
MW_API const char *mw_status_text(mw_status s);

/* MW_SF_* of a status.
 * Owns: nothing. Thread: any. Blocks: no. Allocates: no.
 * Completes: at once. Errors: none. Since: 0.1 */
MW_API uint32_t mw_status_flags(mw_status s);

#ifdef __cplusplus
}
#endif
#endif
