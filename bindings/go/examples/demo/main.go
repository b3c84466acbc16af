// The Go consumer of the demo: writes every line it gets to a file.
//
//	demo URL CA SECRET-FILE OUTPUT NAME LINES
package main

import (
	"bufio"
	"context"
	"fmt"
	"log"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"meshwork"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("demo: ")
	if len(os.Args) != 7 {
		log.Fatal("usage: demo URL CA SECRET-FILE OUTPUT NAME LINES")
	}
	url, ca, secret, output, name := os.Args[1], os.Args[2], os.Args[3], os.Args[4], os.Args[5]
	wanted, err := strconv.Atoi(os.Args[6])
	check(err)
	key, err := os.ReadFile(secret)
	check(err)
	file, err := os.Create(output)
	check(err)
	out := bufio.NewWriter(file)

	ctx := context.Background()
	mw, err := meshwork.Open(nil)
	check(err)
	consumer, err := mw.NewConsumer(meshwork.Options{"url": url, "tls.ca_file": ca,
		"parameters": map[string]string{"key": strings.TrimSpace(string(key))}})
	check(err)
	lines, bytes, ups := 0, 0, 0 // of the context's goroutine, until Done
	var begin time.Time
	took := make([]time.Duration, 0, wanted)
	consumer.On(meshwork.Up, func(*meshwork.Event) {
		if ups++; ups == 1 { // again after every reconnect
			begin = time.Now()
		}
		consumer.SendText(fmt.Sprintf("start %s %d", name, lines))
	})
	consumer.OnMessage(func(e *meshwork.Event) {
		if lines == wanted {
			return
		}
		if sent, stamped := e.Header("sent"); stamped {
			if ns, err := strconv.ParseInt(sent, 10, 64); err == nil {
				took = append(took, time.Since(time.Unix(0, ns)))
			}
		}
		out.Write(e.Body())
		out.WriteByte('\n')
		lines, bytes = lines+1, bytes+len(e.Body())
		if lines == wanted {
			consumer.Close()
		}
	})
	consumer.On(meshwork.Closed, func(e *meshwork.Event) {
		if lines != wanted {
			log.Printf("closed: %s (%v)", e.Body(), e.Status().Name())
		}
	})
	check(consumer.Start(ctx, func(*meshwork.Event) {}))
	<-consumer.Done()
	seconds := time.Since(begin).Seconds()
	check(mw.Shutdown(ctx))
	check(out.Flush()) // keeps the first failure of a Write
	check(file.Close())

	slices.Sort(took)
	at := func(part float64) float64 {
		if len(took) == 0 {
			return 0
		}
		return float64(took[int(part*float64(len(took)-1))].Nanoseconds()) / 1e3
	}
	fmt.Fprintf(os.Stderr, `{"messages":%d,"bytes":%d,"seconds":%.3f,"p50_us":%.1f,"p99_us":%.1f,"reconnects":%d}`+"\n",
		lines, bytes, seconds, at(.5), at(.99), ups-1)
	if lines != wanted {
		os.Exit(1)
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
