//go:build go1.23

package meshwork

import (
	"context"
	"iter"
)

// All is Receive for a range loop, until the last message or until ctx ends.
func (l *link) All(ctx context.Context) iter.Seq[*Message] {
	return func(yield func(*Message) bool) {
		for {
			m, err := l.Receive(ctx)
			if err != nil || !yield(m) {
				return
			}
		}
	}
}
