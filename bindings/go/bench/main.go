// Echo servers to compare, one a run, for `meshwork bench` as load:
//
//	bench meshwork|meshwork-thread|gorilla|coder [port]
//	meshwork bench ws://127.0.0.1:9300/connect --connections 64 --in-flight 16 --size 1024
//
// meshwork turns the lane on the context's goroutine (threads=0),
// meshwork-thread on a library thread. A module of its own, so that meshwork
// has no dependencies.
package main

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os"

	"github.com/coder/websocket"
	gorilla "github.com/gorilla/websocket"
	"meshwork"
)

func main() {
	if len(os.Args) < 2 {
		log.Fatal("usage: bench meshwork|meshwork-thread|gorilla|coder [port]")
	}
	port := "9300"
	if len(os.Args) > 2 {
		port = os.Args[2]
	}
	switch os.Args[1] {
	case "meshwork":
		serve(port, 0)
	case "meshwork-thread":
		serve(port, 1)
	case "gorilla":
		listen(port, withGorilla)
	case "coder":
		listen(port, withCoder)
	default:
		log.Fatal("no such server: ", os.Args[1])
	}
}

func serve(port string, threads int) {
	mw, err := meshwork.Open(meshwork.Options{"threads": threads})
	if err != nil {
		log.Fatal(err)
	}
	p, err := mw.NewProvider(meshwork.Options{"host": "127.0.0.1", "port": port})
	if err != nil {
		log.Fatal(err)
	}
	p.OnMessage(func(e *meshwork.Event) { e.Conn.Send(e.Body(), e.Flags&meshwork.Text) })
	p.On(meshwork.Up, func(*meshwork.Event) { fmt.Println("listening") })
	p.Start(context.Background(), func(*meshwork.Event) {})
	<-mw.Done()
}

func listen(port string, h http.HandlerFunc) {
	http.HandleFunc("/connect", h)
	fmt.Println("listening")
	log.Fatal(http.ListenAndServe("127.0.0.1:"+port, nil))
}

func withGorilla(w http.ResponseWriter, r *http.Request) {
	up := gorilla.Upgrader{}
	c, err := up.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer c.Close()
	for {
		kind, body, err := c.ReadMessage()
		if err != nil || c.WriteMessage(kind, body) != nil {
			return
		}
	}
}

func withCoder(w http.ResponseWriter, r *http.Request) {
	c, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer c.CloseNow()
	for {
		kind, body, err := c.Read(r.Context())
		if err != nil || c.Write(r.Context(), kind, body) != nil {
			return
		}
	}
}
