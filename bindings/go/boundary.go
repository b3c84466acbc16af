package meshwork

// The boundary: the only file that names a C symbol. Everything here is one
// call, safe from any goroutine; no Go memory is kept by the library after a
// call, except what lend pins until RELEASED.

/*
#include <meshwork/meshwork.h>

static mw_msg *msg_of(uint64_t n) { return (mw_msg *)(uintptr_t)n; }

// One crossing instead of three for a body that came as a reference.
static const void *ref_body(uint64_t n, size_t *len) { return mw_msg_body(msg_of(n), len); }
static void ref_drop(uint64_t n) { mw_msg_unref(msg_of(n)); }
static mw_msg *lend(mw_handle ctx, const void *p, size_t n, uint64_t hint, uint32_t flags) {
  return mw_msg_wrap(ctx, p, n, NULL, (void *)(uintptr_t)hint, flags);
}
*/
import "C"

import (
	"encoding/binary"
	"syscall"
	"unsafe"
)

const (
	confContext      = C.MW_CONF_CTX
	confProvider     = C.MW_CONF_PROVIDER
	confConsumer     = C.MW_CONF_CONSUMER
	confSubscription = C.MW_CONF_SUB
	confService      = C.MW_CONF_SERVICE
	confCall         = C.MW_CONF_CALL
	confHub          = C.MW_CONF_HUB
	confChannel      = C.MW_CONF_CHANNEL
	confShare        = C.MW_CONF_SHARE
	confElection     = C.MW_CONF_ELECT
	confNode         = C.MW_CONF_NODE
	confManager      = C.MW_CONF_MANAGER

	more    = Status(C.MW_MORE)
	flagRef = C.MW_F_REF
	abort   = C.MW_CLOSE_ABORT
	retry   = C.MW_FAIL_RETRY
)

// record mirrors mw_event; init compares the two.
type record struct {
	kind                               uint32
	status                             int32
	token, id, peer                    uint64
	flags                              uint32
	code                               int32
	offset, topicLen, metaLen, bodyLen uint32
	msg                                uint64
}

func init() {
	var r record
	var e C.mw_event
	same := unsafe.Sizeof(r) == unsafe.Sizeof(e) && unsafe.Offsetof(r.token) == unsafe.Offsetof(e.token) &&
		unsafe.Offsetof(r.peer) == unsafe.Offsetof(e.peer) && unsafe.Offsetof(r.code) == unsafe.Offsetof(e.code) &&
		unsafe.Offsetof(r.offset) == unsafe.Offsetof(e.offset) && unsafe.Offsetof(r.bodyLen) == unsafe.Offsetof(e.body_len) &&
		unsafe.Offsetof(r.msg) == unsafe.Offsetof(e.msg)
	if !same {
		panic("meshwork: the header's mw_event is not the record this package was written for")
	}
}

func text(s string) (*C.char, C.size_t) {
	return (*C.char)(unsafe.Pointer(unsafe.StringData(s))), C.size_t(len(s))
}

func bytes(b []byte) (unsafe.Pointer, C.size_t) {
	return unsafe.Pointer(unsafe.SliceData(b)), C.size_t(len(b))
}

// failure makes an error of a status, with the library's detail where it gave one.
func failure(s C.mw_status, e *C.mw_error) error {
	if s >= 0 {
		return nil
	}
	if e == nil || e.code == 0 {
		return Status(s)
	}
	return &Error{Status: Status(s), OS: syscall.Errno(e.os), Text: C.GoStringN(&e.text[0], C.int(e.text_len))}
}

func version() uint32            { return uint32(C.mw_version()) }
func statusName(s Status) string { return C.GoString(C.mw_status_name(C.mw_status(s))) }

// conf makes a conf of options given as JSON; the caller drops it.
func conf(kind C.int32_t, json []byte) (*C.mw_conf, error) {
	c := C.mw_conf_new(kind)
	if c == nil {
		return nil, ENOMEM
	}
	if len(json) == 0 {
		return c, nil
	}
	var e C.mw_error
	p, n := bytes(json)
	if s := C.mw_conf_load(c, (*C.char)(p), n, &e); s < 0 {
		C.mw_conf_unref(c)
		return nil, failure(s, &e)
	}
	return c, nil
}

func confGet(kind int32, json []byte, key string) (string, error) {
	c, err := conf(C.int32_t(kind), json)
	if err != nil {
		return "", err
	}
	defer C.mw_conf_unref(c)
	k, kn := text(key)
	buf := make([]byte, 256)
	for {
		var need C.size_t
		p, n := bytes(buf)
		s := C.mw_conf_get(c, k, kn, (*C.char)(p), n, &need)
		if Status(s) == ETOOBIG {
			buf = make([]byte, need+1)
			continue
		}
		if s < 0 {
			return "", Status(s)
		}
		return string(buf[:need]), nil
	}
}

func describe(kind int32, index int) ([]byte, error) {
	var m *C.mw_msg
	if s := C.mw_conf_describe(C.int32_t(kind), C.size_t(index), &m); s < 0 {
		return nil, Status(s)
	}
	return takeBody(m), nil
}

func takeBody(m *C.mw_msg) []byte {
	if m == nil {
		return nil
	}
	var n C.size_t
	p := C.mw_msg_body(m, &n)
	b := C.GoBytes(p, C.int(n))
	C.mw_msg_unref(m)
	return b
}

// opened opens an object of kind under ctx (0 for a context); name: of an election.
func opened(kind int32, ctx, token uint64, name string, json []byte) (uint64, error) {
	c, err := conf(C.int32_t(kind), json)
	if err != nil {
		return 0, err
	}
	defer C.mw_conf_unref(c)
	var e C.mw_error
	var h C.mw_handle
	var s C.mw_status
	switch kind {
	case confContext:
		s = C.mw_ctx_open(c, &h, &e)
	case confProvider:
		s = C.mw_provider_open(C.mw_handle(ctx), c, C.uint64_t(token), &h, &e)
	case confHub:
		s = C.mw_hub_open(C.mw_handle(ctx), c, C.uint64_t(token), &h, &e)
	case confChannel:
		s = C.mw_channel_open(C.mw_handle(ctx), c, C.uint64_t(token), &h, &e)
	case confShare:
		s = C.mw_share_open(C.mw_handle(ctx), c, C.uint64_t(token), &h, &e)
	case confNode:
		s = C.mw_node_open(C.mw_handle(ctx), c, C.uint64_t(token), &h, &e)
	case confManager:
		s = C.mw_manager_open(C.mw_handle(ctx), c, C.uint64_t(token), &h, &e)
	case confElection:
		p, n := text(name)
		s = C.mw_elect(C.mw_handle(ctx), p, n, c, C.uint64_t(token), &h, &e)
	default:
		s = C.mw_consumer_open(C.mw_handle(ctx), c, C.uint64_t(token), &h, &e)
	}
	return uint64(h), failure(s, &e)
}

func pollFD(ctx uint64) (int, error) {
	var fd C.int
	s := C.mw_ctx_fd(C.mw_handle(ctx), &fd)
	return int(fd), failure(s, nil)
}

// taker keeps what mw_ctx_take writes into, so that a take allocates nothing.
type taker struct {
	ev   []record
	slab []byte
	n    C.size_t
}

func (t *taker) take(ctx uint64) (int, Status) {
	s := C.mw_ctx_take(C.mw_handle(ctx), (*C.mw_event)(unsafe.Pointer(&t.ev[0])), C.size_t(unsafe.Sizeof(t.ev[0])),
		C.size_t(len(t.ev)), unsafe.Pointer(&t.slab[0]), C.size_t(len(t.slab)), &t.n)
	return int(t.n), Status(s)
}

// refBody is the body of a record with flagRef: memory of the library until refDrop.
func refBody(msg uint64) []byte {
	var n C.size_t
	p := C.ref_body(C.uint64_t(msg), &n)
	return unsafe.Slice((*byte)(p), int(n))
}

func refDrop(msg uint64) { C.ref_drop(C.uint64_t(msg)) }

func join(ctx uint64, ms int64) error {
	return failure(C.mw_ctx_join(C.mw_handle(ctx), C.int64_t(ms)), nil)
}

func start(h, op uint64) error {
	var e C.mw_error
	return failure(C.mw_start(C.mw_handle(h), C.uint64_t(op), &e), &e)
}

func cancel(h, op uint64) { C.mw_cancel(C.mw_handle(h), C.uint64_t(op)) }

func update(h uint64, kind int32, json []byte, op uint64) error {
	c, err := conf(C.int32_t(kind), json)
	if err != nil {
		return err
	}
	defer C.mw_conf_unref(c)
	var e C.mw_error
	return failure(C.mw_update(C.mw_handle(h), c, C.uint64_t(op), &e), &e)
}

func pause(h uint64, on bool) error { return failure(C.mw_pause(C.mw_handle(h), flag(on)), nil) }
func cork(h uint64, on bool) error  { return failure(C.mw_cork(C.mw_handle(h), flag(on)), nil) }

func flag(on bool) C.int {
	if on {
		return 1
	}
	return 0
}

func drain(h uint64, ms int64, op uint64) error {
	var e C.mw_error
	return failure(C.mw_drain(C.mw_handle(h), C.int64_t(ms), C.uint64_t(op), &e), &e)
}

func closeHandle(h uint64, code int, reason string, flags uint32) error {
	p, n := text(reason)
	return failure(C.mw_close(C.mw_handle(h), C.int32_t(code), p, n, C.uint32_t(flags)), nil)
}

func state(h uint64) Status { return Status(C.mw_state(C.mw_handle(h))) }

func stat(h uint64, what Stat) (int64, error) {
	var v C.int64_t
	s := C.mw_stat(C.mw_handle(h), C.int32_t(what), &v)
	return int64(v), failure(s, nil)
}

func info(h uint64, what string, op uint64) ([]byte, error) {
	var e C.mw_error
	var m *C.mw_msg
	p, n := text(what)
	s := C.mw_info(C.mw_handle(h), p, n, &m, C.uint64_t(op), &e)
	return takeBody(m), failure(s, &e)
}

func answer(ask uint64, allow bool, json []byte) error {
	var e C.mw_error
	p, n := bytes(json)
	return failure(C.mw_answer(C.mw_handle(ask), flag(allow), (*C.char)(p), n, &e), &e)
}

// sendBytes is the hot path: no allocation on its way.
func sendBytes(h uint64, body []byte, flags Flags) Status {
	p, n := bytes(body)
	return Status(C.mw_send_bytes(C.mw_handle(h), p, n, C.uint32_t(flags)))
}

func sendRecords(ctx uint64, ev []record, base []byte) Status {
	p, _ := bytes(base)
	return Status(C.mw_send_records(C.mw_handle(ctx), (*C.mw_event)(unsafe.Pointer(unsafe.SliceData(ev))),
		C.size_t(unsafe.Sizeof(record{})), C.size_t(len(ev)), p))
}

// made makes a C message of m; the caller drops it.
func made(m *Message) (*C.mw_msg, error) {
	p, n := bytes(m.Body)
	c := C.mw_msg_new(p, n, C.uint32_t(m.Flags&(Text|Compress|List)))
	if c == nil {
		return nil, EINVAL
	}
	for key, value := range m.Header {
		k, kn := text(key)
		v, vn := text(value)
		if s := C.mw_msg_set(c, k, kn, unsafe.Pointer(v), vn); s < 0 {
			C.mw_msg_unref(c)
			return nil, Status(s)
		}
	}
	return c, nil
}

// sends are the flags without those that are only seen.
func (m *Message) sends() C.uint32_t {
	return C.uint32_t(m.Flags & (Text | Compress | More | Cont | Pinged | NoQueue | Oneway | All | Repeat | List))
}

func send(h uint64, m *Message, op uint64) error {
	c, err := made(m)
	if err != nil {
		return err
	}
	defer C.mw_msg_unref(c)
	return failure(C.mw_send(C.mw_handle(h), c, m.sends(), C.uint64_t(op)), nil)
}

// publish sends the flags of sends, and those allowed.
func publish(h uint64, m *Message, allowed Flags, except, op uint64) error {
	c, err := made(m)
	if err != nil {
		return err
	}
	defer C.mw_msg_unref(c)
	p, n := text(m.Topic)
	return failure(C.mw_publish(C.mw_handle(h), p, n, c, C.mw_handle(except), m.sends()|C.uint32_t(m.Flags&allowed), C.uint64_t(op)), nil)
}

// lend sends bytes that the caller has pinned until RELEASED tells hint.
func lend(ctx, h uint64, body []byte, flags Flags, hint uint64) (accepted bool, err error) {
	p, n := bytes(body)
	c := C.lend(C.mw_handle(ctx), p, n, C.uint64_t(hint), C.uint32_t(flags&Text))
	if c == nil {
		return false, EINVAL
	}
	s := C.mw_send(C.mw_handle(h), c, C.uint32_t(flags), 0)
	C.mw_msg_unref(c)
	return true, failure(s, nil)
}

func subscribe(h uint64, pattern string, json []byte, token, op uint64, named bool) (uint64, error) {
	c, err := conf(confSubscription, json)
	if err != nil {
		return 0, err
	}
	defer C.mw_conf_unref(c)
	var e C.mw_error
	var id C.mw_handle
	var where *C.mw_handle
	if named {
		where = &id
	}
	p, n := text(pattern)
	s := C.mw_subscribe(C.mw_handle(h), p, n, c, C.uint64_t(token), C.uint64_t(op), where, &e)
	return uint64(id), failure(s, &e)
}

func unsubscribe(h uint64, pattern string, op uint64) error {
	p, n := text(pattern)
	return failure(C.mw_unsubscribe(C.mw_handle(h), p, n, C.uint64_t(op)), nil)
}

func subscribed(h uint64, topic string) (bool, error) {
	p, n := text(topic)
	s := C.mw_subscribed(C.mw_handle(h), p, n)
	return s > 0, failure(s, nil)
}

func serve(h uint64, name string, json []byte, token uint64) (uint64, error) {
	c, err := conf(confService, json)
	if err != nil {
		return 0, err
	}
	defer C.mw_conf_unref(c)
	var e C.mw_error
	var id C.mw_handle
	p, n := text(name)
	s := C.mw_serve(C.mw_handle(h), p, n, c, C.uint64_t(token), &id, &e)
	return uint64(id), failure(s, &e)
}

// call borrows m; how is options as JSON, or nil.
func call(h uint64, target string, m *Message, how []byte, ms int64, parent, op uint64) error {
	c, err := made(m)
	if err != nil {
		return err
	}
	defer C.mw_msg_unref(c)
	var given *C.mw_conf
	if how != nil {
		if given, err = conf(confCall, how); err != nil {
			return err
		}
		defer C.mw_conf_unref(given)
	}
	var e C.mw_error
	p, n := text(target)
	s := C.mw_call(C.mw_handle(h), p, n, c, given, C.int64_t(ms), C.mw_handle(parent), m.sends(), C.uint64_t(op), &e)
	return failure(s, &e)
}

func reply(request uint64, m *Message, op uint64) error {
	c, err := made(m)
	if err != nil {
		return err
	}
	defer C.mw_msg_unref(c)
	return failure(C.mw_reply(C.mw_handle(request), c, m.sends(), C.uint64_t(op)), nil)
}

func fail(request uint64, code Status, json []byte, flags uint32) error {
	p, n := bytes(json)
	return failure(C.mw_fail(C.mw_handle(request), C.mw_status(code), (*C.char)(p), n, C.uint32_t(flags)), nil)
}

// header walks packed headers: u16 key length, u32 value length, key, value.
func header(meta []byte, each func(key, value []byte) bool) {
	for len(meta) >= 6 {
		k, v := int(binary.NativeEndian.Uint16(meta)), int(binary.NativeEndian.Uint32(meta[2:]))
		if !each(meta[6:6+k], meta[6+k:6+k+v]) {
			return
		}
		meta = meta[6+k+v:]
	}
}
