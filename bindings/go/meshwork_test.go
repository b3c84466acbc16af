package meshwork_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"meshwork"
)

// Every test runs with the lane on a library thread and on the dispatcher.
func each(t *testing.T, f func(t *testing.T, opts meshwork.Options)) {
	for _, threads := range []int{0, 1} {
		t.Run(fmt.Sprint("threads=", threads), func(t *testing.T) { f(t, meshwork.Options{"threads": threads}) })
	}
}

func limit(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func open(t *testing.T, opts meshwork.Options) *meshwork.Context {
	t.Helper()
	mw, err := meshwork.Open(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := mw.Shutdown(limit(t)); err != nil {
			t.Error(err)
		}
	})
	return mw
}

func provider(t *testing.T, mw *meshwork.Context, opts meshwork.Options) (*meshwork.Provider, string) {
	t.Helper()
	all := meshwork.Options{"host": "127.0.0.1", "port": 0}
	for k, v := range opts {
		all[k] = v
	}
	p, err := mw.NewProvider(all)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(limit(t)); err != nil {
		t.Fatal(err)
	}
	return p, url(t, p)
}

func url(t *testing.T, p *meshwork.Provider) string {
	t.Helper()
	b, err := p.Info("address")
	var at struct{ Address []string }
	if err == nil {
		err = json.Unmarshal(b, &at)
	}
	if err != nil {
		t.Fatal(err)
	}
	return at.Address[0]
}

func consumer(t *testing.T, mw *meshwork.Context, url string, opts meshwork.Options) *meshwork.Consumer {
	t.Helper()
	all := meshwork.Options{"url": url, "wire": "raw"}
	for k, v := range opts {
		all[k] = v
	}
	c, err := mw.NewConsumer(all)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(limit(t)); err != nil {
		t.Fatal(err)
	}
	return c
}

func wait[T any](t *testing.T, from <-chan T, what string) (x T) {
	t.Helper()
	select {
	case x = <-from:
	case <-time.After(60 * time.Second):
		t.Fatal("did not come: ", what)
	}
	return x
}

func echo(p *meshwork.Provider) {
	p.OnMessage(func(e *meshwork.Event) { e.Conn.Send(e.Body(), e.Flags&meshwork.Text) })
}

func TestEcho(t *testing.T) {
	each(t, func(t *testing.T, opts meshwork.Options) {
		mw := open(t, opts)
		p, at := provider(t, mw, nil)
		echo(p)
		c := consumer(t, mw, at, nil)
		for i := 0; i < 1000; i++ {
			if err := c.SendText(fmt.Sprint("number ", i)); err != nil {
				t.Fatal(err)
			}
		}
		for i := 0; i < 1000; i++ {
			m, err := c.Receive(limit(t))
			if err != nil || string(m.Body) != fmt.Sprint("number ", i) || m.Flags&meshwork.Text == 0 {
				t.Fatal(i, m, err)
			}
		}
	})
}

func TestChannelEndsWithItsObject(t *testing.T) {
	mw := open(t, nil)
	p, at := provider(t, mw, nil)
	echo(p)
	c := consumer(t, mw, at, nil)
	ch := c.Messages(limit(t))
	c.SendText("one")
	if m := wait(t, ch, "the echo"); string(m.Body) != "one" {
		t.Fatal(m)
	}
	c.Close()
	if m, open := <-ch; open {
		t.Fatal("the channel is open: ", m)
	}
	if _, err := c.Receive(limit(t)); err != io.EOF {
		t.Fatal(err)
	}
}

func TestHeadersTopicsAndDelivery(t *testing.T) {
	mw := open(t, nil)
	p, at := provider(t, mw, nil)
	peers := make(chan *meshwork.Connection, 1)
	p.On(meshwork.PeerUp, func(e *meshwork.Event) { peers <- e.Conn })
	c := consumer(t, mw, at, meshwork.Options{"wire": "meshwork"})
	conn := wait(t, peers, "the peer")
	if err := c.Subscribe(limit(t), "news/#", nil); err != nil {
		t.Fatal(err)
	}
	n, err := p.PublishCount(limit(t), &meshwork.Message{Topic: "news/go", Body: []byte("1"),
		Header: map[string]string{"a": "b"}}, nil)
	if n != 1 || err != nil {
		t.Fatal(n, err)
	}
	m, err := c.Receive(limit(t))
	if err != nil || m.Topic != "news/go" || m.Header["a"] != "b" {
		t.Fatal(m, err)
	}
	if code, err := c.Deliver(limit(t), &meshwork.Message{Body: []byte("up")}); code != 1 || err != nil {
		t.Fatal(code, err)
	}
	if m, err := conn.Receive(limit(t)); err != nil || string(m.Body) != "up" || m.Conn != conn {
		t.Fatal(m, err)
	}
}

func TestErrors(t *testing.T) {
	mw := open(t, nil)
	_, err := mw.NewProvider(meshwork.Options{"prot": 1})
	var e *meshwork.Error
	if !errors.Is(err, meshwork.EOPTION) || !errors.As(err, &e) || !strings.Contains(e.Text, "port") {
		t.Fatal(err)
	}
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	p, err := mw.NewProvider(meshwork.Options{"host": "127.0.0.1", "port": busy.Addr().(*net.TCPAddr).Port})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(limit(t)); !errors.Is(err, meshwork.EADDRINUSE) || !meshwork.EADDRINUSE.Retryable() {
		t.Fatal(err)
	}
	p.Close()
	<-p.Done()
	if err := p.Close(); !errors.Is(err, net.ErrClosed) {
		t.Fatal(err)
	}
	if err := p.Err(); err != meshwork.ECLOSED {
		t.Fatal(err)
	}
}

func TestOptionsTakeGoValues(t *testing.T) {
	for _, c := range []struct {
		opts      meshwork.Options
		key, want string
	}{
		{meshwork.Options{"heartbeat.interval": 3 * time.Second}, "heartbeat.interval", "3s"},
		{meshwork.Options{"tls": meshwork.Options{"verify": "mutual"}}, "tls.verify", "mutual"},
		{meshwork.Options{"subprotocols": []string{"a", "b"}}, "subprotocols", "a,b"},
		{meshwork.Options{"http.health": true, "preset": "network-cluster"}, "http.health", "true"},
		{meshwork.Options{"auth.parameters": map[string]any{"k": "v"}}, "auth.parameters", "***"},
	} {
		got, err := meshwork.CheckOptions(meshwork.ForProvider, c.opts, c.key)
		if err != nil || got != c.want {
			t.Error(c.opts, got, err)
		}
	}
	rows, err := meshwork.Describe(meshwork.ForProvider)
	if err != nil || len(rows) != len(meshwork.ProviderOptions) {
		t.Fatal(len(rows), err)
	}
}

func TestAskIsAnsweredLater(t *testing.T) {
	mw := open(t, nil)
	p, at := provider(t, mw, meshwork.Options{"auth.ask": true})
	p.On(meshwork.Ask, func(e *meshwork.Event) {
		id := e.ID
		go mw.Answer(id, true, map[string]any{"data": map[string]int{"user": 7}})
	})
	told := make(chan string, 1)
	p.On(meshwork.PeerUp, func(e *meshwork.Event) { told <- e.Text() })
	consumer(t, mw, at, nil)
	if text := wait(t, told, "PeerUp"); !strings.Contains(text, `"user":7`) {
		t.Fatal(text)
	}
}

// lines is a logger whose lines can be waited for.
type lines struct{ ch chan string }

func (l lines) Write(p []byte) (int, error) {
	select {
	case l.ch <- string(p):
	default:
	}
	return len(p), nil
}

func logged(t *testing.T, opts meshwork.Options) (*meshwork.Context, lines) {
	l := lines{make(chan string, 100)}
	mw, err := meshwork.OpenLogged(opts, slog.New(slog.NewTextHandler(l, nil)))
	if err != nil {
		t.Fatal(err)
	}
	return mw, l
}

func TestHandlerThatPanicsOrEndsItsGoroutine(t *testing.T) {
	each(t, func(t *testing.T, opts meshwork.Options) {
		mw, log := logged(t, opts)
		defer mw.Shutdown(limit(t))
		p, at := provider(t, mw, nil)
		got := make(chan string, 100)
		p.OnMessage(func(e *meshwork.Event) {
			switch e.Text() {
			case "3":
				panic("three")
			case "5":
				runtime.Goexit()
			}
			got <- e.Text()
		})
		c := consumer(t, mw, at, nil)
		for i := 0; i < 10; i++ {
			c.SendText(fmt.Sprint(i))
		}
		for _, want := range []string{"0", "1", "2", "4", "6", "7", "8", "9"} {
			if text := wait(t, got, want); text != want {
				t.Fatal(text, want)
			}
		}
		if line := wait(t, log.ch, "the panic's line"); !strings.Contains(line, "three") {
			t.Fatal(line)
		}
	})
}

func TestCloseInEveryHandler(t *testing.T) {
	each(t, func(t *testing.T, opts meshwork.Options) {
		for _, k := range []meshwork.Kind{meshwork.Up, meshwork.PeerUp, meshwork.Received, meshwork.PeerDown, meshwork.Closed} {
			mw, err := meshwork.Open(opts)
			if err != nil {
				t.Fatal(err)
			}
			p, at := provider(t, mw, nil)
			end := func(e *meshwork.Event) {
				if e.Conn != nil {
					e.Conn.Close()
				}
				p.Close()
				mw.Close()
			}
			p.On(k, end)
			c, _ := mw.NewConsumer(meshwork.Options{"url": at})
			c.On(k, end)
			c.On(meshwork.Up, func(e *meshwork.Event) {
				c.SendText("x")
				if k == meshwork.Up {
					end(e)
				} else if k == meshwork.PeerDown || k == meshwork.Closed {
					c.Close()
				}
			})
			c.Start(context.Background(), func(*meshwork.Event) {})
			if k == meshwork.Closed {
				wait(t, c.Done(), "Closed")
				p.Close()
			}
			wait(t, mw.Done(), fmt.Sprint("the end after kind ", k))
		}
	})
}

func TestLargerThanTheSlab(t *testing.T) {
	each(t, func(t *testing.T, opts meshwork.Options) {
		mw := open(t, opts)
		big := meshwork.Options{"recv.max_message": "8MiB", "send.max_bytes": "32MiB"}
		p, at := provider(t, mw, big)
		echo(p)
		c := consumer(t, mw, at, big)
		body := bytes.Repeat([]byte("0123456789abcdef"), 4<<20/16)
		for i := 0; i < 3; i++ {
			if err := c.SendWait(limit(t), body); err != nil {
				t.Fatal(err)
			}
			m, err := c.Receive(limit(t))
			if err != nil || !bytes.Equal(m.Body, body) {
				t.Fatal(err)
			}
		}
	})
}

func TestSlowReaderSlowsTheSender(t *testing.T) {
	each(t, func(t *testing.T, opts meshwork.Options) {
		mw := open(t, opts)
		p, at := provider(t, mw, nil)
		peers := make(chan *meshwork.Connection, 1)
		p.On(meshwork.PeerUp, func(e *meshwork.Event) { peers <- e.Conn })
		c := consumer(t, mw, at, meshwork.Options{"send.max_bytes": "64KiB"})
		conn := wait(t, peers, "the peer")
		const n = 20000
		sent := make(chan error, 1)
		go func() {
			body := make([]byte, 1024)
			for i := 0; i < n; i++ {
				body[0], body[1] = byte(i), byte(i>>8)
				if err := c.SendWait(context.Background(), body); err != nil {
					sent <- err
					return
				}
			}
			sent <- nil
		}()
		for i := 0; i < n; i++ {
			m, err := conn.Receive(limit(t))
			if err != nil || m.Body[0] != byte(i) || m.Body[1] != byte(i>>8) {
				t.Fatal(i, err)
			}
		}
		if err := wait(t, sent, "the sender"); err != nil {
			t.Fatal(err)
		}
	})
}

func TestCancelledCalls(t *testing.T) {
	each(t, func(t *testing.T, opts meshwork.Options) {
		mw := open(t, opts)
		c, err := mw.NewConsumer(meshwork.Options{"url": "ws://127.0.0.1:1/connect", "reconnect.interval": time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		for i := 0; i < 2000; i++ {
			all.Add(1)
			go func() {
				defer all.Done()
				ctx, cancel := context.WithCancel(context.Background())
				defer cancel()
				done := make(chan struct{})
				if err := c.Start(ctx, func(*meshwork.Event) { close(done) }); err != nil {
					t.Error(err)
					return
				}
				cancel()
				<-done
				if err := c.Start(ctx); !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
			}()
		}
		all.Wait()
	})
}

func TestContextsOnManyGoroutines(t *testing.T) {
	var all sync.WaitGroup
	for i := 0; i < 8; i++ {
		all.Add(1)
		mw := open(t, meshwork.Options{"threads": i % 3})
		p, at := provider(t, mw, nil)
		echo(p)
		c := consumer(t, mw, at, nil)
		go func() {
			defer all.Done()
			for n := 0; n < 300; n++ {
				c.SendText("x")
				if _, err := c.Receive(context.Background()); err != nil {
					t.Error(err)
					return
				}
			}
		}()
	}
	all.Wait()
}

func TestSignalsReachTheProgram(t *testing.T) {
	each(t, func(t *testing.T, opts meshwork.Options) {
		mw := open(t, opts)
		p, at := provider(t, mw, nil)
		echo(p)
		c := consumer(t, mw, at, nil)
		came := make(chan os.Signal, 1)
		signal.Notify(came, syscall.SIGUSR1)
		defer signal.Stop(came)
		for i := 0; i < 100; i++ {
			c.SendText("x")
			if err := syscall.Kill(os.Getpid(), syscall.SIGUSR1); err != nil {
				t.Fatal(err)
			}
			wait(t, came, "the signal")
			if _, err := c.Receive(limit(t)); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestDroppedWithoutClose(t *testing.T) {
	mw, log := logged(t, nil)
	done := mw.Done()
	func() {
		p, err := mw.NewProvider(meshwork.Options{"port": 0})
		c, err2 := mw.NewConsumer(meshwork.Options{"url": "ws://127.0.0.1:1/connect"})
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		runtime.KeepAlive(p)
		runtime.KeepAlive(c)
	}()
	mw = nil
	want := map[string]bool{"Provider": true, "Consumer": true, "Context": true}
	for until := time.Now().Add(60 * time.Second); len(want) != 0; {
		if time.Now().After(until) {
			t.Fatal("not collected: ", want)
		}
		runtime.GC()
		select {
		case line := <-log.ch:
			for what := range want {
				if strings.Contains(line, "a "+what+" was dropped") {
					delete(want, what)
				}
			}
		case <-time.After(10 * time.Millisecond): // the collector's goroutine has its turn
		}
	}
	wait(t, done, "the context's end")
}

func TestWhatRunsIsNotCollected(t *testing.T) {
	mw := open(t, nil)
	at := func() string {
		p, at := provider(t, mw, nil)
		echo(p)
		return at
	}()
	c := consumer(t, mw, at, nil)
	for i := 0; i < 5; i++ {
		runtime.GC()
		c.SendText("still there?")
		if _, err := c.Receive(limit(t)); err != nil {
			t.Fatal(err)
		}
	}
}

func counts(t *testing.T) (fds, threads int) {
	f, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	mine, _ := os.ReadFile("/proc/self/comm")
	tasks, _ := filepath.Glob("/proc/self/task/*/comm")
	for _, path := range tasks { // Go's own threads are called like the program
		if name, err := os.ReadFile(path); err == nil && !bytes.Equal(name, mine) {
			threads++
		}
	}
	return len(f), threads
}

func resident(t *testing.T) int64 {
	b, err := os.ReadFile("/proc/self/statm")
	var size, pages int64
	if err == nil {
		_, err = fmt.Sscan(string(b), &size, &pages)
	}
	if err != nil {
		t.Fatal(err)
	}
	return pages * int64(syscall.Getpagesize())
}

func TestOpenAndCloseLeavesNothing(t *testing.T) {
	each(t, func(t *testing.T, opts meshwork.Options) {
		cycle := func(n int) {
			for i := 0; i < n; i++ {
				mw, err := meshwork.Open(opts)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := mw.NewProvider(meshwork.Options{"port": 0}); err != nil {
					t.Fatal(err)
				}
				if err := mw.Shutdown(context.Background()); err != nil {
					t.Fatal(err)
				}
			}
			for i := 0; i < 4; i++ { // finalizers run between
				debug.FreeOSMemory()
			}
		}
		cycle(100)
		fds, _ := counts(t)
		size := resident(t)
		cycle(5000)
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
	})
}

func TestSendsInOneCrossing(t *testing.T) {
	mw := open(t, nil)
	p, at := provider(t, mw, nil)
	echo(p)
	c := consumer(t, mw, at, nil)
	var b meshwork.Batch
	for i := 0; i < 50; i++ {
		b.Add(c, []byte(fmt.Sprint(i)), meshwork.Text)
	}
	if err := mw.SendBatch(&b); err != nil {
		t.Fatal(err)
	}
	for i := 0; i < b.Len(); i++ {
		m, err := c.Receive(limit(t))
		if err != nil || b.Err(i) != nil || string(m.Body) != fmt.Sprint(i) {
			t.Fatal(i, err, b.Err(i))
		}
	}
}

func TestLentBytesComeBack(t *testing.T) {
	mw := open(t, nil)
	p, at := provider(t, mw, nil)
	echo(p)
	c := consumer(t, mw, at, nil)
	back := make(chan bool, 1)
	body := bytes.Repeat([]byte("lent"), 10000)
	if err := c.Lend(body, func() { back <- true }); err != nil {
		t.Fatal(err)
	}
	if m, err := c.Receive(limit(t)); err != nil || !bytes.Equal(m.Body, body) {
		t.Fatal(err)
	}
	wait(t, back, "the bytes")
}

func TestMemoryStaysFlat(t *testing.T) {
	each(t, func(t *testing.T, opts meshwork.Options) {
		mw := open(t, opts)
		p, at := provider(t, mw, nil)
		echo(p)
		c := consumer(t, mw, at, nil)
		n, steps := 0, make(chan int64, 16)
		c.OnMessage(func(e *meshwork.Event) {
			if n++; n%200_000 == 0 {
				steps <- resident(t)
			}
			c.Send(e.Body())
		})
		for i := 0; i < 256; i++ {
			c.SendText("twenty bytes of text")
		}
		first, last := wait(t, steps, "200,000 messages"), int64(0)
		for n := 400_000; n <= 1_000_000; n += 200_000 {
			last = wait(t, steps, fmt.Sprint(n, " messages"))
		}
		if last > first+16<<20 {
			t.Fatal("memory has grown by ", last-first)
		}
	})
}
