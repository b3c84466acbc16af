package meshwork

import (
	"context"
	"io"
	"runtime"
)

// What waits for Receive before the peer is paused.
const (
	boxMessages = 256
	boxBytes    = 64 << 10
	// A node's links carry heartbeats, so it cannot pause the others: what comes beyond is dropped, and told.
	nodeMessages = 256 * boxMessages
	nodeBytes    = 1024 * boxBytes
)

// Link is a Consumer or a Connection.
type Link interface {
	Object
	Send(body []byte, flags ...Flags) error
	SendText(text string, flags ...Flags) error
	SendMessage(m *Message) error
	SendWait(ctx context.Context, body []byte, flags ...Flags) error
	Deliver(ctx context.Context, m *Message, then ...func(*Event)) (int, error)
	Lend(body []byte, released func(), flags ...Flags) error
	Subscribe(ctx context.Context, pattern string, opts Options, then ...func(*Event)) error
	Unsubscribe(ctx context.Context, pattern string, then ...func(*Event)) error
	Subscribed(topic string) (bool, error)
	Call(ctx context.Context, target string, m *Message, how *How, then ...func(*Event)) (*Message, error)
	Stream(ctx context.Context, target string, m *Message, how *How) *Stream
	Notify(target string, m *Message) error
	Receive(context.Context) (*Message, error)
	Messages(context.Context) <-chan *Message
}

// receiver is what messages come to: a link, a channel, a share, a node.
type receiver struct {
	handle
	box      []*Message // guarded by handle.mu, as all below
	boxBytes int
	paused   bool
	holds    int           // who paused it: the box, streams
	arrived  chan struct{} // closed when box or gone changed
	roomy    chan struct{} // closed by Writable
}

// caller also calls: a link, a share, a node.
type caller struct{ receiver }

// link is a Link.
type link struct{ caller }

func all(flags []Flags) (all Flags) {
	for _, f := range flags {
		all |= f
	}
	return all
}

// Send sends bytes as one message, at once or not at all: EAGAIN says that
// too much waits and nothing was kept (Writable follows), ENOTCONN that there
// is no link. It never waits, so it may be called in handlers.
func (l *link) Send(body []byte, flags ...Flags) error {
	if s := sendBytes(l.h, body, all(flags)); s < 0 {
		return s
	}
	return nil
}

// SendText is Send of UTF-8 text.
func (l *link) SendText(text string, flags ...Flags) error {
	if s := sendBytes(l.h, textBytes(text), all(flags)|Text); s < 0 {
		return s
	}
	return nil
}

// SendMessage is Send with headers.
func (l *link) SendMessage(m *Message) error { return send(l.h, m, 0) }

// SendWait is Send that waits for room. Not for handlers.
func (l *link) SendWait(ctx context.Context, body []byte, flags ...Flags) error {
	for {
		room := l.signal(&l.roomy)
		s := sendBytes(l.h, body, all(flags))
		if s >= 0 {
			return nil
		}
		if s != EAGAIN && s != EMEMORY {
			return s
		}
		select {
		case <-room:
		case <-l.Done():
			return ECLOSED
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Deliver sends and waits until the kernel has the message (0) or, with the
// wire meshwork, until the peer's program took it (1).
func (l *link) Deliver(ctx context.Context, m *Message, then ...func(*Event)) (int, error) {
	r, err := l.d.do(ctx, l.h, then, func(op uint64) error { return send(l.h, m, op) })
	return r.code, err
}

// Lend sends without a copy: body must not change until released is called,
// on the context's goroutine.
func (l *link) Lend(body []byte, released func(), flags ...Flags) error {
	hint := l.d.numbers.Add(1)
	pin := new(runtime.Pinner)
	if len(body) != 0 {
		pin.Pin(&body[0])
	}
	back := func() {
		pin.Unpin()
		if released != nil {
			released()
		}
	}
	l.d.mu.Lock()
	l.d.lent[hint] = back
	l.d.mu.Unlock()
	accepted, err := lend(l.d.ctx, l.h, body, all(flags), hint)
	if !accepted {
		l.d.mu.Lock()
		delete(l.d.lent, hint)
		l.d.mu.Unlock()
		pin.Unpin()
	}
	return err
}

// Subscribe makes publishes that match reach this peer; at a consumer (wire
// meshwork) the provider is told; at a channel the events that match come
// (regular expressions, of the whole name), at a share the values of a key, at a
// node the events that any member publishes. With a function it does not wait.
func (l *receiver) Subscribe(ctx context.Context, pattern string, opts Options, then ...func(*Event)) error {
	b, err := opts.json()
	if err == nil {
		_, err = l.d.do(ctx, l.h, then, func(op uint64) error {
			_, err := subscribe(l.h, pattern, b, 0, op, false)
			return err
		})
	}
	return err
}

// Unsubscribe ends every subscription with this pattern.
func (l *receiver) Unsubscribe(ctx context.Context, pattern string, then ...func(*Event)) error {
	_, err := l.d.do(ctx, l.h, then, func(op uint64) error { return unsubscribe(l.h, pattern, op) })
	return err
}

// Subscribed tells whether a publish to topic would come here.
func (l *receiver) Subscribed(topic string) (bool, error) { return subscribed(l.h, topic) }

// Receive is the next message; io.EOF after the last one. Messages come here
// when nobody handles them (OnMessage, OnEvent). While many wait the peer is
// paused, so that it slows down instead of filling the memory; a node drops what
// comes beyond 65,536 messages or 64 MiB, and Dropped tells.
func (l *receiver) Receive(ctx context.Context) (*Message, error) {
	for {
		l.mu.Lock()
		if len(l.box) != 0 {
			m := l.box[0]
			l.box[0] = nil
			l.box = l.box[1:]
			l.boxBytes -= len(m.Body)
			if l.paused && len(l.box) <= boxMessages/2 && l.boxBytes <= boxBytes/2 {
				l.paused = false
				l.holdLocked(-1)
			}
			l.mu.Unlock()
			return m, nil
		}
		gone := l.gone
		l.mu.Unlock()
		if gone {
			return nil, io.EOF
		}
		arrived := l.signal(&l.arrived)
		if l.waits() {
			continue
		}
		select {
		case <-arrived:
		case <-l.Done():
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// Messages is Receive as a channel, closed after the last message or when ctx ends.
func (l *receiver) Messages(ctx context.Context) <-chan *Message {
	out := make(chan *Message)
	go func() {
		defer close(out)
		for {
			m, err := l.Receive(ctx)
			if err != nil {
				return
			}
			select {
			case out <- m:
			case <-ctx.Done():
				return
			}
		}
	}()
	return out
}

func (l *receiver) waits() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.box) != 0
}

// keep has no more room: false.
func (l *receiver) keep(m *Message) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.kind == confNode && (len(l.box) >= nodeMessages || l.boxBytes >= nodeBytes) {
		return false
	}
	l.box = append(l.box, m)
	l.boxBytes += len(m.Body)
	if !l.paused && (len(l.box) >= boxMessages || l.boxBytes >= boxBytes) {
		l.paused = true
		l.holdLocked(1)
	}
	ring(&l.arrived)
	return true
}

// hold pauses the input while anybody holds it.
func (l *receiver) hold(by int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.holdLocked(by)
}

func (l *receiver) holdLocked(by int) {
	before := l.holds > 0
	l.holds += by
	if on := l.holds > 0; on != before && l.kind != confNode {
		pause(l.h, on)
	}
}

func (l *receiver) room() {
	l.mu.Lock()
	defer l.mu.Unlock()
	ring(&l.roomy)
}

// signal is a channel that the next ring closes.
func (l *receiver) signal(at *chan struct{}) <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if *at == nil {
		*at = make(chan struct{})
	}
	return *at
}

func ring(at *chan struct{}) {
	if *at != nil {
		close(*at)
		*at = nil
	}
}
