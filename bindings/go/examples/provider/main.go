// A provider: lets consumers in that know the key, prints what they say,
// answers. Ctrl-C ends it.
//
//	provider [port]               (8080; 0 takes any free port)
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/signal"
	"syscall"
	"time"

	"meshwork"
)

func main() {
	port := "8080"
	if len(os.Args) > 1 {
		port = os.Args[1]
	}
	mw, err := meshwork.Open(nil)
	if err != nil {
		log.Fatal(err)
	}
	provider, err := mw.NewProvider(meshwork.Options{
		"port":            port,
		"auth.parameters": map[string]string{"key": "SECRET_KEY"},
	})
	if err != nil {
		log.Fatal(err)
	}
	provider.On(meshwork.Up, func(e *meshwork.Event) { fmt.Println("listening", e.Text()) })
	provider.On(meshwork.PeerUp, func(e *meshwork.Event) { fmt.Println("Consumer", e.Conn.ID(), "is here:", e.Text()) })
	provider.On(meshwork.PeerDown, func(e *meshwork.Event) { fmt.Println("Consumer", e.Conn.ID(), "left:", e.Code, e.Text()) })
	provider.OnMessage(func(e *meshwork.Event) {
		fmt.Println("Consumer", e.Conn.ID(), "Sent:", e.Text())
		if e.Text() == "CONSUMER_READY" {
			if err := e.Conn.SendText("SOME_REPLY"); err != nil {
				fmt.Println("not sent:", err)
			}
		}
	})

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := provider.Start(ctx); err != nil {
		log.Fatal("cannot listen: ", err)
	}
	<-ctx.Done()
	provider.CloseWith(1001, "bye")
	limit, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := mw.Shutdown(limit); err != nil {
		log.Fatal(err)
	}
}
