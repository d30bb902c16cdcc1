package decode

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"syscall"
)

const (
	// confineMarker as the first argument makes our own binary a confined child.
	confineMarker = "__confine"
	// confineFailed begins what such a child says when it cannot confine itself.
	confineFailed = "hark confine: "
	// runtimeFailed begins what Go says of a child that it cannot run, for want
	// of memory or threads; ffmpeg says no such thing.
	runtimeFailed = "fatal error: "
	// confineExit is its exit status then; ffmpeg uses none of that value.
	confineExit = 125
	// maxFiles is how many files the child may have open: its three, its
	// libraries one after another, and its input a few times.
	maxFiles = 64
)

// confinement is what a confined child is told to run and may use.
type confinement struct {
	Program     string   // absolute path
	Args        []string // without the program's name
	MemoryBytes uint64   // of address space
	CPUSeconds  uint64
}

// SandboxMain turns the process into a confined ffmpeg when it was started as
// one, and then never returns; otherwise it does nothing. A program that
// decodes calls it before anything else in main, and tests in TestMain.
//
// The process bounds its memory, processor time and open files and forbids
// itself to write any file; takes away its power to gain privileges; by
// Landlock keeps only the program, its libraries and its standard input; by a
// seccomp filter loses the network, other processes and the kernel's more
// dangerous calls; and then becomes the program, with an empty environment.
// Landlock and seccomp are skipped where the kernel has none (the parent logs
// that); every other failure ends the process.
func SandboxMain() {
	if len(os.Args) != 3 || os.Args[1] != confineMarker {
		return
	}
	runtime.LockOSThread() // what follows holds for one thread, and that one becomes the program
	// A collector at work would want memory when there is no more: none begins,
	// and what has begun is ended.
	debug.SetGCPercent(-1)
	runtime.GC()
	err := become(os.Args[2])
	fmt.Fprintln(os.Stderr, confineFailed+err.Error())
	os.Exit(confineExit)
}

// become confines the thread and replaces the process. It returns only errors.
func become(rules string) error {
	var c confinement
	if err := json.Unmarshal([]byte(rules), &c); err != nil {
		return fmt.Errorf("read the rules: %w", err)
	}
	argv := append([]string{c.Program}, c.Args...)
	if err := restrict(c); err != nil {
		return err
	}
	if err := limitResources(c); err != nil {
		return err
	}
	return fmt.Errorf("execute %s: %w", c.Program, boundAndExec(c.Program, argv, c.MemoryBytes))
}

// limitResources sets hard limits, but for that on memory: with it this
// process itself, whose runtime reserves more than it uses, may fail at any
// allocation, so it is set with the last step (see boundAndExec).
func limitResources(c confinement) error {
	for _, limit := range []struct {
		name     string
		resource int
		soft     uint64
		hard     uint64
	}{
		{"core size", syscall.RLIMIT_CORE, 0, 0},
		{"file size", syscall.RLIMIT_FSIZE, 0, 0},
		{"open files", syscall.RLIMIT_NOFILE, maxFiles, maxFiles},
		{"processor time", syscall.RLIMIT_CPU, c.CPUSeconds, c.CPUSeconds + 1},
	} {
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
