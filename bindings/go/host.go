package meshwork

import (
	"context"
	"maps"
	"runtime"
)

// Channel is a member of a channel: it hears what the other processes of the
// host publish in it. A message's Topic is the event's name, its header
// "sender" who sent it. Up and Down tell the link to the hub.
type Channel struct {
	*receiver
	emitter
	ctx *Context
}

// NewChannel opens a member of the channel of this name; it joins with Start.
func (c *Context) NewChannel(name string, opts Options) (*Channel, error) {
	r := &receiver{}
	r.consumer = r
	if _, err := c.open(confChannel, "", opts.named(name), &r.handle); err != nil {
		return nil, err
	}
	made := &Channel{r, emitter{&r.handle}, c}
	runtime.SetFinalizer(made, func(k *Channel) { k.handle.dropped("Channel") })
	return made, nil
}

// Start joins, and returns when there is a hub; with a function it does not wait.
func (c *Channel) Start(ctx context.Context, then ...func(*Event)) error {
	return c.start(ctx, c, then)
}

// Hub keeps channels of this host in a process of its own; PeerUp, PeerDown,
// Slow and Dropped name their members. Update with "channels" reloads them.
type Hub struct {
	*handle
	ctx *Context
}

// NewHub opens a hub of the channels of the option "channels".
func (c *Context) NewHub(opts Options) (*Hub, error) {
	h, err := c.open(confHub, "", opts, &handle{})
	if err != nil {
		return nil, err
	}
	made := &Hub{h, c}
	runtime.SetFinalizer(made, func(k *Hub) { k.handle.dropped("Hub") })
	return made, nil
}

// Start keeps the channels from now on: EADDRINUSE where one has a hub.
func (h *Hub) Start(ctx context.Context, then ...func(*Event)) error { return h.start(ctx, h, then) }

// Share is one of the processes of a host that use one connection, which their
// leader holds. The leader hears OnRequest and OnInterest, and publishes.
type Share struct {
	*caller
	emitter
	leading
	ctx *Context
}

// NewShare opens a member of the share of this name; it joins with Start.
func (c *Context) NewShare(name string, opts Options) (*Share, error) {
	r := &caller{}
	r.consumer, r.requests = &r.receiver, make(map[uint64]*Request)
	if _, err := c.open(confShare, "", opts.named(name), &r.handle); err != nil {
		return nil, err
	}
	made := &Share{r, emitter{&r.handle}, leading{&r.handle}, c}
	runtime.SetFinalizer(made, func(k *Share) { k.handle.dropped("Share") })
	return made, nil
}

// Start joins, and returns when there is a leader; with a function it does not wait.
func (s *Share) Start(ctx context.Context, then ...func(*Event)) error { return s.start(ctx, s, then) }

// OnRequest gets the calls of all processes, in the leader. See Provider.Serve.
func (s *Share) OnRequest(fn func(*Request)) { s.onRequest(fn) }

// OnInterest is told, in the leader, how many processes subscribe to a key now
// and did before.
func (s *Share) OnInterest(fn func(key string, now, before int)) {
	s.On(Interest, func(e *Event) { fn(e.Topic(), e.Code, int(e.ID)) })
}

// Election is one of the processes of a host of which one leads.
type Election struct {
	*handle
	leading
	ctx *Context
}

// NewElection opens the election of this name; Start stands in it, Close resigns.
func (c *Context) NewElection(name string, opts Options) (*Election, error) {
	h, err := c.open(confElection, name, opts, &handle{})
	if err != nil {
		return nil, err
	}
	made := &Election{h, leading{h}, c}
	runtime.SetFinalizer(made, func(k *Election) { k.handle.dropped("Election") })
	return made, nil
}

// Start stands, and returns as soon as somebody leads; with a function it does not wait.
func (e *Election) Start(ctx context.Context, then ...func(*Event)) error {
	return e.start(ctx, e, then)
}

// leading tells who leads a share or an election.
type leading struct{ who *handle }

// OnLeader is told who leads from now on: this process (in a share it makes the
// connection now), or not (it drops it). The epoch rises with each leader: who
// takes orders refuses a lower one than it has seen.
func (l leading) OnLeader(fn func(leads bool, epoch uint64)) {
	l.who.On(Leader, func(e *Event) { fn(e.Code == 1, e.ID) })
}

// emitter publishes in a channel, a share or a mesh.
type emitter struct{ from *handle }

// Publish gives a channel's event to every other member, a key's value of a
// share, in its leader, to who subscribed to it (ENOTLEADER elsewhere), and a
// node's event to every member that subscribed. EAGAIN says that nothing was
// kept; Writable follows.
func (p emitter) Publish(topic string, body []byte, flags ...Flags) error {
	return p.PublishMessage(&Message{Topic: topic, Body: body, Flags: all(flags)})
}

// PublishMessage is Publish with headers.
func (p emitter) PublishMessage(m *Message) error { return p.publish(m, 0) }

func (p emitter) publish(m *Message, op uint64) error {
	if p.from.kind == confNode {
		return publish(p.from.h, m, Local, 0, op)
	}
	return publish(p.from.h, m, 0, 0, op) // there Local is only seen
}

// PublishWait waits until every member of the channel that was there has it;
// of a node: until it is on its way to who wants it.
func (p emitter) PublishWait(ctx context.Context, m *Message, then ...func(*Event)) error {
	_, err := p.from.d.do(ctx, p.from.h, then, func(op uint64) error { return p.publish(m, op) })
	return err
}

// named are the options with a name.
func (o Options) named(name string) Options {
	all := Options{"name": name}
	maps.Copy(all, o)
	return all
}
