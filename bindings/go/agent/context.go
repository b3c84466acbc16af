package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"meshwork"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

func raw(s string) json.RawMessage { return json.RawMessage(s) }

func store(name string, x any) {
	mu.Lock()
	names[name] = x
	mu.Unlock()
}

// owner is the object whose events a peer's operations belong to.
func owner(name string) string {
	base, rest, dotted := strings.Cut(name, ".")
	if dotted && rest != "" {
		return base
	}
	return name
}

func open(w words) (err error) {
	opts := w.options("")
	if door == "turn" {
		opts["threads"] = "0"
	} else if _, told := opts["threads"]; !told {
		opts["threads"] = "1"
	}
	mu.Lock()
	names, hooks, ops = map[string]any{}, nil, map[string]context.CancelFunc{}
	mu.Unlock()
	if ctx, err = meshwork.OpenLogged(opts, slog.Default()); err == nil {
		ctx.OnEvent(listener("ctx"))
	}
	return err
}

func end() (string, string) {
	limit, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := ctx.Shutdown(limit); err != nil {
		return "ETIMEDOUT", ""
	}
	fds, _ := os.ReadDir("/proc/self/fd")
	return "OK", " fds=" + strconv.Itoa(len(fds)-1) + " threads=" + strconv.Itoa(libraryThreads())
}

// libraryThreads counts threads that are not Go's: the library names its own.
func libraryThreads() (n int) {
	mine, _ := os.ReadFile("/proc/self/comm")
	for until := time.Now().Add(time.Second); ; {
		n = 0
		all, _ := filepath.Glob("/proc/self/task/*/comm")
		for _, path := range all {
			if name, err := os.ReadFile(path); err == nil && string(name) != string(mine) {
				n++
			}
		}
		if n == 0 || time.Now().After(until) {
			return n
		}
	}
}
