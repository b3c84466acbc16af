package meshwork_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"meshwork"
)

// place is a runtime directory: short, because the path of a socket is, too.
func place(t *testing.T) string {
	at, err := os.MkdirTemp("", "mw")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(at) })
	return filepath.Join(at, "run")
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func member(t *testing.T, mw *meshwork.Context, opts meshwork.Options) *meshwork.Channel {
	t.Helper()
	c, err := mw.NewChannel("A", opts)
	must(t, err)
	return c
}

func TestMembersHearEachOther(t *testing.T) {
	each(t, func(t *testing.T, opts meshwork.Options) {
		dir := meshwork.Options{"dir": place(t)}
		speaks, hears := member(t, open(t, opts), dir), member(t, open(t, opts), dir)
		must(t, speaks.Start(limit(t)))
		must(t, hears.Start(limit(t)))
		must(t, hears.Subscribe(limit(t), `log\.(warn|error)`, nil))
		must(t, hears.Subscribe(limit(t), "once", meshwork.Options{"limit": 1}))
		if err := hears.Subscribe(limit(t), "(a", nil); !errors.Is(err, meshwork.EPATTERN) {
			t.Fatal(err)
		}
		warn, err := hears.Subscribed("log.warn")
		longer, err2 := hears.Subscribed("log.warning")
		if !warn || longer || err != nil || err2 != nil {
			t.Fatal(warn, longer, err, err2)
		}
		must(t, speaks.Publish("once", []byte("first"), meshwork.Text))
		must(t, speaks.Publish("once", []byte("second")))
		must(t, speaks.PublishWait(limit(t), &meshwork.Message{Topic: "log.warn", Body: []byte("disk full"),
			Header: map[string]string{"traceparent": "00-77"}}))
		for _, want := range []string{"once first", "log.warn disk full"} {
			m, err := hears.Receive(limit(t))
			if err != nil || m.Topic+" "+string(m.Body) != want || m.Header["sender"] == "" || m.Conn != nil {
				t.Fatal(m, err)
			}
		}
		var members []struct{ Self bool }
		told, err := hears.Gather(limit(t), "members")
		if err != nil || json.Unmarshal(told, &members) != nil || len(members) != 2 {
			t.Fatal(string(told), err)
		}
		must(t, hears.Unsubscribe(limit(t), "once"))

		up := make(chan string, 4)
		hears.On(meshwork.Up, func(e *meshwork.Event) { up <- e.Text() })
		must(t, speaks.Close())
		for text := ""; !strings.Contains(text, `"hub":true`); { // it takes over
			text = wait(t, up, "the new hub")
		}
		if err := speaks.Publish("once", nil); !errors.Is(err, meshwork.ECLOSED) && !errors.Is(err, meshwork.EDRAINING) {
			t.Fatal(err)
		}
	})
}

// A member nobody takes messages from is paused: they wait at the hub, not here.
func TestChannelThatNobodyTakesFromKeepsLittle(t *testing.T) {
	each(t, func(t *testing.T, opts meshwork.Options) {
		dir := place(t)
		speaks := member(t, open(t, opts), meshwork.Options{"dir": dir, "send.max_bytes": "64MiB"})
		hears := member(t, open(t, opts), meshwork.Options{"dir": dir})
		must(t, speaks.Start(limit(t)))
		must(t, hears.Start(limit(t)))
		must(t, hears.Subscribe(limit(t), ".*", nil))
		const n = 2000
		for i := 0; i < n; i++ {
			must(t, speaks.Publish("e", []byte{byte(i), byte(i >> 8)}))
		}
		for i := 0; i < n; i++ {
			m, err := hears.Receive(limit(t))
			if err != nil || int(m.Body[0])|int(m.Body[1])<<8 != i {
				t.Fatal(i, m, err)
			}
		}
	})
}

func TestHubKeepsChannelsAndReloadsThem(t *testing.T) {
	each(t, func(t *testing.T, opts meshwork.Options) {
		dir := place(t)
		channels := func(names ...string) meshwork.Options {
			kept := map[string]any{}
			for _, name := range names {
				kept[name] = map[string]any{}
			}
			return meshwork.Options{"channels": kept, "dir": dir}
		}
		here, there := open(t, opts), open(t, opts)
		hub, err := here.NewHub(channels("A", "B"))
		must(t, err)
		came := make(chan *meshwork.Connection, 4)
		hub.On(meshwork.PeerUp, func(e *meshwork.Event) { came <- e.Conn })
		must(t, hub.Start(limit(t)))
		second, err := there.NewHub(channels("A"))
		must(t, err)
		if err := second.Start(limit(t)); !errors.Is(err, meshwork.EADDRINUSE) {
			t.Fatal(err)
		}
		m := member(t, there, meshwork.Options{"dir": dir, "hub.auto": false})
		down := make(chan struct{}, 4)
		m.On(meshwork.Down, func(*meshwork.Event) { down <- struct{}{} })
		must(t, m.Start(limit(t)))
		peer := wait(t, came, "the member")
		if facts, err := peer.Info(""); err != nil || !strings.Contains(string(facts), `"channel":"A"`) {
			t.Fatal(string(facts), err)
		}
		if told, err := hub.Gather(limit(t), "channel/A"); err != nil || !strings.Contains(string(told), "uuid") {
			t.Fatal(string(told), err)
		}
		err = hub.Update(limit(t), meshwork.Options{"channels": map[string]any{"A": map[string]any{"colour": 1}}})
		if !errors.Is(err, meshwork.EOPTION) || !strings.Contains(err.Error(), "channels.A.colour") {
			t.Fatal(err)
		}
		must(t, hub.Update(limit(t), meshwork.Options{"channels": channels("B")["channels"]}))
		wait(t, down, "the end of A")
		wait(t, peer.Done(), "the end of its member")
	})
}

// claimed is a member of a share that answers as leader with its name.
type claimed struct {
	*meshwork.Share
	leads    chan uint64 // its epochs
	follows  chan uint64
	interest chan string
	notes    chan string
	waits    chan *meshwork.Request
}

func claim(t *testing.T, mw *meshwork.Context, dir, name string) claimed {
	t.Helper()
	s, err := mw.NewShare("S", meshwork.Options{"dir": dir, "retry.safe": []string{"get", "wait"}})
	must(t, err)
	c := claimed{s, make(chan uint64, 9), make(chan uint64, 9), make(chan string, 9), make(chan string, 9), make(chan *meshwork.Request, 9)}
	s.OnLeader(func(leads bool, epoch uint64) { map[bool]chan uint64{true: c.leads, false: c.follows}[leads] <- epoch })
	s.OnInterest(func(key string, now, before int) {
		if now == 1 && before == 0 {
			c.interest <- key
		}
	})
	s.OnRequest(func(r *meshwork.Request) {
		switch r.Method {
		case "get":
			r.Reply([]byte(name))
		case "wait":
			c.waits <- r
		case "note":
			c.notes <- string(r.Message.Body)
		default:
			r.Fail(meshwork.EDENIED)
		}
	})
	must(t, s.Start(limit(t)))
	return c
}

func TestShareHasOneLeaderThatAnswersForAll(t *testing.T) {
	each(t, func(t *testing.T, opts meshwork.Options) {
		dir := place(t)
		first := claim(t, open(t, opts), dir, "first")
		if epoch := wait(t, first.leads, "the leader"); epoch != 1 {
			t.Fatal(epoch)
		}
		second := claim(t, open(t, opts), dir, "second")
		wait(t, second.follows, "who leads")
		for _, s := range []claimed{first, second} {
			if m, err := s.Call(limit(t), "get", nil, nil); err != nil || string(m.Body) != "first" {
				t.Fatal(m, err)
			}
		}
		if _, err := second.Call(limit(t), "other", nil, nil); !errors.Is(err, meshwork.EDENIED) {
			t.Fatal(err)
		}
		must(t, second.Notify("note", &meshwork.Message{Body: []byte("me"), Flags: meshwork.Repeat}))
		if note := wait(t, first.notes, "the note"); note != "me" {
			t.Fatal(note)
		}
		must(t, second.Subscribe(limit(t), "color", nil))
		if key := wait(t, first.interest, "the interest"); key != "color" {
			t.Fatal(key)
		}
		if err := second.Publish("color", nil); !errors.Is(err, meshwork.ENOTLEADER) {
			t.Fatal(err)
		}
		must(t, first.PublishWait(limit(t), &meshwork.Message{Topic: "color", Body: []byte("red")}))
		must(t, first.Subscribe(limit(t), "color", nil))
		for _, s := range []claimed{first, second} {
			m, err := s.Receive(limit(t))
			if err != nil || m.Topic != "color" || string(m.Body) != "red" || s == first && m.Flags&meshwork.Retained == 0 {
				t.Fatal(m, err)
			}
		}

		var answered atomic.Bool
		done := make(chan string, 1)
		_, err := second.Call(limit(t), "wait", nil, nil, func(e *meshwork.Event) { answered.Store(true); done <- e.Text() })
		must(t, err)
		old := wait(t, first.waits, "a request in flight")
		must(t, first.Close()) // the next leader gets what is safe, what is to be repeated, and the interest
		wait(t, old.Context().Done(), "the end of the old request")
		if epoch := wait(t, second.leads, "the next leader"); epoch != 2 {
			t.Fatal(epoch)
		}
		wait(t, second.notes, "the note, repeated")
		wait(t, second.interest, "the interest, anew")
		again := wait(t, second.waits, "the request, repeated")
		if answered.Load() {
			t.Fatal("answered before it was")
		}
		must(t, again.Reply([]byte("at last")))
		if text := wait(t, done, "the answer"); text != "at last" {
			t.Fatal(text)
		}
	})
}

func TestShareCallEndsWithItsContext(t *testing.T) {
	each(t, func(t *testing.T, opts meshwork.Options) {
		s := claim(t, open(t, opts), place(t), "alone")
		ctx, stop := context.WithTimeout(context.Background(), time.Minute)
		go func() { <-s.waits; stop() }()
		if _, err := s.Call(ctx, "wait", nil, nil); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	})
}

func TestElectionHasOneLeaderAndRisingEpochs(t *testing.T) {
	each(t, func(t *testing.T, opts meshwork.Options) {
		mw, dir := open(t, opts), meshwork.Options{"dir": place(t)}
		if _, err := mw.NewElection("../up", dir); !errors.Is(err, meshwork.EINVAL) {
			t.Fatal(err)
		}
		stand := func() (*meshwork.Election, chan uint64) {
			e, err := mw.NewElection("E", dir)
			must(t, err)
			leads := make(chan uint64, 9)
			e.OnLeader(func(yes bool, epoch uint64) {
				if yes {
					leads <- epoch
				}
			})
			must(t, e.Start(limit(t)))
			return e, leads
		}
		first, firstLeads := stand()
		_, secondLeads := stand()
		if epoch := wait(t, firstLeads, "the leader"); epoch != 1 || len(secondLeads) != 0 {
			t.Fatal(epoch, len(secondLeads))
		}
		must(t, first.Close())
		if epoch := wait(t, secondLeads, "the next leader"); epoch != 2 {
			t.Fatal(epoch)
		}
	})
}

// Not even where what was opened is given up, and a call with it.
func TestOnceAndAgainLeavesNothing(t *testing.T) {
	each(t, func(t *testing.T, opts meshwork.Options) {
		dir := place(t)
		cycle := func(n int) {
			for i := 0; i < n; i++ {
				mw, err := meshwork.Open(opts)
				must(t, err)
				one, other := member(t, mw, meshwork.Options{"dir": dir}), member(t, mw, meshwork.Options{"dir": dir})
				must(t, other.Subscribe(context.Background(), ".*", nil))
				must(t, one.Start(context.Background()))
				must(t, other.Start(context.Background()))
				must(t, one.Publish("e", []byte("once")))
				m, err := other.Receive(context.Background())
				if err != nil || string(m.Body) != "once" {
					t.Fatal(m, err)
				}
				first, second := claim(t, mw, dir, "first"), claim(t, mw, dir, "second")
				if _, err := second.Call(context.Background(), "get", nil, nil); err != nil {
					t.Fatal(err)
				}
				second.Call(context.Background(), "wait", nil, nil, func(*meshwork.Event) {})
				<-first.waits // and it is never answered
				must(t, mw.Shutdown(context.Background()))
			}
			for i := 0; i < 4; i++ { // finalizers run between
				debug.FreeOSMemory()
			}
		}
		cycle(50)
		fds, _ := counts(t)
		size := resident(t)
		cycle(500)
		nowFds, threads := counts(t)
		for until := time.Now().Add(5 * time.Second); threads != 0 && time.Now().Before(until); _, threads = counts(t) {
			runtime.Gosched()
		}
		if nowFds > fds || threads != 0 {
			t.Fatal("descriptors ", fds, nowFds, " threads ", threads)
		}
		if grown := resident(t) - size; grown > 8<<20 {
			t.Fatal("memory has grown by ", grown)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 4 {
			t.Fatal("files are left: ", left, err)
		}
	})
}
