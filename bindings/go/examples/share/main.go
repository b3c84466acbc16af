// Uses one connection along with the other processes of this host: share [NAME [DIR]]
// Each line it reads is a question, which the leader answers; who leads would hold the connection.
package main

import (
	"bufio"
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"meshwork"
)

func main() {
	name, dir := "upstream", ""
	if len(os.Args) > 1 {
		name = os.Args[1]
	}
	if len(os.Args) > 2 {
		dir = os.Args[2]
	}
	ctx := context.Background()
	mw, err := meshwork.Open(nil)
	check(err)
	// What is asked twice does no harm here, so it may be repeated when the leader dies.
	share, err := mw.NewShare(name, meshwork.Options{"dir": dir, "retry.safe": []string{"ask"}})
	check(err)
	share.OnLeader(func(leads bool, epoch uint64) {
		if leads {
			fmt.Println("leads: epoch", epoch) // connect upstream here
		} else {
			fmt.Println("follows: epoch", epoch) // and drop that connection here
		}
	})
	share.OnRequest(func(r *meshwork.Request) {
		r.Reply([]byte(fmt.Sprintf("%s says process %d", r.Message.Body, os.Getpid())))
	})
	check(share.Start(ctx))
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		limit, stop := context.WithTimeout(ctx, 10*time.Second)
		answer, err := share.Call(limit, "ask", &meshwork.Message{Body: in.Bytes(), Flags: meshwork.Text}, nil)
		stop()
		if err != nil {
			log.Printf("%s: %v", in.Text(), err)
			continue
		}
		fmt.Println(string(answer.Body))
	}
	check(mw.Shutdown(ctx))
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
