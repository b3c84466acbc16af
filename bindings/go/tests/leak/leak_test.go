// Package leak looks for goroutines that outlive their context. It is a module
// of its own, so that meshwork has no dependencies.
package leak

import (
	"context"
	"encoding/json"
	"testing"

	"go.uber.org/goleak"
	"meshwork"
)

func TestNoGoroutineIsLeft(t *testing.T) {
	defer goleak.VerifyNone(t)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for _, threads := range []int{0, 2} {
		mw, err := meshwork.Open(meshwork.Options{"threads": threads})
		if err != nil {
			t.Fatal(err)
		}
		p, err := mw.NewProvider(meshwork.Options{"host": "127.0.0.1", "port": 0})
		if err == nil {
			err = p.Start(ctx)
		}
		if err != nil {
			t.Fatal(err)
		}
		p.OnMessage(func(e *meshwork.Event) { e.Conn.Send(e.Body()) })
		facts, _ := p.Info("address")
		var at struct{ Address []string }
		if err := json.Unmarshal(facts, &at); err != nil {
			t.Fatal(err)
		}
		c, err := mw.NewConsumer(meshwork.Options{"url": at.Address[0]})
		if err == nil {
			err = c.Start(ctx)
		}
		if err != nil {
			t.Fatal(err)
		}
		messages := c.Messages(ctx)
		c.SendText("x")
		<-messages
		again, stop := context.WithCancel(ctx)
		go c.SendWait(again, []byte("y"))
		c.Start(again, func(*meshwork.Event) {})
		stop()
		if err := mw.Shutdown(ctx); err != nil {
			t.Fatal(err)
		}
	}
}
