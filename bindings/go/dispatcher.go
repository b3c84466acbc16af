package meshwork

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"syscall"
)

const (
	batch    = 1024      // events a crossing
	slabSize = 256 << 10 // their bytes
)

// dispatcher takes events, finds their objects and calls their handlers, all
// on one goroutine that sleeps in the runtime's poller.
type dispatcher struct {
	ctx    uint64
	file   *os.File // a duplicate of the context's descriptor
	log    *slog.Logger
	taker  taker
	event  Event
	next   int // of the batch, so that a handler that fails costs only its own event
	n      int
	over   bool
	finish bool

	peers map[uint64]*Connection // dispatcher's goroutine only
	last  *Connection            // the peer of the last event: they come in runs

	numbers atomic.Uint64
	mu      sync.Mutex
	objects map[uint64]*handle // by token
	ops     map[uint64]func(*Event)
	parts   map[uint64]func(*Event) // of calls
	lent    map[uint64]func()
	done    chan struct{}
}

func newDispatcher(ctx uint64, log *slog.Logger) (*dispatcher, error) {
	fd, err := pollFD(ctx)
	if err != nil {
		return nil, err
	}
	own, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_DUPFD_CLOEXEC, 0)
	if errno != 0 {
		return nil, errno
	}
	if err := syscall.SetNonblock(int(own), true); err != nil {
		return nil, err
	}
	return &dispatcher{ctx: ctx, log: log, file: os.NewFile(own, "meshwork"),
		taker: taker{ev: make([]record, batch), slab: make([]byte, slabSize)},
		peers: make(map[uint64]*Connection), objects: make(map[uint64]*handle),
		ops: make(map[uint64]func(*Event)), parts: make(map[uint64]func(*Event)), lent: make(map[uint64]func()), done: make(chan struct{})}, nil
}

// run ends after the context's Closed.
func (d *dispatcher) run() {
	defer func() {
		if !d.finish { // a handler called runtime.Goexit (t.FailNow does): the rest still arrives
			go d.run()
		}
	}()
	conn, err := d.file.SyscallConn()
	if err == nil {
		err = conn.Read(func(uintptr) bool { return d.turn() })
	}
	if err != nil {
		d.log.Error("meshwork: cannot wait for events", "err", err)
	}
	if err := join(d.ctx, 10_000); err != nil {
		d.log.Error("meshwork: threads of the library are left", "err", err)
	}
	d.file.Close()
	d.taker, d.event, d.last = taker{}, Event{}, nil
	d.finish = true
	close(d.done)
}

// turn takes and delivers until nothing is there; true: it was the last time.
func (d *dispatcher) turn() bool {
	for !d.over {
		d.deliver() // what a handler that ended its goroutine left
		n, s := d.taker.take(d.ctx)
		if s < 0 {
			if s != EEND {
				d.log.Error("meshwork: cannot take events", "err", s)
			}
			d.over = true
			return true
		}
		d.next, d.n = 0, n
		d.deliver()
		if n == 0 && s != more { // what comes from now on raises the descriptor anew
			break
		}
	}
	return d.over
}

func (d *dispatcher) deliver() {
	for d.next < d.n {
		d.deliverSome()
	}
}

// deliverSome stops behind a handler that panics.
func (d *dispatcher) deliverSome() {
	defer func() {
		if v := recover(); v != nil {
			d.log.Error("meshwork: a handler panicked", "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
		}
	}()
	for d.next < d.n {
		r := &d.taker.ev[d.next]
		d.next++
		if r.flags&flagRef != 0 {
			d.refer(r)
		} else {
			d.one(r, d.taker.slab[r.offset:])
		}
	}
}

func (d *dispatcher) refer(r *record) {
	defer refDrop(r.msg)
	d.one(r, d.taker.slab[r.offset:])
}

func (d *dispatcher) one(r *record, data []byte) {
	e := &d.event
	*e = Event{Kind: Kind(r.kind), Flags: Flags(r.flags &^ flagRef), Code: int(r.code), ID: r.id,
		status: Status(r.status), peer: r.peer}
	t, m := int(r.topicLen), int(r.topicLen+r.metaLen)
	e.topic, e.meta = data[:t:t], data[t:m:m]
	if r.flags&flagRef != 0 {
		e.body = refBody(r.msg)
	} else {
		end := m + int(r.bodyLen)
		e.body = data[m:end:end]
	}
	if e.Kind == Done || e.Kind == Part || e.Kind == released {
		d.ended(e)
		return
	}
	var h *handle
	if e.Kind == Received && d.last != nil && d.last.h == r.peer {
		e.Conn = d.last
		h = d.last.owner
	} else {
		h = d.object(r.token)
		if r.peer != 0 && h != nil && (h.consumer == nil || h.kind == confChannel) {
			e.Conn = d.connection(r.peer, h, e.Kind)
		}
	}
	if h == nil {
		return
	}
	if h.requests != nil {
		h.note(e)
	}
	defer d.after(h, e.Conn, e.Kind, e.status, e.Code)
	if e.Conn != nil && e.Conn.handle.call(e) || h.call(e) {
		return
	}
	d.unhandled(h, e)
}

// unhandled is what happens when nobody asked for this kind.
func (d *dispatcher) unhandled(h *handle, e *Event) {
	switch e.Kind {
	case Received:
		if l := receiverOf(h, e.Conn); l != nil {
			if l.keep(e.Message()) {
				return
			}
			e.Kind, e.Code, e.status = Dropped, 1, EOVERFLOW
			if !h.call(e) {
				d.log.Warn("meshwork: messages that nobody takes are dropped")
			}
		}
	case Log:
		level := []slog.Level{slog.LevelError, slog.LevelError, slog.LevelWarn, slog.LevelInfo, slog.LevelDebug}
		d.log.Log(context.Background(), level[min(max(e.Code, 0), 4)], e.Text(), "area", e.Topic())
	case Failure:
		d.log.Warn("meshwork: "+e.Text(), "err", e.status)
	}
}

// after keeps the tables, whatever the handler did.
func (d *dispatcher) after(h *handle, c *Connection, k Kind, why Status, code int) {
	switch k {
	case Writable:
		if l := receiverOf(h, c); l != nil {
			l.room()
		}
	case PeerDown:
		if c != nil {
			delete(d.peers, c.h)
			d.last = nil
			c.end(why, code)
		}
	case Closed:
		d.mu.Lock()
		delete(d.objects, h.token)
		d.mu.Unlock()
		h.end(why, code)
		d.over = d.over || h.token == 0
	}
}

func receiverOf(h *handle, c *Connection) *receiver {
	if c != nil {
		return &c.receiver
	}
	return h.consumer
}

func (d *dispatcher) connection(peer uint64, owner *handle, k Kind) *Connection {
	c := d.peers[peer]
	if c == nil {
		c = &Connection{owner: owner}
		c.d, c.h = d, peer
		if k == PeerUp { // with the option events=-peer_up nothing is kept
			d.peers[peer] = c
		}
	}
	d.last = c
	return c
}

func (d *dispatcher) object(token uint64) *handle {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.objects[token]
}

func (d *dispatcher) add(token uint64, h *handle) {
	d.mu.Lock()
	d.objects[token] = h
	d.mu.Unlock()
}

func (d *dispatcher) forget(token uint64) {
	d.mu.Lock()
	delete(d.objects, token)
	d.mu.Unlock()
}

// ended gives an operation its Done, or lent bytes back.
func (d *dispatcher) ended(e *Event) {
	d.mu.Lock()
	if e.Kind == released {
		back := d.lent[e.ID]
		delete(d.lent, e.ID)
		d.mu.Unlock()
		if back != nil {
			back()
		}
		return
	}
	then := d.ops[e.ID]
	if e.Kind == Part {
		then = d.parts[e.ID]
	} else {
		delete(d.ops, e.ID)
		delete(d.parts, e.ID)
	}
	d.mu.Unlock()
	if then != nil {
		then(e)
	}
}

type result struct {
	err error
	*Message
	code int
}

// do carries out an operation. With a function it returns when the library
// accepted it, and the function gets the Done, in the order of the object's
// events; without one it waits. When ctx ends first, the operation is cancelled.
func (d *dispatcher) do(ctx context.Context, h uint64, then []func(*Event), call func(op uint64) error) (result, error) {
	if err := ctx.Err(); err != nil {
		return result{}, err
	}
	op := d.numbers.Add(1)
	var wait chan result
	told := func(e *Event) {}
	if len(then) != 0 {
		told = then[0]
		if ctx.Done() != nil {
			stop := context.AfterFunc(ctx, func() { cancel(h, op) })
			told = func(e *Event) { stop(); then[0](e) }
		}
	} else {
		wait = make(chan result, 1)
		told = func(e *Event) { wait <- result{e.Err(), e.Message(), e.Code} }
	}
	d.mu.Lock()
	d.ops[op] = told
	d.mu.Unlock()
	if err := call(op); err != nil {
		d.mu.Lock()
		delete(d.ops, op)
		d.mu.Unlock()
		return result{}, err
	}
	if wait == nil {
		return result{}, nil
	}
	select {
	case r := <-wait:
		return r, r.err
	case <-ctx.Done():
		cancel(h, op) // its Done clears the table
		return result{}, ctx.Err()
	}
}
