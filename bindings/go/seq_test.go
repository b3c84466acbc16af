//go:build go1.23

package meshwork_test

import "testing"

func TestRangeOverMessages(t *testing.T) {
	mw := open(t, nil)
	p, at := provider(t, mw, nil)
	echo(p)
	c := consumer(t, mw, at, nil)
	c.SendText("one")
	for m := range c.All(limit(t)) {
		if string(m.Body) == "one" {
			c.SendText("two")
		} else {
			c.Close() // ends the loop
		}
	}
}
