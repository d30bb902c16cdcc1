package bench

import (
	"fmt"
	"os"
	"strings"
	"time"
)

// usage is what a process has used.
type usage struct {
	cpu    time.Duration // of all its threads, since it began
	memory int64         // resident now, in bytes
}

// mustUsage is usageOf of a process that was there a moment ago; one that is
// not has used nothing more.
func mustUsage(pid int) usage {
	u, _ := usageOf(pid) // the speakers notice that it is gone
	return u
}

// usageOf reads a process's costs from Linux.
func usageOf(pid int) (usage, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return usage{}, fmt.Errorf("read a process's costs: %w", err)
	}
	// The name, in brackets, may hold anything; what follows is numbers.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if len(fields) < 22 {
		return usage{}, fmt.Errorf("read a process's costs: %d fields", len(fields))
	}
	var user, system, pages int64
	for _, f := range []struct {
		to   *int64
		text string
	}{{&user, fields[11]}, {&system, fields[12]}, {&pages, fields[21]}} {
		if _, err := fmt.Sscan(f.text, f.to); err != nil {
			return usage{}, fmt.Errorf("read a process's costs: %w", err)
		}
	}
	const tick = 10 * time.Millisecond // USER_HZ, which is 100 on every Linux
	return usage{cpu: time.Duration(user+system) * tick, memory: pages * int64(os.Getpagesize())}, nil
}
