package meshwork

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"syscall"
)

// Status is what the library answered. The constants (EAGAIN, ECLOSED, ...)
// are errors: errors.Is(err, meshwork.EAGAIN).
type Status int32

type statusRow struct {
	name, text       string
	retry, fatal, os bool
}

// Error is the sentence that belongs to the status.
func (s Status) Error() string {
	if row, ok := statusTable[s]; ok {
		return row.text
	}
	return s.Name()
}

// Name is the name of the status, such as "MW_EAGAIN".
func (s Status) Name() string {
	if row, ok := statusTable[s]; ok {
		return row.name
	}
	return statusName(s) // of a newer library
}

// Retryable tells that trying again later may succeed.
func (s Status) Retryable() bool { return statusTable[s].retry }

// Fatal tells that trying again cannot succeed.
func (s Status) Fatal() bool { return statusTable[s].fatal }

// Is also takes a status for the error of the standard library that means the same.
func (s Status) Is(target error) bool {
	switch target {
	case net.ErrClosed, os.ErrClosed:
		return s == ECLOSED
	case context.Canceled:
		return s == ECANCELED
	case context.DeadlineExceeded, os.ErrDeadlineExceeded:
		return s == ETIMEDOUT
	}
	return false
}

// Error is a status with the library's own words about this case.
type Error struct {
	Status Status
	OS     syscall.Errno // 0 where the operating system had no part in it
	Text   string
	Detail json.RawMessage // of a failed call: the object that came instead of an answer
}

// Error is the library's sentence.
func (e *Error) Error() string { return fmt.Sprintf("%s (%s)", e.Text, e.Status.Name()) }

// Retryable tells that trying again later may succeed.
func (e *Error) Retryable() bool { return e.Status.Retryable() }

// Unwrap gives the status and, where there is one, the system's error number.
func (e *Error) Unwrap() []error {
	if e.OS != 0 {
		return []error{e.Status, e.OS}
	}
	return []error{e.Status}
}
