package meshwork_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"meshwork"
)

// node is a member of a mesh below dir, not started.
func node(t *testing.T, mw *meshwork.Context, dir, name string, opts meshwork.Options) *meshwork.Node {
	t.Helper()
	all := meshwork.Options{"cluster.deployment": "try", "member.name": name, "dir": dir, "registry.scan": 50 * time.Millisecond}
	for k, v := range opts {
		all[k] = v
	}
	n, err := mw.NewNode(all)
	must(t, err)
	return n
}

// serving starts a node that serves words; each of its requests goes to f.
func serving(t *testing.T, mw *meshwork.Context, dir, name string, f func(*meshwork.Request)) *meshwork.Node {
	t.Helper()
	n := node(t, mw, dir, name, nil)
	_, err := n.Serve("words", nil, f)
	must(t, err)
	must(t, n.Start(limit(t)))
	return n
}

// asking starts a node that waits until others serve words.
func asking(t *testing.T, mw *meshwork.Context, dir string, others int) *meshwork.Node {
	t.Helper()
	n := node(t, mw, dir, "asks", meshwork.Options{"gate.services": fmt.Sprintf(`{"words":%d}`, others)})
	must(t, n.Start(limit(t)))
	return n
}

func sayName(name string) func(*meshwork.Request) {
	return func(r *meshwork.Request) { r.Reply([]byte(name+" to "+r.Message.Header["caller"]), meshwork.Text) }
}

func TestNodesFindAndCallEachOther(t *testing.T) {
	each(t, func(t *testing.T, opts meshwork.Options) {
		dir, mw := place(t), open(t, opts)
		serving(t, mw, dir, "one", sayName("one"))
		two := serving(t, open(t, opts), dir, "two", sayName("two"))
		n := asking(t, open(t, opts), dir, 2)
		var heard []string
		for i := 0; i < 2; i++ {
			m, err := n.Call(limit(t), "words.count", text("a b"), nil)
			must(t, err)
			heard = append(heard, string(m.Body))
		}
		slices.Sort(heard)
		if fmt.Sprint(heard) != "[one to asks two to asks]" {
			t.Fatal(heard)
		}
		only := &meshwork.How{Options: meshwork.Options{"only": []string{"two"}}}
		if m, err := n.Call(limit(t), "words.count", nil, only); err != nil || string(m.Body) != "two to asks" {
			t.Fatal(m, err)
		}
		if _, err := n.Call(limit(t), "sums", nil, nil); !errors.Is(err, meshwork.ENOSERVICE) {
			t.Fatal(err)
		}
		down, gone := make(chan meshwork.Member, 1), make(chan string, 1)
		n.OnMember(func(what meshwork.Kind, m meshwork.Member) {
			if what == meshwork.MemberDown {
				down <- m
			}
		})
		n.OnService(func(name, member string, up bool, others int) {
			gone <- fmt.Sprint(name, " ", member, " ", up, " ", others)
		})
		met := make(chan bool, 1)
		n.OnReady(func(is bool) { met <- is })
		all, err := n.Members(limit(t))
		must(t, err)
		self := slices.IndexFunc(all, func(m meshwork.Member) bool { return m.Self })
		other := slices.IndexFunc(all, func(m meshwork.Member) bool { return m.Name == "two" })
		if len(all) != 3 || self < 0 || all[self].Name != "asks" || other < 0 || all[other].Services[0].Name != "words" {
			t.Fatal(all)
		}
		must(t, two.Drain(limit(t)))
		if what := wait(t, gone, "its service's end"); what != "words two false 1" {
			t.Fatal(what)
		}
		if wait(t, met, "the gate") {
			t.Fatal("it is met with one of two")
		}
		if m := wait(t, down, "its end"); m.Name != "two" || m.Reason != "it left" {
			t.Fatal(m)
		}
	})
}

func TestAllMembersAnswer(t *testing.T) {
	each(t, func(t *testing.T, opts meshwork.Options) {
		dir := place(t)
		serving(t, open(t, opts), dir, "one", sayName("one"))
		waits := make(chan bool, 1)
		serving(t, open(t, opts), dir, "two", func(r *meshwork.Request) {
			switch r.Method {
			case "words.parts":
				r.ReplyMessage(&meshwork.Message{Body: []byte("first"), Flags: meshwork.Text | meshwork.More})
				r.Reply([]byte("last"), meshwork.Text)
			case "words.never":
				waits <- true
			default:
				r.Fail(errors.New("two cannot"))
			}
		})
		n := asking(t, open(t, opts), dir, 2)
		answers, err := n.CallAll(limit(t), "words.count", text("a b"), nil)
		if !errors.Is(err, meshwork.EPARTIAL) || len(answers) != 2 {
			t.Fatal(answers, err)
		}
		for _, a := range answers {
			if a.Member == "one" && (a.Err != nil || string(a.Message.Body) != "one to asks") ||
				a.Member == "two" && (!errors.Is(a.Err, meshwork.EREMOTE) || !strings.Contains(a.Err.Error(), "two cannot")) {
				t.Fatal(a.Member, a.Err)
			}
		}
		b := n.Broadcast(limit(t), "words.parts", nil, nil)
		var said []string
		for {
			a, err := b.Next()
			if err == io.EOF {
				break
			}
			must(t, err)
			said = append(said, fmt.Sprint(a.Member, " ", string(a.Message.Body), " ", a.More))
		}
		slices.Sort(said)
		if fmt.Sprint(said) != "[one one to asks false two first true two last false]" || b.Err() != nil {
			t.Fatal(said, b.Err())
		}
		ctx, stop := context.WithCancel(limit(t))
		go func() {
			<-waits
			stop()
		}()
		if _, err := n.CallAll(ctx, "words.never", nil, nil); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	})
}

func TestEventsOfAMesh(t *testing.T) {
	each(t, func(t *testing.T, opts meshwork.Options) {
		dir := place(t)
		hears := node(t, open(t, opts), dir, "hears", nil)
		must(t, hears.Start(limit(t)))
		speaks := node(t, open(t, opts), dir, "speaks", nil)
		told := make(chan meshwork.Member, 4)
		speaks.OnMember(func(what meshwork.Kind, m meshwork.Member) {
			if what == meshwork.MemberChanged && !m.Suspected {
				told <- m
			}
		})
		must(t, speaks.Start(limit(t)))
		must(t, hears.Subscribe(limit(t), "log/*", nil))
		for reached := 0; reached == 0; { // a member that was suspected tells so, too
			wait(t, told, "the news of the subscription")
			var err error
			reached, err = speaks.PublishCount(limit(t), &meshwork.Message{Topic: "log/warn", Body: []byte("disk full"), Flags: meshwork.Text})
			must(t, err)
		}
		m, err := hears.Receive(limit(t))
		if err != nil || m.Topic != "log/warn" || string(m.Body) != "disk full" || m.Header["member"] != "speaks" || m.Conn != nil {
			t.Fatal(m, err)
		}
		must(t, speaks.Subscribe(limit(t), "log/here", nil))
		must(t, speaks.Publish("log/here", []byte("mine"), meshwork.Local))
		if m, err := speaks.Receive(limit(t)); err != nil || string(m.Body) != "mine" || m.Flags&meshwork.Local == 0 {
			t.Fatal(m, err)
		}
		must(t, hears.Unsubscribe(limit(t), "log/*"))
		if on, err := hears.Subscribed("log/warn"); on || err != nil {
			t.Fatal(on, err)
		}
	})
}

// What nobody takes is bounded, and the loss is told: a node cannot pause the others.
func TestNodeThatNobodyTakesFrom(t *testing.T) {
	dir := place(t)
	n := node(t, open(t, nil), dir, "alone", nil)
	dropped := make(chan error, 1)
	n.On(meshwork.Dropped, func(e *meshwork.Event) {
		select {
		case dropped <- e.Err():
		default:
		}
	})
	must(t, n.Start(limit(t)))
	must(t, n.Subscribe(limit(t), "e", nil))
	body := make([]byte, 1<<20)
	for i := 0; i < 70; i++ {
		must(t, n.PublishWait(limit(t), &meshwork.Message{Topic: "e", Body: body}))
	}
	if err := wait(t, dropped, "the loss"); !errors.Is(err, meshwork.EOVERFLOW) {
		t.Fatal(err)
	}
	for i := 0; i < 64; i++ {
		if m, err := n.Receive(limit(t)); err != nil || len(m.Body) != len(body) {
			t.Fatal(i, err)
		}
	}
}

func TestQueueTakesOneAndTakesBack(t *testing.T) {
	each(t, func(t *testing.T, opts meshwork.Options) {
		dir := place(t)
		b := node(t, open(t, opts), dir, "b", nil)
		var seen []string
		jobs, err := b.Serve("words", meshwork.Options{"queue": "memory", "queue.backoff": "1ms", "queue.attempts": 2}, func(r *meshwork.Request) {
			seen = append(seen, string(r.Message.Body)) // one goroutine
			if body := string(r.Message.Body); body == "bad" || len(seen) == 1 {
				r.GiveBack(errors.New("not now"))
				if err := r.Reply(nil); !errors.Is(err, meshwork.ECLOSED) || r.Context().Err() == nil {
					t.Error("it is still to be answered: ", err)
				}
			} else {
				r.Reply(r.Message.Body)
			}
		})
		must(t, err)
		lost := make(chan *meshwork.Message, 1)
		jobs.On(meshwork.Dropped, func(e *meshwork.Event) {
			if e.Err() != meshwork.EDEAD || e.Code != 1 {
				t.Error(e.Err(), e.Code)
			}
			lost <- e.Message()
		})
		must(t, b.Start(limit(t)))
		n := asking(t, open(t, opts), dir, 1)
		answers := make(chan string, 2)
		for _, what := range []string{"again", "next"} {
			_, err := n.Call(limit(t), "words", text(what), nil, func(e *meshwork.Event) { answers <- e.Text() })
			must(t, err)
		}
		if one, two := wait(t, answers, "an answer"), wait(t, answers, "the next"); one != "again" || two != "next" {
			t.Fatal(one, two)
		}
		must(t, n.Notify("words", text("note"))) // it waits, too, and is answered
		if _, err := n.Call(limit(t), "words", text("bad"), nil); !errors.Is(err, meshwork.EDEAD) || !strings.Contains(err.Error(), "not now") {
			t.Fatal(err)
		}
		if m := wait(t, lost, "what was given up"); m.Topic != "words" || string(m.Body) != "bad" || m.Header["attempts"] != "2" {
			t.Fatal(m)
		}
		if fmt.Sprint(seen) != "[again again next note bad bad]" {
			t.Fatal(seen)
		}
		plain := make(chan error, 1)
		_, err = n.Serve("plain", nil, func(r *meshwork.Request) {
			plain <- r.GiveBack(nil) // there is no queue
			r.Reply(nil)
		})
		must(t, err)
		_, err = n.Call(limit(t), "plain", nil, nil)
		must(t, err)
		if err := wait(t, plain, "the refusal"); !errors.Is(err, meshwork.EINVAL) {
			t.Fatal(err)
		}
	})
}

func TestManagerBringsNodesTogether(t *testing.T) {
	each(t, func(t *testing.T, opts meshwork.Options) {
		mw := open(t, opts)
		m, err := mw.NewManager(meshwork.Options{"cluster.deployment": "try", "port": 0, "discovery.port": 0})
		must(t, err)
		told := make(chan string, 8)
		m.OnMember(func(what meshwork.Kind, who meshwork.Member) { told <- fmt.Sprint(what, " ", who.Name, who.Reason) })
		must(t, m.Start(limit(t)))
		facts, err := m.Info("address") // ["ws://127.0.0.1:PORT/mesh"]
		must(t, err)
		_, at, _ := strings.Cut(string(facts), "//")
		at, _, _ = strings.Cut(at, "/")
		managed := meshwork.Options{"registry": "manager", "registry.url": at}
		words := node(t, open(t, opts), "", "words", managed)
		_, err = words.Serve("words", nil, sayName("words"))
		must(t, err)
		must(t, words.Start(limit(t)))
		managed["gate.services"] = `{"words":1}`
		n := node(t, mw, "", "asks", managed)
		must(t, n.Start(limit(t)))
		if answer, err := n.Call(limit(t), "words", nil, nil); err != nil || string(answer.Body) != "words to asks" {
			t.Fatal(answer, err)
		}
		all, err := m.Members(limit(t))
		if err != nil || len(all) != 2 || all[0].Self || all[1].Self {
			t.Fatal(all, err)
		}
		must(t, words.Close())
		heard := []string{wait(t, told, "a node"), wait(t, told, "the other"), wait(t, told, "its end")}
		slices.Sort(heard)
		if fmt.Sprint(heard) != "[MEMBER_DOWN wordsit left MEMBER_UP asks MEMBER_UP words]" {
			t.Fatal(heard)
		}
	})
}
