package main

import (
	"context"
	"encoding/json"
	"net/url"
	"strconv"

	"meshwork"
)

// Gossip, because nodes of one host would meet over unix sockets otherwise.
func openNode(more meshwork.Options) *meshwork.Node {
	opts := meshwork.Options{"cluster.deployment": "bench", "registry": "gossip"}
	for key, value := range more {
		opts[key] = value
	}
	mw, err := meshwork.Open(nil)
	check(err)
	node, err := mw.NewNode(opts)
	check(err)
	return node
}

func serveNode() int {
	node := openNode(nil)
	_, err := node.Serve("echo", nil, func(r *meshwork.Request) { r.Reply(r.Message.Body, meshwork.Text) })
	check(err)
	check(node.Start(context.Background()))
	facts, err := node.Info("address")
	check(err)
	var urls []string
	check(json.Unmarshal(facts, &urls))
	at, err := url.Parse(urls[0])
	check(err)
	port, err := strconv.Atoi(at.Port())
	check(err)
	return port
}

func dialNode(port string) func(context.Context) error {
	node := openNode(meshwork.Options{"seeds": "127.0.0.1:" + port, "gate.services": map[string]int{"echo": 1}})
	check(node.Start(context.Background()))
	message := &meshwork.Message{Body: body, Flags: meshwork.Text}
	return func(ctx context.Context) error {
		_, err := node.Call(ctx, "echo.x", message, nil)
		return err
	}
}
