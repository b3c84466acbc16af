//go:build static

package meshwork

// The archive comes first, so that nothing is left for the shared library.

// #cgo pkg-config: meshwork
// #cgo LDFLAGS: -Wl,--as-needed -l:libmeshwork.a -lcares -lcjson -lre2 -lssl -lcrypto -lz -lstdc++ -lpthread -lm
import "C"
