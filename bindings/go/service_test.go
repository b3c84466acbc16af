package meshwork_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	"meshwork"
)

func calling(t *testing.T, opts meshwork.Options) (*meshwork.Provider, *meshwork.Consumer) {
	mw := open(t, opts)
	p, at := provider(t, mw, nil)
	return p, consumer(t, mw, at, meshwork.Options{"wire": "meshwork"})
}

func text(s string) *meshwork.Message {
	return &meshwork.Message{Body: []byte(s), Flags: meshwork.Text}
}

func TestCallsAndTheirFailures(t *testing.T) {
	each(t, func(t *testing.T, opts meshwork.Options) {
		p, c := calling(t, opts)
		came := make(chan *meshwork.Connection, 1)
		_, err := p.Serve("Echo", nil, func(r *meshwork.Request) {
			switch r.Method {
			case "Echo.now":
				came <- r.Conn
				r.ReplyMessage(&meshwork.Message{Body: r.Message.Body, Header: map[string]string{"k": "v"}})
			case "Echo.later":
				go r.Reply(r.Message.Body, meshwork.Text)
			case "Echo.denied":
				r.Fail(meshwork.EDENIED)
			default:
				r.FailJSON(meshwork.EREMOTE, json.RawMessage(`{"message":"no such thing","limit":5}`))
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Serve("Echo", nil, nil); !errors.Is(err, meshwork.EDUPLICATE) {
			t.Fatal(err)
		}
		m, err := c.Call(limit(t), "Echo.now", text("now"), nil)
		if err != nil || string(m.Body) != "now" || m.Header["k"] != "v" {
			t.Fatal(m, err)
		}
		if m, err := c.Call(limit(t), "Echo.later", text("later"), nil); err != nil || string(m.Body) != "later" {
			t.Fatal(m, err)
		}
		if _, err := c.Call(limit(t), "Echo.denied", nil, nil); !errors.Is(err, meshwork.EDENIED) {
			t.Fatal(err)
		}
		var failed *meshwork.Error
		if _, err := c.Call(limit(t), "Echo.other", nil, nil); !errors.As(err, &failed) || failed.Text != "no such thing" {
			t.Fatal(err)
		}
		var detail struct{ Limit int }
		if err := json.Unmarshal(failed.Detail, &detail); err != nil || detail.Limit != 5 {
			t.Fatal(string(failed.Detail), err)
		}
		if _, err := c.Call(limit(t), "Nobody", nil, nil); !errors.Is(err, meshwork.ENOSERVICE) {
			t.Fatal(err)
		}
		if _, err := c.Serve("Clock", nil, func(r *meshwork.Request) { r.Reply([]byte("noon")) }); err != nil {
			t.Fatal(err)
		}
		if m, err := wait(t, came, "the caller").Call(limit(t), "Clock", nil, nil); err != nil || string(m.Body) != "noon" {
			t.Fatal(m, err)
		}
	})
}

func TestPartsWaitForWhoTakesThem(t *testing.T) {
	each(t, func(t *testing.T, opts meshwork.Options) {
		const parts = 2000
		p, c := calling(t, opts)
		_, err := p.Serve("Count", nil, func(r *meshwork.Request) {
			go func() {
				for i := 0; i < parts; i++ {
					if err := r.Part(context.Background(), []byte(fmt.Sprintf("%4000d", i))); err != nil {
						return
					}
				}
				r.Reply(nil)
			}()
		})
		if err != nil {
			t.Fatal(err)
		}
		s := c.Stream(limit(t), "Count", nil, &meshwork.How{Options: meshwork.Options{"credit": "64KiB"}})
		for i := 0; i < parts; i++ {
			if m, err := s.Next(); err != nil || string(m.Body) != fmt.Sprintf("%4000d", i) {
				t.Fatal(i, err)
			}
		}
		if _, err := s.Next(); err != io.EOF || s.Err() != nil {
			t.Fatal(err, s.Err())
		}
		s = c.Stream(limit(t), "Count", nil, nil)
		if _, err := s.Next(); err != nil {
			t.Fatal(err)
		}
		s.Close()
		if m, err := c.Call(limit(t), "Nobody", nil, nil); m != nil || !errors.Is(err, meshwork.ENOSERVICE) {
			t.Fatal(m, err) // the link takes input again
		}
	})
}

func TestGivingUpReachesTheOtherSide(t *testing.T) {
	each(t, func(t *testing.T, opts meshwork.Options) {
		p, c := calling(t, opts)
		waits, ended := make(chan bool, 1), make(chan error, 1)
		_, err := p.Serve("Wait", nil, func(r *meshwork.Request) {
			waits <- true
			go func() {
				<-r.Context().Done()
				ended <- context.Cause(r.Context())
			}()
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(limit(t))
		go func() {
			<-waits
			stop()
		}()
		if _, err := c.Call(ctx, "Wait", nil, nil); err != context.Canceled {
			t.Fatal(err)
		}
		if why := wait(t, ended, "its end"); !errors.Is(why, context.Canceled) {
			t.Fatal(why)
		}
		if _, err := c.Call(limit(t), "Wait", nil, &meshwork.How{Timeout: 20 * time.Millisecond}); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		if why := wait(t, ended, "its end"); !errors.Is(why, context.DeadlineExceeded) {
			t.Fatal(why)
		}
	})
}

func TestCallsFromManyGoroutines(t *testing.T) {
	each(t, func(t *testing.T, opts meshwork.Options) {
		p, c := calling(t, opts)
		s, err := p.Serve("Echo", nil, func(r *meshwork.Request) { r.ReplyMessage(r.Message) })
		if err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		for g := 0; g < 8; g++ {
			all.Add(1)
			go func(g int) {
				defer all.Done()
				for n := 0; n < 300; n++ {
					ctx, stop := context.WithCancel(context.Background())
					want := fmt.Sprint(g, " ", n)
					if n%3 == 0 {
						stop()
					}
					m, err := c.Call(ctx, "Echo", text(want), nil)
					if n%3 == 0 && err == nil || n%3 != 0 && (err != nil || string(m.Body) != want) {
						t.Error(m, err)
					}
					stop()
				}
			}(g)
		}
		all.Wait()
		if err := s.Drain(limit(t)); err != nil {
			t.Fatal(err)
		}
		wait(t, s.Done(), "the service's end")
	})
}

func TestAContextAskedForAfterTheAnswerHasEnded(t *testing.T) {
	each(t, func(t *testing.T, opts meshwork.Options) {
		p, c := calling(t, opts)
		ended := make(chan error, 1)
		_, err := p.Serve("Late", nil, func(r *meshwork.Request) {
			err := r.Reply(nil)
			if err == nil {
				err = context.Cause(r.Context())
			}
			ended <- err
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Call(limit(t), "Late", nil, nil); err != nil {
			t.Fatal(err)
		}
		if why := wait(t, ended, "its end"); !errors.Is(why, context.Canceled) {
			t.Fatal(why)
		}
	})
}
