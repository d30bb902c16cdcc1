package main

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
)

// instance is a Hark of its own process, over its own data folder, that the
// benchmarks and the end-to-end tests use as a person would: over HTTP.
type instance struct {
	url   string // base address
	token string // the owner's
	cmd   *exec.Cmd
	log   string // file that holds its log
}

// instanceConfig says how to start an [instance].
type instanceConfig struct {
	binary string   // the hark to run
	data   string   // its data folder, kept when it ends
	env    []string // more settings, as KEY=value
	wrap   []string // a command to run it under, such as strace; empty for none

	unready bool // do not wait until it is ready, only until it answers
}

// instanceToken is the owner's token of every instance. An instance listens on
// loopback only and lives as long as a measurement.
const instanceToken = "instance-of-a-measurement" //nolint:gosec // guards nothing

// startInstance starts hark and waits until it is ready. ctx ending kills it.
func startInstance(ctx context.Context, c instanceConfig) (*instance, error) {
	log, err := os.OpenFile(filepath.Join(c.data, "serve.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	args := append(append([]string{}, c.wrap...), c.binary, "serve")
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = append(os.Environ(), "HARK_DATA="+c.data, "HARK_ADDR=127.0.0.1:0", "HARK_PUBLIC_URL=", "HARK_BOOTSTRAP_TOKEN="+instanceToken,
		"HARK_WEBRTC_UDP=127.0.0.1:0", "HARK_WEBRTC_TCP=off")
	cmd.Env = append(cmd.Env, c.env...)
	cmd.Stderr = log
	// Its own group, so that a signal reaches everything it started.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", c.binary, err)
	}
	i := &instance{cmd: cmd, token: instanceToken, log: log.Name()}
	if err := i.awaitAddress(stdout); err != nil {
		i.kill()
		return nil, fmt.Errorf("%w; its log is %s", err, i.log)
	}
	if c.unready {
		return i, nil
	}
	if err := i.awaitReady(ctx); err != nil {
		i.kill()
		return nil, fmt.Errorf("%w; its log is %s", err, i.log)
	}
	return i, nil
}

// awaitAddress reads the address from what the server prints when it starts.
func (i *instance) awaitAddress(stdout io.Reader) error {
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		if _, after, found := strings.Cut(lines.Text(), "Hark is at"); found {
			i.url = strings.TrimSpace(after)
			go func() { _, _ = io.Copy(io.Discard, stdout) }() // ends with the process
			return nil
		}
	}
	return errors.New("hark ended before it was ready")
}

func (i *instance) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, i.url+"/readyz", nil)
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

// kill ends the process and all it started at once, as a power cut would, and
// waits for its end.
func (i *instance) kill() {
	_ = syscall.Kill(-i.cmd.Process.Pid, syscall.SIGKILL)
	_ = i.cmd.Wait()
}

// stop asks the process to end and waits for it.
func (i *instance) stop() error {
	if err := i.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return i.cmd.Wait()
}

func (i *instance) client() (*client, error) {
	return ClientConfig{URL: i.url, Token: secret(i.token)}.open()
}
