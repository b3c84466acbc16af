// Says what it reads in a channel of this host, and shows what the others say: channel [NAME [DIR]]
package main

import (
	"bufio"
	"context"
	"fmt"
	"log"
	"os"

	"meshwork"
)

func main() {
	name, dir := "talk", ""
	if len(os.Args) > 1 {
		name = os.Args[1]
	}
	if len(os.Args) > 2 {
		dir = os.Args[2]
	}
	ctx := context.Background()
	mw, err := meshwork.Open(nil)
	check(err)
	channel, err := mw.NewChannel(name, meshwork.Options{"dir": dir})
	check(err)
	channel.OnMessage(func(e *meshwork.Event) { fmt.Println(e.Topic()+":", e.Text()) })
	check(channel.Start(ctx))
	check(channel.Subscribe(ctx, `line\..*`, nil)) // regular expressions, of the whole name
	fmt.Println("joined")
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		check(channel.Publish("line.read", in.Bytes(), meshwork.Text))
	}
	check(mw.Shutdown(ctx)) // what was said is sent first
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
