package meshwork

import (
	"context"
	"encoding/json"
	"io"
	"runtime"
)

// Node is a member of a mesh: it serves calls, calls what others serve, and
// publishes to who subscribed. A message's Topic is that of its publish, its
// header "member" who published it.
type Node struct {
	*caller
	emitter
	knowing
	ctx *Context
}

// NewNode opens a member of the mesh of the option "cluster.deployment"; it joins with Start.
func (c *Context) NewNode(opts Options) (*Node, error) {
	r := &caller{}
	r.consumer = &r.receiver
	if _, err := c.open(confNode, "", opts, &r.handle); err != nil {
		return nil, err
	}
	made := &Node{r, emitter{&r.handle}, knowing{&r.handle}, c}
	runtime.SetFinalizer(made, func(k *Node) { k.handle.dropped("Node") })
	return made, nil
}

// Start joins, and returns when what the others know is known here and
// "gate.services" is met; with a function it does not wait.
func (n *Node) Start(ctx context.Context, then ...func(*Event)) error { return n.start(ctx, n, then) }

// Serve makes the node answer calls of all members, itself too; they are told
// of it. A request's header "caller" names who calls. See Provider.Serve.
func (n *Node) Serve(name string, opts Options, handler func(*Request)) (*Service, error) {
	return serveAt(&n.handle, &n.receiver, name, opts, handler)
}

// PublishCount is PublishMessage that tells how many other members want it.
// With the flag Local this node alone hears it.
func (n *Node) PublishCount(ctx context.Context, m *Message, then ...func(*Event)) (int, error) {
	r, err := n.d.do(ctx, n.h, then, func(op uint64) error { return n.publish(m, op) })
	return r.code, err
}

// Member is one process of a mesh.
type Member struct {
	Name, Service string // Service: its role
	Address       []string
	Suspected     bool
	// In what Members tells:
	Self, Linked bool
	Services     []struct{ Name, Version, Mode string }
	InFlight     int `json:"in_flight"` // calls of this node that it has
	// Of MemberDown:
	Reason, By string
}

// Manager is where nodes report ("registry": "manager", "registry.url"), and
// which tells them whom there is.
type Manager struct {
	*handle
	knowing
	ctx *Context
}

// NewManager opens a manager of the mesh of the option "cluster.deployment".
func (c *Context) NewManager(opts Options) (*Manager, error) {
	h, err := c.open(confManager, "", opts, &handle{})
	if err != nil {
		return nil, err
	}
	made := &Manager{h, knowing{h}, c}
	runtime.SetFinalizer(made, func(k *Manager) { k.handle.dropped("Manager") })
	return made, nil
}

// Start listens, and returns when nodes can report; with a function it does not wait.
func (m *Manager) Start(ctx context.Context, then ...func(*Event)) error {
	return m.start(ctx, m, then)
}

// knowing tells who is in a mesh: of a Node or a Manager.
type knowing struct{ of *handle }

// Members tells who is in the mesh, of a node this one among them.
func (k knowing) Members(ctx context.Context) (all []Member, err error) {
	told, err := k.of.Gather(ctx, "members")
	if err == nil {
		err = json.Unmarshal(told, &all)
	}
	return all, err
}

// OnMember is told who comes (MemberUp), is suspected or well again or says
// something new (MemberChanged), and who is gone and why (MemberDown).
func (k knowing) OnMember(fn func(what Kind, m Member)) {
	for _, kind := range []Kind{MemberUp, MemberChanged, MemberDown} {
		k.of.On(kind, func(e *Event) {
			m := Member{Service: e.Topic(), Suspected: e.Kind == MemberChanged && e.Code == 1}
			if e.JSON(&m) == nil {
				fn(e.Kind, m)
			}
		})
	}
}

// OnService is told that a member serves a name now (up) or no more, and how
// many other members still do.
func (n *Node) OnService(fn func(name, member string, up bool, others int)) {
	for _, kind := range []Kind{ServiceUp, ServiceDown} {
		n.On(kind, func(e *Event) {
			var by struct{ Member string }
			if e.JSON(&by) == nil {
				fn(e.Topic(), by.Member, e.Kind == ServiceUp, e.Code)
			}
		})
	}
}

// OnReady is told when "gate.services" is met, and when it is no more.
func (n *Node) OnReady(fn func(met bool)) { n.On(Gate, func(e *Event) { fn(e.Code == 1) }) }

// Answer is what one member said to a broadcast.
type Answer struct {
	Member  string
	Message *Message
	More    bool  // it has more to say
	Err     error // why it did not answer
}

// Broadcast calls all members that serve the target: Next gives what each says,
// as it comes. Close gives it up.
func (n *Node) Broadcast(ctx context.Context, target string, m *Message, how *How) *Broadcast {
	return &Broadcast{n.stream(ctx, target, m, how, All)}
}

// CallAll is Broadcast gathered: EPARTIAL where some failed, each with its Err.
func (n *Node) CallAll(ctx context.Context, target string, m *Message, how *How) (all []Answer, err error) {
	asked := n.Broadcast(ctx, target, m, how)
	defer asked.Close()
	for {
		a, err := asked.Next()
		if err == io.EOF {
			return all, asked.Err()
		}
		if err != nil {
			return all, err
		}
		all = append(all, a)
	}
}

// Broadcast is the answers of all members; Err is EPARTIAL where some failed.
type Broadcast struct{ *Stream }

// Next is what the next member says; io.EOF after the last one.
func (b *Broadcast) Next() (Answer, error) {
	m, err := b.Stream.Next()
	if err != nil {
		if status, ok := err.(*Error); ok && status.Status == EPARTIAL {
			err = io.EOF // each failure was told
		}
		return Answer{}, err
	}
	return Answer{m.Header["member"], m, m.Flags&More != 0, m.err}, nil
}
