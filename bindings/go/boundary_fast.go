//go:build go1.24

package meshwork

// Part of the boundary: what newer compilers may know of the calls that a
// message, a call and its answer cost: no callback into Go, no pointer kept.

// #include <meshwork/meshwork.h>
// #cgo noescape mw_send_bytes
// #cgo nocallback mw_send_bytes
// #cgo noescape mw_ctx_take
// #cgo nocallback mw_ctx_take
// #cgo noescape mw_msg_new
// #cgo nocallback mw_msg_new
// #cgo noescape mw_call
// #cgo nocallback mw_call
// #cgo noescape mw_reply
// #cgo nocallback mw_reply
import "C"
