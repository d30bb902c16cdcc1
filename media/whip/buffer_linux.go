package whip

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// growReadBuffer makes the kernel keep up to size bytes of packets for conn, or
// as many as it allows: past net.core.rmem_max only with CAP_NET_ADMIN.
func growReadBuffer(conn net.PacketConn, size int) {
	if raw, ok := conn.(syscall.Conn); ok {
		if c, err := raw.SyscallConn(); err == nil {
			forced := false
			if c.Control(func(fd uintptr) {
				forced = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, size) == nil
			}) == nil && forced {
				return
			}
		}
	}
	if c, ok := conn.(interface{ SetReadBuffer(bytes int) error }); ok {
		// The default buffer works too, but overflows sooner.
		_ = c.SetReadBuffer(size)
	}
}
