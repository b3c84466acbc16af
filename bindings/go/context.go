// Package meshwork is messaging between processes and machines: providers
// admit many peers, consumers are connected to one provider and always come
// back. The processes of one host meet in channels, and use one connection in
// shares; nodes are a mesh. It is a thin binding of libmeshwork: README.md tells
// how events arrive, on which goroutine, and how things end.
package meshwork

import (
	"context"
	"log/slog"
	"runtime"
)

var (
	_ Object = (*Context)(nil)
	_ Object = (*Subscription)(nil)
	_ Object = (*Service)(nil)
	_ Party  = (*Provider)(nil)
	_ Party  = (*Consumer)(nil)
	_ Party  = (*Node)(nil)
	_ Link   = (*Consumer)(nil)
	_ Link   = (*Connection)(nil)

	_ Starter = (*Channel)(nil)
	_ Starter = (*Hub)(nil)
	_ Starter = (*Share)(nil)
	_ Starter = (*Election)(nil)
	_ Starter = (*Manager)(nil)
)

// Version of the loaded library: major, minor, patch.
func Version() (major, minor, patch int) {
	v := version()
	return int(v >> 16), int(v >> 8 & 255), int(v & 255)
}

// Context is the loop, the clock, the memory budget, and the goroutine on
// which handlers run.
type Context struct {
	*handle
}

// Open opens a context. Where the options say no "threads", it turns its lane
// itself ("threads": 0), on the goroutine that calls the handlers. Log lines
// and handlers that panic go to slog's default logger, or to the one of
// OpenLogged.
func Open(opts Options) (*Context, error) { return OpenLogged(opts, slog.Default()) }

// OpenLogged is Open with a logger.
func OpenLogged(opts Options, log *slog.Logger) (*Context, error) {
	all := Options{"threads": 0} // measured: less work a message, and the poller wakes one goroutine either way
	for key, value := range opts {
		all[key] = value
	}
	b, err := all.json()
	if err != nil {
		return nil, err
	}
	h, err := opened(confContext, 0, 0, "", b)
	if err != nil {
		return nil, err
	}
	d, err := newDispatcher(h, log)
	if err != nil {
		closeHandle(h, 0, "", abort)
		return nil, err
	}
	c := &Context{&handle{d: d, h: h, kind: confContext}}
	d.objects[0] = c.handle
	runtime.SetFinalizer(c, func(c *Context) { c.handle.dropped("Context") })
	go d.run()
	return c, nil
}

// dropped closes what nobody can reach any more.
func (h *handle) dropped(what string) {
	if closeHandle(h.h, 0, "", 0) == nil && h.Err() == nil {
		h.d.log.Warn("meshwork: a " + what + " was dropped without Close")
	}
}

// Done is closed when no goroutine and no thread of the context is left.
func (c *Context) Done() <-chan struct{} { return c.d.done }

// Shutdown closes the context and all it holds, and waits until nothing is
// left. Not to be called in a handler, which is what it waits for.
func (c *Context) Shutdown(ctx context.Context) error {
	if err := c.Close(); err != nil && err != ECLOSED {
		return err
	}
	select {
	case <-c.d.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Answer decides an Ask by its ID, later and from anywhere. See Event.Answer.
func (c *Context) Answer(ask uint64, allow bool, data any) error { return answerJSON(ask, allow, data) }

// SendBatch carries out all sends of a batch in one crossing; the batch tells
// how each went.
func (c *Context) SendBatch(b *Batch) error {
	if s := sendRecords(c.h, b.ev, b.base); s < 0 {
		return s
	}
	return nil
}

// Batch is many sends in one crossing.
type Batch struct {
	ev   []record
	base []byte
}

// Add copies body as one more message.
func (b *Batch) Add(to Link, body []byte, flags ...Flags) {
	r := record{peer: to.ID(), offset: uint32(len(b.base)), bodyLen: uint32(len(body))}
	for _, f := range flags {
		r.flags |= uint32(f)
	}
	b.base = append(b.base, body...)
	b.ev = append(b.ev, r)
}

// Len is the number of sends, Err how number i went.
func (b *Batch) Len() int { return len(b.ev) }

// Err tells how send number i went.
func (b *Batch) Err(i int) error {
	if s := b.ev[i].status; s < 0 {
		return Status(s)
	}
	return nil
}

// Reset empties the batch and keeps its memory.
func (b *Batch) Reset() { b.ev, b.base = b.ev[:0], b.base[:0] }

// Provider listens and admits many peers.
type Provider struct {
	*handle
	ctx *Context // a context is not dropped before what it holds
}

// NewProvider opens a provider; it listens after Start.
func (c *Context) NewProvider(opts Options) (*Provider, error) {
	h, err := c.open(confProvider, "", opts, &handle{})
	if err != nil {
		return nil, err
	}
	p := &Provider{h, c}
	runtime.SetFinalizer(p, func(p *Provider) { p.handle.dropped("Provider") })
	return p, nil
}

func (c *Context) open(kind int32, name string, opts Options, h *handle) (*handle, error) {
	b, err := opts.json()
	if err != nil {
		return nil, err
	}
	h.d, h.kind, h.token = c.d, kind, c.d.numbers.Add(1)
	c.d.add(h.token, h)
	if h.h, err = opened(kind, c.h, h.token, name, b); err != nil {
		c.d.forget(h.token)
		return nil, err
	}
	return h, nil
}

// Start listens, and returns when that works or cannot; with a function it
// does not wait. A started provider lives until it is closed.
func (p *Provider) Start(ctx context.Context, then ...func(*Event)) error {
	return p.start(ctx, p, then)
}

// Publish sends to every peer that is subscribed to the topic; "" is everybody.
func (p *Provider) Publish(topic string, body []byte, flags ...Flags) error {
	return p.PublishMessage(&Message{Topic: topic, Body: body, Flags: all(flags)}, nil)
}

// PublishMessage is Publish with headers, and with one peer left out.
func (p *Provider) PublishMessage(m *Message, except *Connection) error {
	return publish(p.h, m, 0, except.number(), 0)
}

// PublishCount is PublishMessage that waits, and tells how many it reached.
func (p *Provider) PublishCount(ctx context.Context, m *Message, except *Connection, then ...func(*Event)) (int, error) {
	r, err := p.d.do(ctx, p.h, then, func(op uint64) error { return publish(p.h, m, 0, except.number(), op) })
	return r.code, err
}

// Consumer is a connection to one provider that always comes back.
type Consumer struct {
	*link
	ctx *Context
}

// NewConsumer opens a consumer; it connects after Start.
func (c *Context) NewConsumer(opts Options) (*Consumer, error) {
	l := &link{}
	l.consumer = &l.receiver
	if _, err := c.open(confConsumer, "", opts, &l.handle); err != nil {
		return nil, err
	}
	made := &Consumer{l, c}
	runtime.SetFinalizer(made, func(k *Consumer) { k.handle.dropped("Consumer") })
	return made, nil
}

// Start connects, and returns when the link is up or cannot come up; with a
// function it does not wait. Called again it waits for the link to be up.
func (c *Consumer) Start(ctx context.Context, then ...func(*Event)) error {
	return c.start(ctx, c, then)
}

// Connection is one peer of a provider.
type Connection struct {
	link
	owner *handle
}

func (c *Connection) number() uint64 {
	if c == nil {
		return 0
	}
	return c.h
}

// SubscribeNamed is Subscribe with a handle that ends this one subscription.
func (c *Connection) SubscribeNamed(ctx context.Context, pattern string, opts Options, then ...func(*Event)) (*Subscription, error) {
	b, err := opts.json()
	if err != nil {
		return nil, err
	}
	s := &Subscription{handle{d: c.d, kind: confSubscription, token: c.d.numbers.Add(1)}}
	c.d.add(s.token, &s.handle)
	_, err = c.d.do(ctx, c.h, then, func(op uint64) (err error) {
		s.h, err = subscribe(c.h, pattern, b, s.token, op, true)
		return err
	})
	if err != nil && s.h == 0 {
		c.d.forget(s.token)
	}
	return s, err
}

// Subscription is one subscription of a connection: Close ends it.
type Subscription struct{ handle }
