//go:build linux && !amd64 && !arm64

package decode

// Without a filter for this architecture, Landlock and the limits stand alone.
const (
	auditArch  = 0
	foreignBit = 0
)

var deniedHere []uint32
