package decode

import "golang.org/x/sys/unix"

const (
	auditArch  = unix.AUDIT_ARCH_AARCH64
	foreignBit = 0 // there is no second ABI with the same architecture
)

var deniedHere []uint32
