package main

import (
	"bufio"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// The address that signs the owner in is for eyes, not for logs.
func TestSignInAddressOnTerminalsOnly(t *testing.T) {
	needCommand(t, "script")
	start := func(name string, args ...string) string {
		cmd := exec.CommandContext(within(t, time.Minute), name, args...)
		cmd.Env = []string{
			"PATH=/usr/bin:/bin", "SHELL=/bin/sh", "HARK_DATA=" + t.TempDir(), "HARK_ADDR=127.0.0.1:0", "HARK_WEBRTC_UDP=off",
			"HARK_ENGINE=openai", "HARK_OPENAI_URL=http://127.0.0.1:1",
		}
		stdout, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		defer func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}()
		var printed strings.Builder
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			fmt.Fprintln(&printed, lines.Text())
			if strings.Contains(lines.Text(), "/docs") { // the last that it prints
				break
			}
		}
		return printed.String()
	}
	if piped := start(harkBinary, "serve"); strings.Contains(piped, "code=") || !strings.Contains(piped, "hark user sign-in") {
		t.Errorf("into a pipe it prints:\n%s", piped)
	}
	if seen := start("script", "-qec", harkBinary+" serve", "/dev/null"); !strings.Contains(seen, "/sign-in?code=") {
		t.Errorf("on a terminal it prints:\n%s", seen)
	}
}
