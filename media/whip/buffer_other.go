//go:build !linux

package whip

import "net"

// growReadBuffer asks the kernel to keep up to size bytes of packets for conn.
func growReadBuffer(conn net.PacketConn, size int) {
	if c, ok := conn.(interface{ SetReadBuffer(bytes int) error }); ok {
		// The default buffer works too, but overflows sooner.
		_ = c.SetReadBuffer(size)
	}
}
