package confine

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
)

const (
	// marker as the first argument makes our own binary a confined child.
	marker = "__confine"
	// confineFailed begins what such a child says when it cannot confine itself.
	confineFailed = "hark confine: "
	// runtimeFailed begins what Go prints when it cannot run a child, for want
	// of memory or threads; ffmpeg prints no such thing.
	runtimeFailed = "fatal error: "
	// confineExit is its exit status then; ffmpeg uses none of that value.
	confineExit = 125
	// maxFiles is how many files the child may have open: its three, its
	// libraries one after another, and its input a few times.
	maxFiles = 64
)

// DidNotStart reports whether a child that failed with this on its standard error
// failed before it became the program: the machine is to blame, not the clip.
func DidNotStart(stderr string) bool {
	return strings.Contains(stderr, confineFailed) || strings.Contains(stderr, runtimeFailed)
}

// confinement is what a confined child is to run and may use.
type confinement struct {
	Build       build
	Args        []string // without the program's name
	MemoryBytes uint64   // of address space
	CPUSeconds  uint64
	MaxThreads  uint64 // 0 means as many as its user may have
	EmptyRoot   bool   // the process is alone in its mount namespace and is to empty it
	Check       bool   // print a checkReport instead of becoming the program
}

// Main turns the process into a confined ffmpeg when it was started as
// one, and then never returns; otherwise it does nothing. A program that
// decodes calls it before anything else in main, and tests in TestMain.
//
// The process was started, where that is allowed, in namespaces of its own, in
// which there is no other process and no network. It closes what it inherited
// by accident; changes into a root that holds nothing but the program and its
// libraries; drops all capabilities and the means to gain any; by Landlock
// keeps only these files and its standard input; bounds its memory, processor
// time, threads and open files and forbids itself to write any file; by a
// seccomp filter keeps only the system calls that decoding needs; and then
// becomes the program, with an empty environment. [Runner.Level] tells
// what of it this machine lets it do; what is there and fails ends the process.
func Main() {
	if len(os.Args) != 3 || os.Args[1] != marker {
		return
	}
	runtime.LockOSThread() // what follows holds for one thread, and that one becomes the program
	// A collector at work would want memory when there is no more: none begins,
	// and what has begun is ended.
	debug.SetGCPercent(-1)
	runtime.GC()
	var c confinement
	err := json.Unmarshal([]byte(os.Args[2]), &c)
	if err == nil {
		err = become(c)
	}
	fmt.Fprintln(os.Stderr, confineFailed+err.Error())
	os.Exit(confineExit)
}

// limitResources sets hard limits, but for that on memory: with it this
// process itself, whose runtime reserves more than it uses, may fail at any
// allocation, so it is set with the last step.
func limitResources(c confinement) error {
	for _, limit := range append([]resourceLimit{
		{"core size", syscall.RLIMIT_CORE, 0, 0},
		{"file size", syscall.RLIMIT_FSIZE, 0, 0},
		{"open files", syscall.RLIMIT_NOFILE, maxFiles, maxFiles},
		{"processor time", syscall.RLIMIT_CPU, c.CPUSeconds, c.CPUSeconds + 1},
	}, moreLimits(c)...) {
		var now syscall.Rlimit
		if err := syscall.Getrlimit(limit.resource, &now); err != nil {
			return fmt.Errorf("read limit of %s: %w", limit.name, err)
		}
		hard := min(limit.hard, now.Max)
		if err := syscall.Setrlimit(limit.resource, &syscall.Rlimit{Cur: min(limit.soft, hard), Max: hard}); err != nil {
			return fmt.Errorf("limit %s: %w", limit.name, err)
		}
	}
	return nil
}

type resourceLimit struct {
	name       string
	resource   int
	soft, hard uint64
}
