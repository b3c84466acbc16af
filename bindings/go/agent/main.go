// The scenario agent in Go: carries out lines of stdin with the public
// classes, answers each with "= STATUS ..." and prints every event as
// "! OBJECT KIND ...". tests/scenario/README.md has the protocol.
//
//	agent queue|turn
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"meshwork"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

type words struct {
	verb, name string
	keys       []string
	val        map[string]string
}

type hook struct{ object, kind, line string }

var (
	door  string
	ctx   *meshwork.Context
	mu    sync.Mutex // names, hooks, ops, output
	names map[string]any
	hooks []hook
	ops   map[string]context.CancelFunc
)

var kinds = map[meshwork.Kind]string{meshwork.Up: "UP", meshwork.Down: "DOWN", meshwork.Closed: "CLOSED",
	meshwork.Failure: "ERROR", meshwork.Log: "LOG", meshwork.PeerUp: "PEER_UP", meshwork.PeerDown: "PEER_DOWN",
	meshwork.Received: "MESSAGE", meshwork.Writable: "WRITABLE", meshwork.Slow: "SLOW", meshwork.Dropped: "DROPPED",
	meshwork.Ping: "PING", meshwork.Pong: "PONG", meshwork.Interest: "INTEREST", meshwork.Done: "DONE",
	meshwork.Ask: "ASK", meshwork.Draining: "DRAINING"}

var flagNames = []struct {
	name string
	bit  meshwork.Flags
}{{"TEXT", meshwork.Text}, {"COMPRESS", meshwork.Compress}, {"MORE", meshwork.More}, {"CONT", meshwork.Cont},
	{"PING", meshwork.Pinged}, {"NOQUEUE", meshwork.NoQueue}, {"LOCAL", meshwork.Local}, {"RESUMED", meshwork.Resumed},
	{"FATAL", meshwork.Fatal}, {"ASCII", meshwork.ASCII}}

var stats = map[string]meshwork.Stat{"BUFFERED": meshwork.Buffered, "LAST_BEAT": meshwork.LastBeat,
	"STRIKES": meshwork.Strikes, "BEAT_INTERVAL": meshwork.BeatInterval, "BEAT_CUTOFF": meshwork.BeatCutoff,
	"RTT": meshwork.RTT, "PEERS": meshwork.Peers, "BYTES_IN": meshwork.BytesIn, "BYTES_OUT": meshwork.BytesOut,
	"DROPPED": meshwork.DroppedCount, "QUEUED": meshwork.Queued, "MESSAGES_IN": meshwork.MessagesIn,
	"MESSAGES_OUT": meshwork.MessagesOut}

// What every object of the binding can do.
type object interface {
	io.Closer
	ID() uint64
	CloseWith(code int, reason string) error
	Abort() error
	Drain(context.Context, ...func(*meshwork.Event)) error
	Update(context.Context, meshwork.Options, ...func(*meshwork.Event)) error
	Info(string) ([]byte, error)
	Gather(context.Context, string, ...func(*meshwork.Event)) ([]byte, error)
	State() (meshwork.State, error)
	Stat(meshwork.Stat) (int64, error)
	Pause() error
	Resume() error
	Cork() error
	Uncork() error
}

type starter interface {
	Start(context.Context, ...func(*meshwork.Event)) error
}

type linked interface {
	meshwork.Sender
	Deliver(context.Context, *meshwork.Message, ...func(*meshwork.Event)) (int, error)
	Lend([]byte, func(), ...meshwork.Flags) error
	Subscribe(context.Context, string, meshwork.Options, ...func(*meshwork.Event)) error
	Unsubscribe(context.Context, string, ...func(*meshwork.Event)) error
	Subscribed(string) (bool, error)
}

func main() {
	if len(os.Args) != 2 || (os.Args[1] != "queue" && os.Args[1] != "turn") {
		fmt.Fprintln(os.Stderr, "usage: agent queue|turn")
		os.Exit(2)
	}
	door = os.Args[1]
	a, b, c := meshwork.Version()
	say("hello go %s %d.%d.%d", door, a, b, c)
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	for {
		line, err := in.ReadString('\n')
		if err != nil || strings.TrimSpace(line) == "quit" {
			os.Exit(0) // with everything open that is open
		}
		status, extra := carry(cut(line), nil)
		say("= %s%s", status, extra)
	}
}

func say(format string, a ...any) {
	mu.Lock()
	fmt.Printf(format+"\n", a...)
	mu.Unlock()
}

func cut(line string) (w words) {
	w.val = map[string]string{}
	for i, p := range strings.Fields(line) {
		key, value, pair := strings.Cut(p, "=")
		switch {
		case i == 0:
			w.verb = p
		case !pair:
			w.name = p
		default:
			w.keys = append(w.keys, key)
			w.val[key] = decode(value)
		}
	}
	return w
}

func decode(s string) string {
	if n, err := strconv.Atoi(strings.TrimPrefix(s, "@")); err == nil && strings.HasPrefix(s, "@") {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte('a' + i%26)
		}
		return string(b)
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			n, _ := strconv.ParseUint(s[i+1:i+3], 16, 8)
			b.WriteByte(byte(n))
			i += 2
		} else {
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

func show(p []byte, limit int) string {
	if limit > 0 && len(p) > limit {
		h := fnv.New32a()
		h.Write(p)
		return fmt.Sprintf("@%d:%08x", len(p), h.Sum32())
	}
	var b strings.Builder
	for i, c := range p {
		if c > ' ' && c < 127 && c != '%' && !(i == 0 && c == '@') {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

func (w words) num(key string, absent int) int {
	if n, err := strconv.Atoi(w.val[key]); err == nil {
		return n
	}
	return absent
}

func (w words) flags() (f meshwork.Flags) {
	for _, n := range strings.Split(w.val["flags"], "+") {
		for _, k := range flagNames {
			if k.name == n {
				f |= k.bit
			}
		}
	}
	return f
}

// options are all words that are none of the verb's own.
func (w words) options(own string) meshwork.Options {
	o := meshwork.Options{}
	for _, k := range w.keys {
		if !strings.Contains(" "+own+" ", " "+k+" ") {
			o[k] = w.val[k]
		}
	}
	return o
}

func (w words) message(e *meshwork.Event) *meshwork.Message {
	m := &meshwork.Message{Topic: w.val["topic"], Body: w.body(e), Flags: w.flags(), Header: map[string]string{}}
	for _, k := range w.keys {
		if strings.HasPrefix(k, "meta.") {
			m.Header[k[5:]] = w.val[k]
		}
	}
	return m
}

func (w words) body(e *meshwork.Event) []byte {
	if e != nil && w.val["body"] == "$body" {
		return e.Body()
	}
	return []byte(w.val["body"])
}

// number gives the n-th peer or question of an object its name.
func number(base string, x any) string {
	mu.Lock()
	defer mu.Unlock()
	for n := 1; ; n++ {
		name := base + strconv.Itoa(n)
		if _, used := names[name]; !used {
			names[name] = x
			return name
		}
	}
}

func nameOf(x any) string {
	mu.Lock()
	defer mu.Unlock()
	for name, y := range names {
		if x == y {
			return name
		}
	}
	return "#0"
}

// listener prints an object's events and carries out its hooks.
func listener(object string) func(*meshwork.Event) {
	return func(e *meshwork.Event) {
		id, text := strconv.FormatUint(e.ID, 10), ""
		switch e.Kind {
		case meshwork.PeerUp:
			number(object+".", e.Conn)
		case meshwork.Ask:
			id = number(object+".ask", e.ID)
		case meshwork.Closed:
			id = object
		}
		if s := e.Status(); s != 0 {
			text += " status=" + word(s)
		}
		if e.Code != 0 {
			text += " code=" + strconv.Itoa(e.Code)
		}
		if e.ID != 0 {
			text += " id=" + id
		}
		if e.Conn != nil {
			text += " peer=" + nameOf(e.Conn)
		}
		var flags []string
		for _, f := range flagNames {
			if e.Flags&f.bit != 0 {
				flags = append(flags, f.name)
			}
		}
		limit := 0
		if e.Kind == meshwork.Received || e.Kind == meshwork.Dropped {
			limit = 512
		}
		for _, f := range []struct{ key, value string }{{"flags", strings.Join(flags, "+")},
			{"topic", show([]byte(e.Topic()), 0)}, {"meta", show(e.Meta(), 0)}, {"body", show(e.Body(), limit)}} {
			if f.value != "" {
				text += " " + f.key + "=" + f.value
			}
		}
		say("! %s %s%s", object, kinds[e.Kind], text)
		mu.Lock()
		lines := []string{}
		for _, h := range hooks {
			if h.object == object && h.kind == kinds[e.Kind] {
				lines = append(lines, h.line)
			}
		}
		mu.Unlock()
		for _, line := range lines {
			w := cut(line)
			status, _ := carry(w, e)
			say("! %s HOOK verb=%s status=%s", object, w.verb, status)
		}
	}
}

func word(s meshwork.Status) string { return strings.TrimPrefix(s.Name(), "MW_") }

// answer is how a call went, as the protocol says it.
func answer(err error, extra string) (string, string) {
	var s meshwork.Status
	if err == nil {
		return "OK", extra
	}
	var detail *meshwork.Error
	if errors.As(err, &detail) {
		extra += " error=" + show([]byte(detail.Text), 0)
	}
	if !errors.As(err, &s) {
		return "EINTERNAL", " error=" + show([]byte(err.Error()), 0)
	}
	return word(s), extra
}

func find(name string, e *meshwork.Event) any {
	switch {
	case name == "ctx":
		return ctx
	case e != nil && name == "$peer":
		return e.Conn
	case e != nil && name == "$id":
		return e.ID
	}
	mu.Lock()
	defer mu.Unlock()
	return names[name]
}

func carry(w words, e *meshwork.Event) (string, string) {
	x := find(w.name, e)
	o, _ := x.(object)
	bg := context.Background()
	number := w.val["op"]
	// then makes a verb end by its DONE, in the order of the object's events.
	then := func(ev *meshwork.Event) {
		if number == "" {
			return
		}
		text := " id=" + number
		if s := ev.Status(); s != 0 {
			text = " status=" + word(s) + text
		}
		if ev.Code != 0 {
			text += " code=" + strconv.Itoa(ev.Code)
		}
		if len(ev.Body()) != 0 {
			text += " body=" + show(ev.Body(), 0)
		}
		say("! %s DONE%s", owner(w.name), text)
	}
	if number != "" && w.verb != "cancel" {
		var stop context.CancelFunc
		bg, stop = context.WithCancel(bg)
		mu.Lock()
		ops[w.name+number] = stop
		mu.Unlock()
	}
	switch w.verb {
	case "ctx":
		return answer(open(w), "")
	case "end":
		return end()
	case "provider":
		p, err := ctx.NewProvider(w.options("ctx"))
		if err == nil {
			p.OnEvent(listener(w.name))
			store(w.name, p)
		}
		return answer(err, "")
	case "consumer":
		c, err := ctx.NewConsumer(w.options("ctx"))
		if err == nil {
			c.OnEvent(listener(w.name))
			store(w.name, c)
		}
		return answer(err, "")
	case "conf":
		kind := map[string]meshwork.OptionKind{"ctx": meshwork.ForContext, "consumer": meshwork.ForConsumer, "sub": meshwork.ForSubscription}[w.name]
		if kind == 0 {
			kind = meshwork.ForProvider
		}
		value, err := meshwork.CheckOptions(kind, w.options("get"), w.val["get"])
		if w.val["get"] != "" {
			return answer(err, " value="+show([]byte(value), 0))
		}
		return answer(err, "")
	case "hook":
		mu.Lock()
		hooks = append(hooks, hook{w.name, w.val["kind"], w.val["do"]})
		mu.Unlock()
		return "OK", ""
	case "answer":
		id, asked := x.(uint64)
		if !asked {
			return "EKIND", ""
		}
		var data any
		if w.val["json"] != "" {
			data = raw(w.val["json"])
		}
		return answer(ctx.Answer(id, w.num("allow", 1) != 0, data), "")
	case "cancel":
		mu.Lock()
		stop := ops[w.name+number]
		mu.Unlock()
		if stop == nil {
			return "ENOTSUP", ""
		}
		stop()
		return "OK", ""
	}
	if o == nil {
		return "ENOTSUP", " error=not%20expressed"
	}
	switch w.verb {
	case "close":
		if strings.Contains(w.val["flags"], "ABORT") {
			return answer(o.Abort(), "")
		}
		return answer(o.CloseWith(w.num("code", 0), w.val["reason"]), "")
	case "drain":
		limit, cancel := context.WithTimeout(bg, time.Duration(w.num("ms", 5000))*time.Millisecond)
		return answer(o.Drain(limit, func(e *meshwork.Event) { cancel(); then(e) }), "")
	case "update":
		return answer(o.Update(bg, w.options("op kind"), then), "")
	case "pause", "cork":
		f := map[string]func() error{"pause1": o.Pause, "pause0": o.Resume, "cork1": o.Cork, "cork0": o.Uncork}
		return answer(f[w.verb+strconv.Itoa(w.num("on", 1))](), "")
	case "state":
		s, err := o.State()
		return answer(err, fmt.Sprintf(" value=%d", s))
	case "stat":
		n, err := o.Stat(stats[w.val["what"]])
		return answer(err, fmt.Sprintf(" value=%d", n))
	case "info":
		if number != "" {
			_, err := o.Gather(bg, w.val["what"], then)
			return answer(err, "")
		}
		b, err := o.Info(w.val["what"])
		return answer(err, " body="+show(b, 0))
	case "start":
		if s, ok := x.(starter); ok {
			return answer(s.Start(bg, then), "")
		}
	case "publish":
		if p, ok := x.(*meshwork.Provider); ok {
			except, _ := find(w.val["except"], e).(*meshwork.Connection)
			if number == "" {
				return answer(p.PublishMessage(w.message(e), except), "")
			}
			_, err := p.PublishCount(bg, w.message(e), except, then)
			return answer(err, "")
		}
	}
	if l, ok := x.(linked); ok {
		return carryLink(bg, w, l, e, number, then)
	}
	return "EKIND", ""
}

func carryLink(bg context.Context, w words, l linked, e *meshwork.Event, number string, then func(*meshwork.Event)) (string, string) {
	switch w.verb {
	case "send":
		if number == "" {
			return answer(l.SendMessage(w.message(e)), "")
		}
		_, err := l.Deliver(bg, w.message(e), then)
		return answer(err, "")
	case "bytes":
		return answer(l.Send(w.body(e), w.flags()), "")
	case "records":
		var b meshwork.Batch
		for i := 0; i < w.num("n", 1); i++ {
			b.Add(l, w.body(e), w.flags())
		}
		err := ctx.SendBatch(&b)
		for i := 0; i < b.Len() && err == nil; i++ {
			err = b.Err(i)
		}
		return answer(err, "")
	case "wrap":
		return answer(l.Lend([]byte("lent bytes"), func() { say("! ctx RELEASED id=%d", w.num("hint", 1)) }, w.flags()), "")
	case "subscribe":
		opts := w.options("pattern as op")
		as := w.val["as"]
		if c, ok := l.(*meshwork.Connection); ok && as != "" {
			s, err := c.SubscribeNamed(bg, w.val["pattern"], opts, then)
			if err == nil {
				s.OnEvent(listener(as))
				store(as, s)
			}
			return answer(err, "")
		}
		return answer(l.Subscribe(bg, w.val["pattern"], opts, then), "")
	case "unsubscribe":
		return answer(l.Unsubscribe(bg, w.val["pattern"], then), "")
	case "subscribed":
		yes, err := l.Subscribed(w.val["topic"])
		return answer(err, map[bool]string{true: " value=1", false: " value=0"}[yes])
	}
	return "ENOTSUP", " error=not%20expressed"
}
