package meshwork

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"sync"
	"time"
)

// Service is what one end of a link serves under a name: "C" every method
// "C.x" and "C" itself, "C.m" one. Close ends it, Drain finishes what runs. Its
// Dropped: the queue gave a call up (EDEAD), or lost Code oneway ones with the service (ECLOSED).
type Service struct{ handle }

// Request is a call to answer, once, at any time and from any goroutine.
type Request struct {
	Conn    *Connection // who calls, at a provider; nil at a consumer, whose provider does, a share and a node
	Method  string
	Message *Message // what it was called with, yours to keep
	at      *handle
	id      uint64
	until   time.Time // to answer; zero: no limit
	mu      sync.Mutex
	over    bool // answered, or nobody waits any more
	why     error
	ctx     context.Context // once asked for: most handlers need none, and it costs more than the rest of a request
	cancel  func(error)
	roomy   chan struct{}
}

// Serve makes the provider answer calls; the handler runs on the context's
// goroutine, so it must not wait: start a goroutine for what takes time.
func (p *Provider) Serve(name string, opts Options, handler func(*Request)) (*Service, error) {
	return serveAt(p.handle, nil, name, opts, handler)
}

// Serve makes the consumer answer calls of its provider. See Provider.Serve.
func (c *Consumer) Serve(name string, opts Options, handler func(*Request)) (*Service, error) {
	return serveAt(&c.handle, &c.receiver, name, opts, handler)
}

func serveAt(at *handle, consumer *receiver, name string, opts Options, handler func(*Request)) (*Service, error) {
	b, err := opts.json()
	if err != nil {
		return nil, err
	}
	s := &Service{handle{d: at.d, kind: confService, token: at.d.numbers.Add(1), consumer: consumer, requests: make(map[uint64]*Request)}}
	s.keep = s
	s.onRequest(handler)
	at.d.add(s.token, &s.handle)
	if s.h, err = serve(at.h, name, b, s.token); err != nil {
		at.d.forget(s.token)
		return nil, err
	}
	return s, nil
}

func (h *handle) onRequest(fn func(*Request)) {
	if fn == nil {
		h.On(Requested, nil)
	} else {
		h.On(Requested, func(e *Event) { fn(e.Request) })
	}
}

// note keeps the requests: before a handler hears of them, and of their end.
func (h *handle) note(e *Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch e.Kind {
	case Requested:
		r := &Request{at: h, Conn: e.Conn, Method: e.Topic(), Message: e.Message(), id: e.ID}
		if e.Code >= 0 {
			r.until = time.Now().Add(time.Duration(e.Code) * time.Millisecond)
		}
		if r.id != 0 {
			h.requests[r.id] = r
		}
		e.Request = r
	case Cancelled:
		e.Request = h.requests[e.ID]
		delete(h.requests, e.ID)
		if e.Request != nil {
			e.Request.end(e.Err())
		}
	case Writable:
		if e.Request = h.requests[e.ID]; e.Request != nil {
			e.Request.mu.Lock()
			ring(&e.Request.roomy)
			e.Request.mu.Unlock()
		}
	}
}

// ID is the library's number of the request, 0 of one that takes no answer.
func (r *Request) ID() uint64 { return r.id }

// Context ends with the time to answer, and when nobody waits for the answer
// any more; context.Cause tells why.
func (r *Request) Context() context.Context {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ctx == nil {
		limited, stop := context.Background(), func() {}
		if !r.until.IsZero() && !r.over {
			limited, stop = context.WithDeadline(limited, r.until)
		}
		own, cancel := context.WithCancelCause(limited)
		r.ctx, r.cancel = own, func(why error) { cancel(why); stop() }
		if r.over {
			r.cancel(r.why)
		}
	}
	return r.ctx
}

// Reply is the answer. ECLOSED: answered already, cancelled, or the caller has gone.
func (r *Request) Reply(body []byte, flags ...Flags) error {
	return r.ReplyMessage(&Message{Body: body, Flags: all(flags)})
}

// ReplyMessage is Reply with headers; with the flag More it is one part of several.
func (r *Request) ReplyMessage(m *Message) error {
	err := reply(r.id, m, 0)
	if err == nil && m.Flags&More == 0 {
		r.answered()
	}
	return err
}

func (r *Request) answered() {
	r.at.mu.Lock()
	delete(r.at.requests, r.id)
	r.at.mu.Unlock()
	r.end(nil)
}

func (r *Request) end(why error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over {
		return
	}
	r.over, r.why = true, why
	if r.cancel != nil {
		r.cancel(why)
	}
}

// Part is one part of several, which Reply ends. It waits where the caller does not take them.
func (r *Request) Part(ctx context.Context, body []byte, flags ...Flags) error {
	m := &Message{Body: body, Flags: all(flags) | More}
	for {
		r.mu.Lock()
		if r.roomy == nil {
			r.roomy = make(chan struct{})
		}
		room := r.roomy
		r.mu.Unlock()
		err := reply(r.id, m, 0)
		if !errors.Is(err, EAGAIN) && !errors.Is(err, EMEMORY) {
			return err
		}
		select {
		case <-room:
		case <-r.Context().Done():
			return context.Cause(r.Context())
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Fail answers with a failure: the status of err (else EREMOTE) and its text.
func (r *Request) Fail(err error) error { return r.failed(err, 0) }

// FailJSON is Fail with an object of your own, usually with "message".
func (r *Request) FailJSON(status Status, object json.RawMessage) error {
	return r.fail(status, object, 0)
}

// GiveBack puts the request back into the queue of its service, to come again
// later as another; its caller gets err where that was the last time.
func (r *Request) GiveBack(err error) error { return r.failed(err, retry) }

// GiveBackJSON is GiveBack with an object of your own, usually with "message".
func (r *Request) GiveBackJSON(status Status, object json.RawMessage) error {
	return r.fail(status, object, retry)
}

func (r *Request) failed(err error, flags uint32) error {
	status, b := EREMOTE, []byte(nil)
	if err != nil {
		errors.As(err, &status)
		b, _ = json.Marshal(map[string]string{"message": err.Error()})
	}
	return r.fail(status, b, flags)
}

func (r *Request) fail(status Status, object json.RawMessage, flags uint32) error {
	err := fail(r.id, status, object, flags)
	if err == nil {
		r.answered()
	}
	return err
}

// How is how a call is made; nil and zero values are the usual.
type How struct {
	Timeout time.Duration // 0: what ctx leaves, else the option call.timeout; negative: none
	Parent  *Request      // made for this request: its time and its end count here too
	Options Options       // of a call, such as "credit"
	Part    func(*Event)  // each part of a streamed answer, on the context's goroutine
}

// Call calls a method of the other end (wire meshwork), of a share's leader, of a
// member of the mesh that serves it (How.Options: version, only, exclude, sticky),
// and waits for the answer; with a function it does not wait. An error of the other side is an
// *Error whose Detail is the object it sent. When ctx ends, so does the call.
func (l *caller) Call(ctx context.Context, target string, m *Message, how *How, then ...func(*Event)) (*Message, error) {
	var given How
	if how != nil {
		given = *how
	}
	var b []byte
	if len(given.Options) != 0 {
		var err error
		if b, err = given.Options.json(); err != nil {
			return nil, err
		}
	}
	ms := given.Timeout.Milliseconds()
	if at, ok := ctx.Deadline(); ok && ms == 0 {
		ms = max(time.Until(at).Milliseconds(), 1)
	} else if given.Timeout < 0 {
		ms = -1
	}
	var parent uint64
	if given.Parent != nil {
		parent = given.Parent.id
	}
	if m == nil {
		m = &Message{}
	}
	r, err := l.d.do(ctx, l.h, then, func(op uint64) error {
		if given.Part != nil {
			l.d.mu.Lock()
			l.d.parts[op] = given.Part
			l.d.mu.Unlock()
		}
		err := call(l.h, target, m, b, ms, parent, op)
		if err != nil && given.Part != nil {
			l.d.mu.Lock()
			delete(l.d.parts, op)
			l.d.mu.Unlock()
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return r.Message, nil
}

// Notify is a call that nobody answers; at a share, with the flag Repeat, each
// new leader gets it.
func (l *caller) Notify(target string, m *Message) error {
	oneway := *m
	oneway.Flags |= Oneway
	return call(l.h, target, &oneway, nil, 0, 0, 0)
}

// Stream is a call whose answer comes in parts: Next gives them, and at the
// end the answer where it has bytes, then io.EOF. While many wait the peer is
// paused; a node cannot pause the others, so there EOVERFLOW ends it beyond
// 65,536 parts. Close gives it up.
func (l *caller) Stream(ctx context.Context, target string, m *Message, how *How) *Stream {
	return l.stream(ctx, target, m, how, 0)
}

func (l *caller) stream(ctx context.Context, target string, m *Message, how *How, flags Flags) *Stream {
	s := &Stream{from: l}
	s.ctx, s.stop = context.WithCancel(ctx)
	var given How
	if how != nil {
		given = *how
	}
	given.Part = func(e *Event) {
		part := e.Message()
		part.err = e.Err()
		s.push(part, nil)
	}
	var asks Message
	if m != nil {
		asks = *m
	}
	asks.Flags |= flags
	_, err := l.Call(s.ctx, target, &asks, &given, func(e *Event) {
		if err := e.Err(); err != nil {
			s.push(nil, err)
		} else if len(e.body) != 0 && flags&All == 0 {
			s.push(e.Message(), io.EOF)
		} else {
			s.push(nil, io.EOF)
		}
	})
	if err != nil {
		s.push(nil, err)
	}
	return s
}

// Stream is an answer in parts.
type Stream struct {
	from    *caller
	ctx     context.Context
	stop    context.CancelFunc
	mu      sync.Mutex
	box     []*Message
	err     error // behind the box
	paused  bool
	arrived chan struct{}
}

func (s *Stream) push(m *Message, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m != nil && s.err == nil {
		s.box = append(s.box, m)
	}
	if err != nil && s.err == nil {
		s.err = err
	}
	if s.from.kind == confNode && len(s.box) >= nodeMessages && s.err == nil {
		s.err = &Error{Status: EOVERFLOW, Text: "The parts of an answer were not taken."}
		s.stop()
	}
	if !s.paused && s.err == nil && len(s.box) >= boxMessages {
		s.paused = true
		s.from.hold(1)
	}
	ring(&s.arrived)
}

// Next is the next part; io.EOF after the last one.
func (s *Stream) Next() (*Message, error) {
	for {
		s.mu.Lock()
		if s.paused && len(s.box) <= boxMessages/2 {
			s.paused = false
			s.from.hold(-1)
		}
		if len(s.box) != 0 {
			m := s.box[0]
			s.box[0] = nil
			s.box = s.box[1:]
			s.mu.Unlock()
			return m, nil
		}
		err := s.err
		if s.arrived == nil {
			s.arrived = make(chan struct{})
		}
		arrived := s.arrived
		s.mu.Unlock()
		if err != nil {
			s.stop()
			return nil, err
		}
		select {
		case <-arrived:
		case <-s.ctx.Done():
			return nil, s.ctx.Err()
		}
	}
}

// Err is why it ended: nil before, and where all of it came.
func (s *Stream) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == io.EOF {
		return nil
	}
	return s.err
}

// Close gives up what has not come.
func (s *Stream) Close() error {
	s.stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.box = nil
	if s.err == nil {
		s.err = io.EOF
	}
	if s.paused {
		s.paused = false
		s.from.hold(-1)
	}
	return nil
}
