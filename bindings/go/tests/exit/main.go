// Ends with everything open: the exit code must be 0, and soon.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"meshwork"
)

func must[T any](x T, err error) T {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return x
}

func main() {
	ctx := context.Background()
	for _, threads := range []int{0, 2} {
		mw := must(meshwork.Open(meshwork.Options{"threads": threads}))
		p := must(mw.NewProvider(meshwork.Options{"port": 0, "host": "127.0.0.1"}))
		p.OnMessage(func(e *meshwork.Event) { e.Conn.Send(e.Body()) })
		must(0, p.Start(ctx))
		var at struct{ Address []string }
		must(0, json.Unmarshal(must(p.Info("address")), &at))
		c := must(mw.NewConsumer(meshwork.Options{"url": at.Address[0]}))
		must(0, c.Start(ctx))
		must(0, c.SendText("over and over"))
		c.OnMessage(func(e *meshwork.Event) { c.Send(e.Body()) })
		go c.Deliver(ctx, &meshwork.Message{Body: []byte("in flight")})
	}
	fmt.Println("open")
}
