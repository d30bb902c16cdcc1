// Package instance runs a Hark of its own process over its own data folder, for
// measurements and end-to-end tests.
package instance

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"hark/cmd/hark/client"
)

// Instance is a Hark of its own process, over its own data folder, that the
// benchmarks and the end-to-end tests use as a person would: over HTTP.
type Instance struct {
	URL   string // base address
	Token string // the owner's
	Cmd   *exec.Cmd
	Log   string // file that holds its log
}

// Config says how to start an [instance].
type Config struct {
	Binary string   // the hark to run
	Data   string   // its data folder, kept when it ends
	Env    []string // more settings, as KEY=value
	Wrap   []string // a command to run it under, such as strace; empty for none

	Unready bool // do not wait until it is ready, only until it answers
}

// instanceToken is the owner's token of every instance. An instance listens on
// loopback only and lives as long as a measurement.
const instanceToken = "instance-of-a-measurement" //nolint:gosec // guards nothing

// Start starts hark and waits until it is ready. ctx ending kills it.
func Start(ctx context.Context, c Config) (*Instance, error) {
	log, err := os.OpenFile(filepath.Join(c.Data, "serve.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	args := append(append([]string{}, c.Wrap...), c.Binary, "serve")
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = append(os.Environ(), "HARK_DATA="+c.Data, "HARK_ADDR=127.0.0.1:0", "HARK_PUBLIC_URL=", "HARK_BOOTSTRAP_TOKEN="+instanceToken,
		"HARK_WEBRTC_UDP=127.0.0.1:0", "HARK_WEBRTC_TCP=off")
	cmd.Env = append(cmd.Env, c.Env...)
	cmd.Stderr = log
	// Its own group, so that a signal reaches everything it started.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", c.Binary, err)
	}
	i := &Instance{Cmd: cmd, Token: instanceToken, Log: log.Name()}
	if err := i.awaitAddress(stdout); err != nil {
		i.Kill()
		return nil, fmt.Errorf("%w; its log is %s", err, i.Log)
	}
	if c.Unready {
		return i, nil
	}
	if err := i.AwaitReady(ctx); err != nil {
		i.Kill()
		return nil, fmt.Errorf("%w; its log is %s", err, i.Log)
	}
	return i, nil
}

// awaitAddress reads the address from what the server prints when it starts.
func (i *Instance) awaitAddress(stdout io.Reader) error {
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		if _, after, found := strings.Cut(lines.Text(), "Hark is at"); found {
			i.URL = strings.TrimSpace(after)
			go func() { _, _ = io.Copy(io.Discard, stdout) }() // ends with the process
			return nil
		}
	}
	return errors.New("hark ended before it was ready")
}

// AwaitReady waits until /readyz says that all is well, a minute at the most.
func (i *Instance) AwaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, i.URL+"/readyz", nil)
		if err != nil {
			return err
		}
		resp, err := http.DefaultClient.Do(req)
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return errors.New("hark did not become ready within a minute")
		case <-tick.C:
		}
	}
}

// Kill ends the process and all it started at once, as a power cut would, and
// waits for its end.
func (i *Instance) Kill() {
	_ = syscall.Kill(-i.Cmd.Process.Pid, syscall.SIGKILL)
	_ = i.Cmd.Wait()
}

// Stop asks the process to end and waits for it.
func (i *Instance) Stop() error {
	if err := i.Cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return i.Cmd.Wait()
}

// Client speaks to the instance as its owner.
func (i *Instance) Client() (*client.Client, error) {
	return client.New(i.URL, i.Token)
}
