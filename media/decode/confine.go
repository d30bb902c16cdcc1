package decode

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
)

// child is a program to run confined.
type child struct {
	program string
	args    []string
	stdin   *os.File // the one file it may read; it may open it again
	stderr  io.Writer
}

// isolation remembers whether this machine lets a child have namespaces of its
// own. The zero value is to try.
type isolation struct {
	mu     sync.Mutex
	denied bool
}

// runConfined runs c and calls read with its standard output. It ends when the
// child has ended and is collected; the child is killed, with all its threads,
// when ctx ends or read does not read to the end. It returns read's error, or
// else the child's.
func (d *Decoder) runConfined(ctx context.Context, c child, read func(io.Reader) error) error {
	d.noted.Do(func() { d.noteMissing(ctx) })
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd, stdout, err := d.startConfined(ctx, c)
	if err != nil {
		return fmt.Errorf("start confined child: %w", err)
	}
	readErr := read(stdout)
	if readErr != nil {
		cancel()
	}
	return errors.Join(readErr, cmd.Wait())
}

// startConfined starts c in namespaces of its own where that is allowed, and
// without them elsewhere: they are a second wall behind the first.
func (d *Decoder) startConfined(ctx context.Context, c child) (*exec.Cmd, io.Reader, error) {
	d.isolated.mu.Lock()
	isolate := !d.isolated.denied
	d.isolated.mu.Unlock()
	cmd, stdout, err := d.start(ctx, c, isolate)
	if err == nil || !isolate || !namespacesDenied(err) {
		return cmd, stdout, err
	}
	d.log.InfoContext(ctx, "decoder children get no namespaces of their own on this machine", "cause", err)
	d.isolated.mu.Lock()
	d.isolated.denied = true
	d.isolated.mu.Unlock()
	return d.start(ctx, c, false)
}

func (d *Decoder) start(ctx context.Context, c child, isolate bool) (*exec.Cmd, io.Reader, error) {
	rules, err := json.Marshal(confinement{
		Program: c.program, Args: c.args, MemoryBytes: uint64(d.cfg.MemoryBytes), CPUSeconds: uint64(d.cfg.Timeout.Seconds()) + 1,
	})
	if err != nil {
		return nil, nil, err
	}
	self, err := selfPath()
	if err != nil {
		return nil, nil, err
	}
	cmd := exec.CommandContext(ctx, self, confineMarker, string(rules))
	cmd.Args[0] = "hark"
	cmd.Env = []string{}
	if libs, ok := os.LookupEnv("LD_LIBRARY_PATH"); ok { // for our own libraries; the program does not get it
		cmd.Env = append(cmd.Env, "LD_LIBRARY_PATH="+libs)
	}
	cmd.Stdin, cmd.Stderr = c.stdin, c.stderr
	cmd.WaitDelay = killWait
	cmd.SysProcAttr = processAttributes(isolate)
	cmd.Cancel = func() error { return killGroup(cmd.Process) }
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, nil, err
	}
	return cmd, stdout, nil
}
