// Calls between two nodes to compare, run by tests/bench/mesh_languages.py:
//
//	calls meshwork|grpc serve                          prints "port N"
//	calls meshwork|grpc call PORT IN_FLIGHT SECONDS    so many calls at once: {"rate":...,"cpu_us":...}
//
// Both over TCP of loopback without TLS, one connection, the same bytes back.
// Each caller is a goroutine that waits for its answer. A module of its own,
// so that neither the binding nor the echo bench depends on gRPC.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"
)

// What calling.js calls with, too.
var body = []byte(`{"id":123456,"host":"alpha","text":"disk nearly full"}`)

// rival is one way to call: serve tells the port and answers from then on,
// dial gives what calls once and waits.
type rival struct {
	serve func() int
	dial  func(port string) func(context.Context) error
}

func main() {
	rivals := map[string]rival{"meshwork": {serveNode, dialNode}, "grpc": {serveGrpc, dialGrpc}}
	if len(os.Args) < 3 {
		log.Fatal("usage: calls meshwork|grpc serve | call PORT IN_FLIGHT SECONDS")
	}
	with, ok := rivals[os.Args[1]]
	switch {
	case ok && os.Args[2] == "serve" && len(os.Args) == 3:
		fmt.Println("port", with.serve())
		select {}
	case ok && os.Args[2] == "call" && len(os.Args) == 6:
		inFlight, err := strconv.Atoi(os.Args[4])
		check(err)
		seconds, err := strconv.ParseFloat(os.Args[5], 64)
		check(err)
		measure(with.dial(os.Args[3]), inFlight, time.Duration(seconds*float64(time.Second)))
	default:
		log.Fatal("no such thing to do: ", os.Args[1:])
	}
}

func measure(call func(context.Context) error, inFlight int, span time.Duration) {
	var answered atomic.Int64
	check(call(context.Background()))
	for i := 0; i < inFlight; i++ {
		go func() {
			for {
				check(call(context.Background()))
				answered.Add(1)
			}
		}()
	}
	time.Sleep(span / 5)
	before, wall, cpu := answered.Load(), time.Now(), used()
	time.Sleep(span)
	n := float64(answered.Load() - before)
	fmt.Printf("{\"rate\":%.0f,\"cpu_us\":%.3f}\n", n/time.Since(wall).Seconds(), float64((used()-cpu).Microseconds())/n)
}

func used() time.Duration {
	var u syscall.Rusage
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
