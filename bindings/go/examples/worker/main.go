// The Go worker of the demo's mesh: counts the words of the texts that it is
// called with, and says how many they were. Leaves when "words/over" is
// published.
//
//	worker MANAGER SECRET-FILE NAME
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"runtime"
	"strings"

	"meshwork"
)

func wordsOf(text []byte) (words int) {
	inside := false
	for _, c := range text {
		space := c == ' ' || '\t' <= c && c <= '\r'
		if inside && space {
			words++
		}
		inside = !space
	}
	if inside {
		words++
	}
	return words
}

func main() {
	log.SetFlags(0)
	if len(os.Args) != 4 {
		log.Fatal("usage: worker MANAGER SECRET-FILE NAME")
	}
	manager, name := os.Args[1], os.Args[3]
	secret, err := os.ReadFile(os.Args[2])
	check(err)
	ctx := context.Background()
	mw, err := meshwork.Open(nil)
	check(err)
	node, err := mw.NewNode(meshwork.Options{"cluster.deployment": "demo", "member.service": "worker", "member.name": name,
		"registry": "manager", "registry.url": manager, "link.secret": strings.TrimSpace(string(secret))})
	check(err)

	parts, words := 0, 0 // of the handler, which runs on one goroutine
	// A text that comes again with the same key is not counted again.
	_, err = node.Serve("words", meshwork.Options{"methods": "count,about", "dedupe.window": "1m"}, func(r *meshwork.Request) {
		if r.Method == "words.about" {
			r.Reply([]byte(fmt.Sprintf("%d %d %d Go %s", os.Getpid(), parts, words, strings.TrimPrefix(runtime.Version(), "go"))))
			return
		}
		here := wordsOf(r.Message.Body)
		parts, words = parts+1, words+here
		r.Reply([]byte(fmt.Sprintf("%d %s", here, name)))
	})
	check(err)
	over := make(chan struct{})
	node.OnMessage(func(*meshwork.Event) { close(over) })
	check(node.Subscribe(ctx, "words/over", nil))
	check(node.Start(ctx))
	<-over
	check(mw.Shutdown(ctx))
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
