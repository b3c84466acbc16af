package meshwork

import (
	"context"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// Object is what contexts, providers, consumers, channels, shares, nodes,
// connections and subscriptions can do: for functions that take any of them.
type Object interface {
	io.Closer
	ID() uint64
	On(Kind, func(*Event))
	OnEvent(func(*Event))
	CloseWith(code int, reason string) error
	Abort() error
	Drain(context.Context, ...func(*Event)) error
	Update(context.Context, Options, ...func(*Event)) error
	Info(what string) ([]byte, error)
	Gather(ctx context.Context, what string, then ...func(*Event)) ([]byte, error)
	State() (State, error)
	Stat(Stat) (int64, error)
	Pause() error
	Resume() error
	Cork() error
	Uncork() error
	Done() <-chan struct{}
	Err() error
}

// Starter is what starts: a Provider, Consumer, Channel, Hub, Share, Node or Manager.
type Starter interface {
	Object
	Start(context.Context, ...func(*Event)) error
}

// Party is what serves: a Provider, a Consumer or a Node.
type Party interface {
	Starter
	Serve(name string, opts Options, handler func(*Request)) (*Service, error)
}

// handle is an Object.
type handle struct {
	d        *dispatcher
	h        uint64
	token    uint64
	kind     int32
	consumer *receiver           // of a consumer or node and its services, a channel, a share: where messages come
	requests map[uint64]*Request // unanswered, of a service or a share; guarded by mu
	on       atomic.Pointer[handlers]

	mu   sync.Mutex
	keep any // the public object, while it runs: what runs is not collected
	done chan struct{}
	gone bool
	err  error
}

type handlers struct {
	all  func(*Event)
	each [kinds]func(*Event)
}

// On gives events of a kind a handler; a later one replaces it, nil removes
// it. Handlers run one after the other on the context's goroutine: they must
// not wait. A handler that panics is logged; the other events still come.
func (h *handle) On(k Kind, fn func(*Event)) {
	h.change(func(t *handlers) {
		if k < kinds {
			t.each[k] = fn
		}
	})
}

// OnEvent gives all events a handler, but those that have one of their own.
func (h *handle) OnEvent(fn func(*Event)) { h.change(func(t *handlers) { t.all = fn }) }

// OnMessage is On(Received, fn).
func (h *handle) OnMessage(fn func(*Event)) { h.On(Received, fn) }

func (h *handle) change(f func(*handlers)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var t handlers
	if old := h.on.Load(); old != nil {
		t = *old
	}
	f(&t)
	h.on.Store(&t)
}

func (h *handle) call(e *Event) bool {
	t := h.on.Load()
	if t == nil {
		return false
	}
	fn := t.all
	if e.Kind < kinds && t.each[e.Kind] != nil {
		fn = t.each[e.Kind]
	}
	if fn == nil {
		return false
	}
	fn(e)
	return true
}

func (h *handle) end(why Status, code int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.gone, h.keep = true, nil
	h.on.Store(nil) // handlers often know their object: a circle with a finalizer is never collected
	h.err = ECLOSED
	if why < 0 {
		h.err = why
	}
	if h.done != nil {
		close(h.done)
	}
}

// ID is the library's number of the object.
func (h *handle) ID() uint64 { return h.h }

// Done is closed after the last event.
func (h *handle) Done() <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.done == nil {
		h.done = make(chan struct{})
		if h.gone {
			close(h.done)
		}
	}
	return h.done
}

// Err is nil until Done, then why: ECLOSED where nothing went wrong.
func (h *handle) Err() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.err
}

// Close sends what was accepted, says goodbye and closes. It does not wait
// (Done tells), may be called in every handler and more than once.
func (h *handle) Close() error { return h.CloseWith(0, "") }

// CloseWith is Close with a WebSocket close code and a reason of at most 123 bytes.
func (h *handle) CloseWith(code int, reason string) error { return closeHandle(h.h, code, reason, 0) }

// Abort cuts at once; what waits is lost.
func (h *handle) Abort() error { return closeHandle(h.h, 0, "", abort) }

// Drain refuses what is new, finishes what runs, tells the peers and closes,
// at the latest when ctx ends (without a deadline: in a minute).
func (h *handle) Drain(ctx context.Context, then ...func(*Event)) error {
	limit := time.Minute
	if at, ok := ctx.Deadline(); ok {
		limit = time.Until(at)
	}
	_, err := h.d.do(ctx, h.h, then, func(op uint64) error { return drain(h.h, limit.Milliseconds(), op) })
	return err
}

// Update changes options that are marked live, all or none.
func (h *handle) Update(ctx context.Context, opts Options, then ...func(*Event)) error {
	b, err := opts.json()
	if err == nil {
		_, err = h.d.do(ctx, h.h, then, func(op uint64) error { return update(h.h, h.kind, b, op) })
	}
	return err
}

// Info is facts as JSON: "" (who leads, which hub, which mesh), "config", "address",
// "state", "topics", "queues" (of who serves).
func (h *handle) Info(what string) ([]byte, error) { return info(h.h, what, 0) }

// Gather is facts that are collected first: "peers", "members" (channel, node, manager),
// "stats" (node) and "channel/NAME" (hub) as JSON, "metrics" as Prometheus text.
func (h *handle) Gather(ctx context.Context, what string, then ...func(*Event)) ([]byte, error) {
	r, err := h.d.do(ctx, h.h, then, func(op uint64) error {
		_, err := info(h.h, what, op)
		return err
	})
	if r.Message == nil {
		return nil, err
	}
	return r.Body, err
}

// State is what an object is at.
type State int32

// What State answers when it is no error.
const (
	Idle State = iota
	Connecting
	Usable
	Ready
	Waiting
	InDrain
)

// State tells where the object is in its life.
func (h *handle) State() (State, error) {
	s := state(h.h)
	if s < 0 {
		return 0, s
	}
	return State(s), nil
}

// Stat names a number.
type Stat int32

// The numbers of Stat.
const (
	Buffered     Stat = 1 // bytes accepted and not yet with the kernel
	LastBeat     Stat = 2 // ms since the epoch of the last heartbeat seen
	Strikes      Stat = 3 // missed heartbeats
	BeatInterval Stat = 4 // ms
	BeatCutoff   Stat = 5 // ms
	RTT          Stat = 6 // microseconds, of the last ping
	InFlight     Stat = 8 // calls without answer: of a service its requests
	Peers        Stat = 7 // connected peers of a provider; other members of a node
	BytesIn      Stat = 9
	BytesOut     Stat = 10
	DroppedCount Stat = 11 // messages dropped by a policy
	Queued       Stat = 12 // events that wait (context)
	MessagesIn   Stat = 13
	MessagesOut  Stat = 14
)

var statNames = [...]string{Buffered: "BUFFERED", LastBeat: "LAST_BEAT", Strikes: "STRIKES", BeatInterval: "BEAT_INTERVAL",
	BeatCutoff: "BEAT_CUTOFF", RTT: "RTT", Peers: "PEERS", InFlight: "IN_FLIGHT", BytesIn: "BYTES_IN", BytesOut: "BYTES_OUT",
	DroppedCount: "DROPPED", Queued: "QUEUED", MessagesIn: "MESSAGES_IN", MessagesOut: "MESSAGES_OUT"}

// String is the library's name of the number: "BYTES_IN".
func (s Stat) String() string {
	if s > 0 && int(s) < len(statNames) && statNames[s] != "" {
		return statNames[s]
	}
	return fmt.Sprintf("Stat(%d)", int32(s))
}

// Stat is one number of the object.
func (h *handle) Stat(what Stat) (int64, error) { return stat(h.h, what) }

// Pause stops taking input, Resume goes on; messages already read still come.
func (h *handle) Pause() error { return pause(h.h, true) }

// Resume ends a Pause.
func (h *handle) Resume() error { return pause(h.h, false) }

// Cork holds writes until Uncork; they nest, and end by the option cork.max.
func (h *handle) Cork() error { return cork(h.h, true) }

// Uncork ends a Cork.
func (h *handle) Uncork() error { return cork(h.h, false) }

func (h *handle) start(ctx context.Context, self any, then []func(*Event)) error {
	h.mu.Lock()
	if !h.gone {
		h.keep = self
	}
	h.mu.Unlock()
	_, err := h.d.do(ctx, h.h, then, func(op uint64) error { return start(h.h, op) })
	return err
}
