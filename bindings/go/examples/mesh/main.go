// Counts words along with the other processes of this host: mesh [DEPLOYMENT [DIR]]
// Each line it reads is counted by one of them, a line "all ..." by every one.
package main

import (
	"bufio"
	"context"
	"fmt"
	"log"
	"os"
	"strings"
	"time"

	"meshwork"
)

func main() {
	deployment, dir := "words", ""
	if len(os.Args) > 1 {
		deployment = os.Args[1]
	}
	if len(os.Args) > 2 {
		dir = os.Args[2]
	}
	ctx := context.Background()
	mw, err := meshwork.Open(nil)
	check(err)
	// Whom a call finds first is the example's point, so it does not stay here.
	node, err := mw.NewNode(meshwork.Options{"cluster.deployment": deployment, "dir": dir, "route.local_first": false})
	check(err)
	node.OnService(func(name, member string, up bool, others int) {
		fmt.Println("others that serve "+name+":", others)
	})
	_, err = node.Serve("words", nil, func(r *meshwork.Request) {
		r.Reply([]byte(fmt.Sprintf("%d words, says process %d", len(strings.Fields(string(r.Message.Body))), os.Getpid())), meshwork.Text)
	})
	check(err)
	check(node.Start(ctx))
	fmt.Println("joined")
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		limit, stop := context.WithTimeout(ctx, 10*time.Second)
		line, toAll := strings.CutPrefix(in.Text(), "all ")
		m := &meshwork.Message{Body: []byte(line), Flags: meshwork.Text}
		if toAll {
			answers, err := node.CallAll(limit, "words.count", m, nil)
			for _, a := range answers {
				if a.Err == nil {
					fmt.Println(string(a.Message.Body))
				}
			}
			fmt.Println("asked:", len(answers), why(err))
		} else if answer, err := node.Call(limit, "words.count", m, nil); err == nil {
			fmt.Println(string(answer.Body))
		} else {
			fmt.Println(why(err))
		}
		stop()
	}
	check(mw.Shutdown(ctx))
}

func why(err error) string {
	if err == nil {
		return "none failed"
	}
	return err.Error()
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
