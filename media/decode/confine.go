package decode

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

// child is a program to run confined.
type child struct {
	program string // path
	args    []string
	stdin   *os.File // the one file it may read; it may open it again
	stderr  io.Writer
}

// walls are the namespaces that a child is started in. The zero value is none.
type walls struct {
	namespaces bool // processes, network, IPC and host name of its own
	user       bool // made together with a user namespace, which takes no power
	root       bool // a mount namespace too, with an empty root
}

// runConfined runs c behind the best walls of this machine and calls read with
// its standard output. It ends when the child has ended and is collected; the
// child is killed, with all its threads, when ctx ends or read does not read
// to the end. It returns read's error, or else the child's.
func (d *Decoder) runConfined(ctx context.Context, c child, read func(io.Reader) error) error {
	w, _, err := d.confine(ctx)
	if err != nil {
		return err
	}
	return d.runBehind(ctx, w, c, false, read)
}

// runBehind is runConfined behind given walls. With check, the child does not
// become the program: it tries what it should not be able to do and prints a
// checkReport.
func (d *Decoder) runBehind(ctx context.Context, w walls, c child, check bool, read func(io.Reader) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd, stdout, err := d.start(ctx, w, c, check)
	if err != nil {
		return fmt.Errorf("start confined child: %w", err)
	}
	readErr := read(stdout)
	if readErr != nil {
		cancel()
	}
	return errors.Join(readErr, cmd.Wait())
}

func (d *Decoder) start(ctx context.Context, w walls, c child, check bool) (*exec.Cmd, io.Reader, error) {
	rules, err := d.rules(w, c, check)
	if err != nil {
		return nil, nil, err
	}
	self, err := selfPath()
	if err != nil {
		return nil, nil, err
	}
	cmd := exec.CommandContext(ctx, self, confineMarker, rules)
	cmd.Args[0] = "hark"
	cmd.Dir = "/"
	cmd.Env = []string{}
	if libs, ok := os.LookupEnv("LD_LIBRARY_PATH"); ok { // for our own libraries; the program does not get it
		cmd.Env = append(cmd.Env, "LD_LIBRARY_PATH="+libs)
	}
	cmd.Stderr = c.stderr
	cmd.WaitDelay = killWait
	cmd.SysProcAttr = processAttributes(w)
	cmd.Cancel = func() error { return killGroup(cmd.Process) }
	if c.stdin != nil {
		input, err := openReadOnly(c.stdin)
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

// rules are what the child is told, as its one argument.
func (d *Decoder) rules(w walls, c child, check bool) (string, error) {
	program, err := filepath.Abs(c.program)
	if err != nil {
		return "", err
	}
	made, err := buildOf(program)
	if err != nil {
		return "", fmt.Errorf("find out what %s is made of: %w", program, err)
	}
	rules, err := json.Marshal(confinement{
		Build: made, Args: c.args, EmptyRoot: w.root, MaxThreads: maxThreads(w), Check: check,
		MemoryBytes: uint64(d.cfg.MemoryBytes), CPUSeconds: uint64(d.cfg.Timeout.Seconds()) + 1,
	})
	return string(rules), err
}
