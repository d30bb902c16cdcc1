package decode

import "golang.org/x/sys/unix"

const (
	auditArch  = unix.AUDIT_ARCH_X86_64
	foreignBit = 0x40000000 // marks the calls of the x32 ABI
)

var deniedHere = []uint32{unix.SYS_FORK, unix.SYS_VFORK, unix.SYS_IOPERM, unix.SYS_IOPL, unix.SYS_MODIFY_LDT}
