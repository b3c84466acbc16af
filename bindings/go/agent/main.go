// The scenario agent in Go: carries out lines of stdin with the public classes
// and prints every event; tests/scenario/README.md has the protocol.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"meshwork"
)

var (
	out   = log.New(os.Stdout, "", 0)
	doors = map[string]int{"queue": 1, "turn": 0} // and their threads
	door  string
	mw    *meshwork.Context
	names = new(sync.Map) // objects by name, hooks by "object KIND", operations by "object op"
)

type words struct {
	verb, name string
	args       map[string]string
}

func cut(line string) words {
	w := words{args: map[string]string{}}
	for i, word := range strings.Fields(line) {
		key, value, pair := strings.Cut(word, "=")
		switch {
		case i == 0:
			w.verb = word
		case !pair:
			w.name = word
		case strings.HasPrefix(value, "@"): // a generated body
			n, _ := strconv.Atoi(value[1:])
			w.args[key] = strings.Repeat("abcdefghijklmnopqrstuvwxyz", n/26+1)[:n]
		default:
			w.args[key], _ = url.PathUnescape(value)
		}
	}
	return w
}

func (w words) flags() (f meshwork.Flags) {
	for bit := meshwork.Flags(1); bit != 0; bit <<= 1 {
		if name := bit.String(); name != "" && slices.Contains(strings.Split(w.args["flags"], "+"), name) {
			f |= bit
		}
	}
	return f
}

// options are all words that are none of the verb's own.
func (w words) options(own ...string) meshwork.Options {
	o := meshwork.Options{}
	for key, value := range w.args {
		if !slices.Contains(own, key) {
			o[key] = value
		}
	}
	return o
}

func (w words) message() *meshwork.Message {
	header := map[string]string{}
	for key, value := range w.args {
		if name, ok := strings.CutPrefix(key, "meta."); ok {
			header[name] = value
		}
	}
	return &meshwork.Message{Topic: w.args["topic"], Header: header, Body: []byte(w.args["body"]), Flags: w.flags()}
}

func show(p []byte) string          { return strings.ReplaceAll(url.QueryEscape(string(p)), "+", "%20") }
func word(s meshwork.Status) string { return strings.TrimPrefix(s.Name(), "MW_") }

// facts are keys and values; what is zero, or OK, is left out.
func facts(pairs ...any) (text string) {
	for i := 0; i < len(pairs); i += 2 {
		if value := reflect.ValueOf(pairs[i+1]); !value.IsZero() && pairs[i+1] != "OK" {
			text += fmt.Sprintf(" %s=%v", pairs[i], value)
		}
	}
	return text
}

// answer is how a call went and, where it went well, what it told.
func answer(err error, told ...any) string {
	if err == nil {
		return "OK" + facts(told...)
	}
	status := meshwork.EINTERNAL
	errors.As(err, &status)
	return word(status) + " error=" + show([]byte(err.Error()))
}

// nameOf is the first "base1", "base2", ... that is the name of x or free.
func nameOf(x any, base string) string {
	for n := 1; ; n++ {
		name := base + strconv.Itoa(n)
		if y, _ := names.LoadOrStore(name, x); x == y {
			return name
		}
	}
}

// opened names a new object, prints its events and carries out its hooks. Peers and questions are their owner's.
func opened(name, owner string, x meshwork.Object, err error) string {
	if err != nil {
		return answer(err)
	}
	names.Store(name, x)
	x.OnEvent(func(e *meshwork.Event) {
		var id, peer, body any = e.ID, "", show(e.Body())
		switch {
		case e.Kind == meshwork.Ask:
			id = nameOf(e.ID, owner+".ask")
		case e.Kind == meshwork.Closed:
			id = name
		case e.Request != nil:
			id, peer = requested(e, name), owner // a consumer's: its provider calls
		case len(e.Body()) > 512 && slices.Contains([]meshwork.Kind{meshwork.Received, meshwork.Dropped, meshwork.Requested, meshwork.Part}, e.Kind):
			body = hash(e.Body())
		}
		if e.Conn != nil {
			peer = nameOf(e.Conn, owner+".")
		}
		out.Printf("! %s %s%s", name, e.Kind, facts("status", word(e.Status()), "code", e.Code, "id", id, "peer", peer,
			"flags", strings.ReplaceAll(e.Flags.String(), "|", "+"), "topic", show([]byte(e.Topic())), "meta", show(e.Meta()), "body", body))
		if line, hooked := names.Load(name + " " + e.Kind.String()); hooked {
			names.Store("$peer", e.Conn)
			names.Store("$id", e.ID)
			if e.Request != nil {
				names.Store("$id", e.Request)
			}
			w := cut(strings.ReplaceAll(line.(string), "$body", show(e.Body())))
			status, _, _ := strings.Cut(w.carryOut(), " ")
			out.Printf("! %s HOOK verb=%s status=%s", name, w.verb, status)
		}
	})
	return "OK"
}

// carryOut makes one call of the public classes.
func (w words) carryOut() (told string) {
	defer func() {
		if failure := recover(); failure != nil { // so Go answers a verb that the kind does not have
			told = "EKIND error=" + show([]byte(fmt.Sprint(failure)))
		}
	}()
	op, object := w.args["op"], strings.Split(w.name, ".")[0]
	x, _ := names.Load(w.name)
	begun, _ := names.Load(w.name + " " + op)
	ctx, stop := context.WithCancel(context.Background())
	names.Store(w.name+" "+op, stop)
	done := func(e *meshwork.Event) {
		if op != "" {
			out.Printf("! %s DONE%s", object, facts("id", op, "status", word(e.Status()), "code", e.Code, "body", show(e.Body())))
		}
	}
	switch w.verb {
	case "ctx":
		opts := w.options()
		opts["threads"] = doors[door]
		c, err := meshwork.Open(opts)
		mw = c
		return opened("ctx", "", c, err)
	case "end":
		err := mw.Shutdown(ctx)
		for until := time.Now().Add(time.Second); threads() > 0 && time.Now().Before(until); {
		} // a joined thread stands in /proc a moment longer
		names = new(sync.Map)
		fds, _ := os.ReadDir("/proc/self/fd")
		return answer(err, "fds", len(fds)-1, "threads", strconv.Itoa(threads()))
	case "start":
		return answer(x.(meshwork.Starter).Start(ctx, done))
	case "send":
		if op == "" {
			return answer(x.(meshwork.Link).SendMessage(w.message()))
		}
		_, err := x.(meshwork.Link).Deliver(ctx, w.message(), done)
		return answer(err)
	case "bytes":
		return answer(x.(meshwork.Link).Send([]byte(w.args["body"]), w.flags()))
	case "records":
		var b meshwork.Batch
		for n, _ := strconv.Atoi(w.args["n"]); b.Len() < max(n, 1); {
			b.Add(x.(meshwork.Link), []byte(w.args["body"]), w.flags())
		}
		return answer(errors.Join(mw.SendBatch(&b), b.Err(b.Len()-1)))
	case "wrap":
		back := func() { out.Print("! ctx RELEASED id=", w.args["hint"]) }
		return answer(x.(meshwork.Link).Lend([]byte("lent bytes"), back, w.flags()))
	case "close":
		if r, ok := x.(*meshwork.Request); ok {
			return answer(r.Fail(nil)) // nothing is left of it: it was answered
		}
		if w.args["flags"] == "ABORT" {
			return answer(x.(meshwork.Object).Abort())
		}
		code, _ := strconv.Atoi(w.args["code"])
		return answer(x.(meshwork.Object).CloseWith(code, w.args["reason"]))
	case "drain":
		ms, _ := time.ParseDuration(w.args["ms"] + "ms")
		limit, cancel := context.WithTimeout(ctx, ms)
		return answer(x.(meshwork.Object).Drain(limit, func(e *meshwork.Event) { cancel(); done(e) }))
	case "update":
		return answer(x.(meshwork.Object).Update(ctx, w.options("op", "kind"), done))
	case "pause":
		return answer(map[bool]func() error{true: x.(meshwork.Object).Pause, false: x.(meshwork.Object).Resume}[w.args["on"] != "0"]())
	case "cork":
		return answer(map[bool]func() error{true: x.(meshwork.Object).Cork, false: x.(meshwork.Object).Uncork}[w.args["on"] != "0"]())
	case "state":
		state, err := x.(meshwork.Object).State()
		return answer(err, "value", int(state))
	case "stat":
		what := meshwork.Stat(0)
		for ; what < 32 && what.String() != w.args["what"]; what++ {
		}
		n, err := x.(meshwork.Object).Stat(what)
		return answer(err, "value", n)
	case "info":
		if op != "" {
			_, err := x.(meshwork.Object).Gather(ctx, w.args["what"], done)
			return answer(err)
		}
		fact, err := x.(meshwork.Object).Info(w.args["what"])
		return answer(err, "body", show(fact))
	case "conf":
		kind := slices.Index([]string{"", "ctx", "provider", "consumer", "sub", "", "", "hub", "channel", "share", "elect", "node", "manager"}, w.name)
		value, err := meshwork.CheckOptions(meshwork.OptionKind(kind), w.options("get"), w.args["get"])
		return answer(err, "value", show([]byte(value)))
	case "answer":
		return answer(mw.Answer(x.(uint64), w.args["allow"] != "0", json.RawMessage(w.args["json"])))
	case "cancel":
		if stop, ok := begun.(context.CancelFunc); ok {
			stop()
		}
	case "hook":
		names.Store(w.name+" "+w.args["kind"], w.args["do"])
	case "provider", "consumer", "channel", "hub", "share", "elect", "node", "manager":
		return w.open()
	case "publish", "subscribe", "unsubscribe", "subscribed":
		return w.topics(x, ctx, done)
	default:
		return w.calls(x, ctx)
	}
	return "OK"
}

func main() {
	if door = os.Args[len(os.Args)-1]; door != "queue" && door != "turn" {
		log.Fatal("usage: agent queue|turn")
	}
	major, minor, patch := meshwork.Version()
	out.Printf("hello go %s %d.%d.%d", door, major, minor, patch)
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<24)
	for in.Scan() && in.Text() != "quit" { // after it the process ends with everything open that is open
		out.Print("= ", cut(in.Text()).carryOut())
	}
}
