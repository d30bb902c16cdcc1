package storagetest

import (
	"os"
	"syscall"
	"testing"
)

// SmallDisk mounts a disk of its own for the test, of a size as tmpfs(5) has
// it, such as "8m", and returns its folder. At the test's end it is unmounted,
// which fails the test while a file of it is open. Where disks cannot be
// mounted the test is skipped.
func SmallDisk(tb testing.TB, size string) (dir string) {
	tb.Helper()
	if os.Geteuid() != 0 {
		tb.Skip("only root can mount a small disk to fill")
	}
	dir = tb.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		tb.Skipf("cannot mount a small disk to fill: %v", err)
	}
	tb.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			tb.Error(err)
		}
	})
	return dir
}
