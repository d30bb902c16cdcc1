//go:build !linux

package listen

import "net"

// holdLittle does nothing where the kernel cannot be asked.
func holdLittle(*net.TCPConn) {}
