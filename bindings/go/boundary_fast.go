//go:build go1.24

package meshwork

// Part of the boundary: what newer compilers may know of the two calls a
// message costs: no callback into Go, no pointer kept.

// #include <meshwork/meshwork.h>
// #cgo noescape mw_send_bytes
// #cgo nocallback mw_send_bytes
// #cgo noescape mw_ctx_take
// #cgo nocallback mw_ctx_take
import "C"
