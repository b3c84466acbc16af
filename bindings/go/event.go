package meshwork

import (
	"encoding/json"
	"fmt"
	"strings"
	"unsafe"
)

// Kind says what happened.
type Kind uint32

// The kinds of events. Ping, Pong and Interest come by the option "events".
const (
	Up            Kind = 1  // usable link or listener; Code: attempts; body JSON
	Down          Kind = 2  // link lost, comes back; Err why, Code close code, ID ms to the next try, body reason
	Gate          Kind = 3  // of a node: "gate.services" is met (Code 1) or no more (0); body JSON: how many serve each
	Closed        Kind = 4  // the last event; Err why, Code close code, body reason
	Failure       Kind = 5  // a failure in the background; body text
	Log           Kind = 6  // Code level 1 error to 5 trace, topic area, body line
	PeerUp        Kind = 10 // Conn is new; body JSON: uuid ip port parameters wire ...
	PeerDown      Kind = 11 // the last event of Conn; Err why, Code close code, body reason
	Received      Kind = 20 // a message
	Writable      Kind = 21 // there is room again after a refused or buffered send
	Slow          Kind = 22 // ID bytes wait for Conn, a policy is about to act
	Dropped       Kind = 23 // Code messages were dropped; body of the last one
	Ping          Kind = 25 // body
	Pong          Kind = 26 // ID round trip in microseconds
	Interest      Kind = 27 // subscriptions to Topic changed: Code now, ID before
	Part          Kind = 30 // of a streamed answer: only in the function given to the call
	Done          Kind = 31 // an operation ended: only in the function given to it
	released      Kind = 32
	Requested     Kind = 40 // Request is to be answered; Code ms left or -1, topic the method
	Cancelled     Kind = 41 // Request is over unanswered; Err why, Code 1 asked, 2 deadline, 3 gone
	Ask           Kind = 50 // may this client come in? body JSON: its request; Answer decides
	MemberUp      Kind = 60 // of a node: a member is there; topic its service, body JSON: name, address ...
	MemberDown    Kind = 61 // it is gone; Err why, body JSON: name, reason, by ...
	MemberChanged Kind = 62 // as MemberUp; Code 1: it does not answer, 0: it is well, or says something new
	ServiceUp     Kind = 63 // a member serves the topic; Code how many others do now; body JSON: member, version, methods
	ServiceDown   Kind = 64 // no more; as ServiceUp
	Leader        Kind = 65 // who leads the share or election: Code 1 this process, 0 another, -1 none; ID its epoch
	Draining      Kind = 66 // the other side leaves in Code ms

	kinds = 67
)

var kindNames = map[Kind]string{Up: "UP", Down: "DOWN", Closed: "CLOSED", Failure: "ERROR", Log: "LOG", PeerUp: "PEER_UP",
	PeerDown: "PEER_DOWN", Received: "MESSAGE", Writable: "WRITABLE", Slow: "SLOW", Dropped: "DROPPED", Ping: "PING",
	Pong: "PONG", Interest: "INTEREST", Part: "PART", Done: "DONE", Requested: "REQUEST", Cancelled: "CANCEL", released: "RELEASED", Ask: "ASK", Leader: "LEADER", Draining: "DRAINING",
	Gate: "READY", MemberUp: "MEMBER_UP", MemberDown: "MEMBER_DOWN", MemberChanged: "MEMBER_CHANGED", ServiceUp: "SERVICE_UP", ServiceDown: "SERVICE_DOWN"}

// String is the library's name of the kind, which the option "events" has in
// lower case: "PEER_UP".
func (k Kind) String() string {
	if name, ok := kindNames[k]; ok {
		return name
	}
	return fmt.Sprintf("Kind(%d)", uint32(k)) // of a newer library
}

// Flags of messages and sends.
type Flags uint32

// Text, Compress, More, Cont, Pinged, NoQueue, All and Repeat are for sending; Text,
// ASCII and the others are seen in events.
const (
	Text     Flags = 0x1       // UTF-8 text, checked
	Compress Flags = 0x2       // compress, if the link agreed on it
	More     Flags = 0x4       // first or middle fragment of a message
	Cont     Flags = 0x8       // middle or last fragment
	Pinged   Flags = 0x10      // a ping, of at most 125 bytes
	Oneway   Flags = 0x100     // a call that nobody answers
	All      Flags = 0x400     // a call of a node: to all members that serve it (Broadcast)
	List     Flags = 0x1000    // the body is a list: u32 length and bytes, each, little endian
	NoQueue  Flags = 0x2000    // refuse while offline, even with an offline buffer
	Repeat   Flags = 0x800     // of a share's Notify: again to each new leader
	Local    Flags = 0x80      // sent from this process; of a node's publish: to this node only
	Retained Flags = 0x10000   // the last value of a key, from before the subscription
	Resumed  Flags = 0x80000   // of Up
	Dump     Flags = 0x200000  // of Log: an event of a channel that its hub dumps
	Fatal    Flags = 0x800000  // of Failure
	ASCII    Flags = 0x2000000 // with Text: ASCII only
)

var flagNames = map[Flags]string{Text: "TEXT", Compress: "COMPRESS", More: "MORE", Cont: "CONT", Pinged: "PING",
	Oneway: "ONEWAY", All: "ALL", List: "PARTS", NoQueue: "NOQUEUE", Repeat: "REPEAT", Retained: "RETAINED", Dump: "DUMP", Local: "LOCAL", Resumed: "RESUMED", Fatal: "FATAL", ASCII: "ASCII"}

// String is the library's names of the flags: "TEXT|ASCII".
func (f Flags) String() string {
	var names []string
	for bit := Flags(1); bit != 0; bit <<= 1 {
		if name := flagNames[bit]; name != "" && f&bit != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, "|")
}

// Event is what a handler gets. It and its bytes are lent: they are valid
// until the handler returns. Message makes a copy to keep.
type Event struct {
	Kind    Kind
	Flags   Flags
	Code    int    // see the kind
	ID      uint64 // see the kind
	Conn    *Connection
	Request *Request // of Requested, Cancelled and a Writable of one

	status            Status
	peer              uint64
	topic, meta, body []byte
}

// Err is why, or nil.
func (e *Event) Err() error {
	if e.status >= 0 {
		return nil
	}
	if len(e.body) == 0 || e.Kind == Dropped { // whose body is a message
		return e.status
	}
	var told struct{ Message string }
	if e.body[0] == '{' && json.Unmarshal(e.body, &told) == nil && told.Message != "" {
		return &Error{Status: e.status, Text: told.Message, Detail: append(json.RawMessage(nil), e.body...)}
	}
	return &Error{Status: e.status, Text: string(e.body)}
}

// Status is the same without words.
func (e *Event) Status() Status { return e.status }

// Body is lent until the handler returns.
func (e *Event) Body() []byte { return e.body }

// Text is a copy of the body.
func (e *Event) Text() string { return string(e.body) }

// JSON decodes the body.
func (e *Event) JSON(into any) error { return json.Unmarshal(e.body, into) }

// Topic is "" where the message has none.
func (e *Event) Topic() string { return string(e.topic) }

// Meta is the headers as they are packed, lent.
func (e *Event) Meta() []byte { return e.meta }

// Header is a header of the message, and whether it has it.
func (e *Event) Header(key string) (value string, ok bool) {
	header(e.meta, func(k, v []byte) bool {
		if string(k) == key {
			value, ok = string(v), true
		}
		return !ok
	})
	return value, ok
}

// Message is a copy to keep.
func (e *Event) Message() *Message {
	m := &Message{Conn: e.Conn, Topic: string(e.topic), Flags: e.Flags, Sequence: e.Code}
	m.Body = append(make([]byte, 0, len(e.body)), e.body...)
	if len(e.meta) != 0 {
		m.Header = make(map[string]string)
		header(e.meta, func(k, v []byte) bool { m.Header[string(k)] = string(v); return true })
	}
	return m
}

// Answer decides an Ask. data comes back in the PeerUp; for a no it may be
// {"status":401,"body":"..."}. It may be called later, and from anywhere: keep
// ID and call Context.Answer.
func (e *Event) Answer(allow bool, data any) error { return answerJSON(e.ID, allow, data) }

func answerJSON(ask uint64, allow bool, data any) error {
	var b []byte
	if raw, ok := data.(json.RawMessage); ok {
		b = raw
	} else if data != nil {
		var err error
		if b, err = json.Marshal(data); err != nil {
			return err
		}
	}
	return answer(ask, allow, b)
}

// Message is one to send, or a received one that is yours to keep.
type Message struct {
	Conn     *Connection // who sent it, at a provider
	Topic    string
	Header   map[string]string // carried by the wire meshwork
	Body     []byte
	Flags    Flags
	Sequence int   // of the link
	err      error // of an Answer
}

func textBytes(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }
