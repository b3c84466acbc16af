//go:build go1.23

package meshwork

import (
	"context"
	"iter"
)

// All is Receive for a range loop, until the last message or until ctx ends.
func (l *receiver) All(ctx context.Context) iter.Seq[*Message] {
	return func(yield func(*Message) bool) {
		for {
			m, err := l.Receive(ctx)
			if err != nil || !yield(m) {
				return
			}
		}
	}
}

// All is Next for a range loop; Err tells whether some failed.
func (b *Broadcast) All() iter.Seq[Answer] {
	return func(yield func(Answer) bool) {
		defer b.Close()
		for {
			a, err := b.Next()
			if err != nil || !yield(a) {
				return
			}
		}
	}
}

// All is Next for a range loop; the error, if it was one, is Err's.
func (s *Stream) All() iter.Seq[*Message] {
	return func(yield func(*Message) bool) {
		defer s.Close()
		for {
			m, err := s.Next()
			if err != nil || !yield(m) {
				return
			}
		}
	}
}
