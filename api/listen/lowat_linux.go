package listen

import (
	"net"

	"golang.org/x/sys/unix"
)

// unsentLow is how much of an answer the kernel may hold that is not on its way
// yet, in bytes. Left to itself it holds megabytes and takes nothing new until
// a third of them is gone, which a slow reader does not manage in time.
const unsentLow = 128 << 10

// holdLittle sets TCP_NOTSENT_LOWAT. Where that fails only very slow readers
// notice.
func holdLittle(tcp *net.TCPConn) {
	raw, err := tcp.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, unsentLow)
	})
}
