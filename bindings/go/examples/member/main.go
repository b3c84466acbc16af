// The Go member of the demo's second part: has the words of a file counted,
// 50 lines a call, over the one connection that the members share. Whichever
// of them leads has it, and passes the calls of all on.
//
//	member URL CA SECRET-FILE DIR NAME FILE
package main

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"meshwork"
)

// texts cuts a file into pieces of 50 lines.
func texts(file []byte) (pieces [][]byte) {
	lines := bytes.SplitAfter(file, []byte("\n"))
	for len(lines) > 0 {
		n := min(50, len(lines))
		if piece := bytes.Join(lines[:n], nil); len(piece) > 0 {
			pieces = append(pieces, piece)
		}
		lines = lines[n:]
	}
	return pieces
}

func main() {
	log.SetFlags(0)
	if len(os.Args) != 7 {
		log.Fatal("usage: member URL CA SECRET-FILE DIR NAME FILE")
	}
	url, ca, secret, dir, name, path := os.Args[1], os.Args[2], os.Args[3], os.Args[4], os.Args[5], os.Args[6]
	key, err := os.ReadFile(secret)
	check(err)
	file, err := os.ReadFile(path)
	check(err)
	ctx := context.Background()
	mw, err := meshwork.Open(nil)
	check(err)
	share, err := mw.NewShare("words", meshwork.Options{"dir": dir})
	check(err)
	upstream := make(chan *meshwork.Consumer, 1) // where this process leads: the connection
	share.OnLeader(func(leads bool, epoch uint64) {
		log.Print(map[bool]string{true: "leads ", false: "follows "}[leads], epoch)
		select {
		case old := <-upstream:
			old.Close()
		default:
		}
		if !leads {
			return
		}
		consumer, err := mw.NewConsumer(meshwork.Options{"url": url, "tls.ca_file": ca,
			"parameters": map[string]string{"key": strings.TrimSpace(string(key))}})
		check(err)
		check(consumer.Start(ctx, func(e *meshwork.Event) {
			check(e.Err())
			upstream <- consumer
		}))
	})
	share.OnRequest(func(r *meshwork.Request) {
		go func() {
			consumer := <-upstream // once it is up
			upstream <- consumer
			answer, err := consumer.Call(r.Context(), "Words.count", r.Message, &meshwork.How{Parent: r})
			if err != nil {
				r.Fail(err)
				return
			}
			r.Reply(answer.Body)
		}()
	})
	check(share.Start(ctx))

	var lock sync.Mutex // the figures
	var work sync.WaitGroup
	var failed, words, next int
	var longest time.Duration
	last, pieces := time.Now(), texts(file)
	for i := 0; i < 16; i++ {
		work.Add(1)
		go func() {
			defer work.Done()
			lock.Lock()
			defer lock.Unlock()
			for next < len(pieces) {
				number := next
				next++
				lock.Unlock()
				within, cancel := context.WithTimeout(ctx, 30*time.Second)
				answer, err := share.Call(within, "count", &meshwork.Message{Body: pieces[number],
					Header: map[string]string{"key": fmt.Sprintf("%s/%d", name, number)}}, nil) // safe to repeat
				cancel()
				lock.Lock()
				if err != nil {
					log.Printf("failed: %v", err)
					failed++
				} else {
					n, err := strconv.Atoi(string(answer.Body))
					check(err)
					words += n
				}
				longest, last = max(longest, time.Since(last)), time.Now()
			}
		}()
	}
	work.Wait()
	check(mw.Shutdown(ctx))
	log.Printf(`{"calls":%d,"failed":%d,"words":%d,"longest_ms":%.1f}`, len(pieces), failed, words, longest.Seconds()*1e3)
	if failed > 0 {
		os.Exit(1)
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
