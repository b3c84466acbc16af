//go:build !static

package meshwork

// #cgo pkg-config: meshwork
import "C"
