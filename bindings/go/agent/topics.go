package main

import (
	"context"
	"strings"

	"meshwork"
)

// open opens what the verb names.
func (w words) open() string {
	switch opts := w.options("name"); w.verb {
	case "channel":
		c, err := mw.NewChannel(w.args["name"], opts)
		return opened(w.name, w.name, c, err)
	case "hub":
		h, err := mw.NewHub(opts)
		return opened(w.name, w.name, h, err)
	case "share":
		s, err := mw.NewShare(w.args["name"], opts)
		return opened(w.name, "", s, err)
	case "elect":
		e, err := mw.NewElection(w.args["name"], opts)
		return opened(w.name, "", e, err)
	case "node":
		n, err := mw.NewNode(opts)
		return opened(w.name, "", n, err)
	case "manager":
		m, err := mw.NewManager(opts)
		return opened(w.name, "", m, err)
	case "provider":
		p, err := mw.NewProvider(w.options())
		return opened(w.name, w.name, p, err)
	default:
		c, err := mw.NewConsumer(w.options())
		return opened(w.name, w.name, c, err)
	}
}

// subscriber is a Link, a Channel, a Share or a Node.
type subscriber interface {
	Subscribe(context.Context, string, meshwork.Options, ...func(*meshwork.Event)) error
	Unsubscribe(context.Context, string, ...func(*meshwork.Event)) error
	Subscribed(string) (bool, error)
}

// topics are the verbs of topics: publish, subscribe, unsubscribe, subscribed.
func (w words) topics(x any, ctx context.Context, done func(*meshwork.Event)) string {
	opts, as := w.options("pattern", "as", "op"), w.args["as"]
	switch {
	case w.verb == "publish":
		if p, ok := x.(*meshwork.Provider); ok {
			but, _ := names.Load(w.args["except"])
			except, _ := but.(*meshwork.Connection)
			_, err := p.PublishCount(ctx, w.message(), except, done)
			return answer(err)
		}
		return answer(x.(interface { // a Channel, a Share or a Node
			PublishWait(context.Context, *meshwork.Message, ...func(*meshwork.Event)) error
		}).PublishWait(ctx, w.message(), done))
	case w.verb == "subscribe" && as == "":
		return answer(x.(subscriber).Subscribe(ctx, w.args["pattern"], opts, done))
	case w.verb == "subscribe":
		s, err := x.(*meshwork.Connection).SubscribeNamed(ctx, w.args["pattern"], opts, done)
		return opened(as, strings.Split(w.name, ".")[0], s, err)
	case w.verb == "unsubscribe":
		return answer(x.(subscriber).Unsubscribe(ctx, w.args["pattern"], done))
	}
	yes, err := x.(subscriber).Subscribed(w.args["topic"])
	return answer(err, "value", map[bool]int{true: 1}[yes])
}
