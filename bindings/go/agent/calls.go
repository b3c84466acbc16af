package main

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"meshwork"
)

// threads counts those that are not Go's: the library names its own.
func threads() (n int) {
	mine, _ := os.ReadFile("/proc/self/comm")
	all, _ := filepath.Glob("/proc/self/task/*/comm")
	for _, path := range all {
		if name, err := os.ReadFile(path); err == nil && string(name) != string(mine) {
			n++
		}
	}
	return n
}

// hash stands for a long body.
func hash(p []byte) string {
	h := fnv.New32a()
	h.Write(p)
	return fmt.Sprintf("@%d:%08x", len(p), h.Sum32())
}

// requested names a request.
func requested(e *meshwork.Event, service string) any {
	if e.ID == 0 {
		names.Store("#0", e.Request)
		return 0
	}
	return nameOf(e.Request, service+".r")
}

// told prints what came of a call.
func (w words) told(e *meshwork.Event) {
	peer := ""
	if strings.Contains(w.name, ".") {
		peer = w.name
	}
	body := show(e.Body())
	if len(e.Body()) > 512 {
		body = hash(e.Body())
	}
	if op := w.args["op"]; op != "" {
		out.Printf("! %s %s%s", strings.Split(w.name, ".")[0], e.Kind, facts("id", op, "status", word(e.Status()), "code", e.Code, "peer", peer,
			"flags", strings.ReplaceAll(e.Flags.String(), "|", "+"), "meta", show(e.Meta()), "body", body))
	}
}

// calls are the verbs of calls: serve, call, reply, fail.
func (w words) calls(x any, ctx context.Context) string {
	if x == nil {
		return "ECLOSED"
	}
	switch w.verb {
	case "serve":
		s, err := x.(meshwork.Party).Serve(w.args["name"], w.options("name", "as"), nil)
		owner := w.name
		if _, node := x.(*meshwork.Node); node {
			owner = "" // any member may call
		}
		return opened(w.args["as"], owner, s, err)
	case "call":
		ms, _ := strconv.Atoi(w.args["ms"])
		how := &meshwork.How{Timeout: time.Duration(ms) * time.Millisecond, Part: w.told}
		how.Options = w.options("target", "body", "op", "ms", "parent", "flags")
		maps.DeleteFunc(how.Options, func(key string, _ any) bool { return strings.HasPrefix(key, "meta.") })
		if parent, given := names.Load(w.args["parent"]); given {
			how.Parent = parent.(*meshwork.Request)
		}
		link, m := x.(interface { // a Link, a Share or a Node
			Call(context.Context, string, *meshwork.Message, *meshwork.How, ...func(*meshwork.Event)) (*meshwork.Message, error)
			Notify(string, *meshwork.Message) error
		}), w.message()
		if m.Flags&meshwork.Oneway != 0 && w.args["op"] == "" {
			return answer(link.Notify(w.args["target"], m))
		}
		_, err := link.Call(ctx, w.args["target"], m, how, w.told)
		return answer(err)
	case "reply":
		return answer(x.(*meshwork.Request).ReplyMessage(w.message()))
	case "fail":
		status := meshwork.EREMOTE
		for s := meshwork.Status(-1); s > -200; s-- {
			if s.Name() == "MW_"+w.args["code"] {
				status = s
			}
		}
		r, why := x.(*meshwork.Request), json.RawMessage(w.args["json"])
		if w.args["retry"] != "" {
			return answer(r.GiveBackJSON(status, why))
		}
		return answer(r.FailJSON(status, why))
	}
	return "ENOTSUP error=no%20such%20verb"
}
