// Package confine runs ffmpeg as a child process that is confined before it sees
// a foreign byte: it is treated as if its clip had taken it over.
//
// Several mechanisms are used at once, so that one that fails, or that a machine
// does not have, leaves the others: namespaces with an empty root
// (root_linux.go), Landlock (landlock_linux.go), a list of system calls
// (seccomp_linux.go), no capabilities, and limits on memory, time and threads
// (main.go). [Runner.Level] tells which of them this machine offers.
//
// The child is this binary, started again: [Main] confines the process and
// replaces it by the program.
//
// Rules for Landlock are made by go-landlock, and the filter's jumps and system
// call numbers by go-seccomp-bpf, which others review. The last two calls, which
// apply the filter and execute the program, are made here: both must hold for
// the one thread that becomes ffmpeg, and nothing may be allocated between them.
package confine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// Child is a program to run confined.
type Child struct {
	Program string // path
	Args    []string
	Stdin   *os.File  // the one file it may read; it may open it again. May be nil
	Stderr  io.Writer // may be nil

	MemoryBytes int64 // most address space; 0 means as much as is configured
}

// killWait is how long a child that was killed may keep its pipes open.
const killWait = 5 * time.Second

// isolation is the namespaces that a child is started in. The zero value is none.
type isolation struct {
	namespaces bool // processes, network, IPC and host name of its own
	user       bool // made together with a user namespace, which takes no privilege
	root       bool // a mount namespace too, with an empty root
}

// Run runs c with the best isolation that this machine offers and calls read
// with its standard output. It ends when the child has ended and is collected;
// the child is killed, with all its threads, when ctx ends or read does not
// read to the end. It returns read's error, or else the child's.
func (r *Runner) Run(ctx context.Context, c Child, read func(io.Reader) error) error {
	with, _, err := r.confine(ctx)
	if err != nil {
		return err
	}
	return r.runIsolated(ctx, with, c, false, read)
}

// runIsolated is Run with a given isolation. With check, the child does not
// become the program: it tries what it should not be able to do and prints a
// checkReport.
func (r *Runner) runIsolated(ctx context.Context, w isolation, c Child, check bool, read func(io.Reader) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd, stdout, err := r.start(ctx, w, c, check)
	if err != nil {
		return fmt.Errorf("start confined child: %w", err)
	}
	readErr := read(stdout)
	if readErr != nil {
		cancel()
	}
	return errors.Join(readErr, cmd.Wait())
}

func (r *Runner) start(ctx context.Context, w isolation, c Child, check bool) (*exec.Cmd, io.Reader, error) {
	rules, err := r.rules(w, c, check)
	if err != nil {
		return nil, nil, err
	}
	self, err := selfPath()
	if err != nil {
		return nil, nil, err
	}
	cmd := exec.CommandContext(ctx, self, marker, rules)
	cmd.Args[0] = "hark"
	cmd.Dir = "/"
	cmd.Env = []string{}
	if libs, ok := os.LookupEnv("LD_LIBRARY_PATH"); ok { // for our own libraries; the program does not get it
		cmd.Env = append(cmd.Env, "LD_LIBRARY_PATH="+libs)
	}
	cmd.Stderr = c.Stderr
	cmd.WaitDelay = killWait
	cmd.SysProcAttr = processAttributes(w)
	cmd.Cancel = func() error { return killGroup(cmd.Process) }
	if c.Stdin != nil {
		input, err := openReadOnly(c.Stdin)
		if err != nil {
			return nil, nil, fmt.Errorf("open the input for the child: %w", err)
		}
		defer input.Close()
		cmd.Stdin = input
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, nil, err
	}
	return cmd, stdout, nil
}

// rules are the child's one argument: what it is to run, and with what limits.
func (r *Runner) rules(w isolation, c Child, check bool) (string, error) {
	program, err := filepath.Abs(c.Program)
	if err != nil {
		return "", err
	}
	made, err := buildOf(program)
	if err != nil {
		return "", fmt.Errorf("find libraries of %s: %w", program, err)
	}
	memory := r.cfg.MemoryBytes
	if c.MemoryBytes > 0 {
		memory = c.MemoryBytes
	}
	rules, err := json.Marshal(confinement{
		Build: made, Args: c.Args, EmptyRoot: w.root, MaxThreads: maxThreads(w), Check: check,
		MemoryBytes: uint64(memory), CPUSeconds: uint64(r.cfg.Timeout.Seconds()) + 1,
	})
	return string(rules), err
}
