package main

import (
	"io"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// testTerminal runs commands on a terminal, on a dumb one, and beside one.
func testTerminal(t *testing.T, c *commands) {
	const bold = "\x1b[1mharbour\x1b[0m"
	for name, mode := range map[string]struct {
		env         []string
		bold, drawn bool
	}{
		"a terminal": {nil, true, true},
		"no colour":  {[]string{"NO_COLOR=1"}, false, true},
		"a dumb one": {[]string{"TERM=dumb"}, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			out := onTerminal(t, c, mode.env, "search", "-n", "1", "harbour")
			if strings.Contains(out, bold) != mode.bold || strings.Contains(out, "[harbour]") == mode.bold {
				t.Errorf("search prints %q", out)
			}
			out = onTerminal(t, c, mode.env, "send", "-c", "General", "--again", c.tone(t, "term.wav", 1000))
			if drawn := strings.Contains(out, "\r\x1b[K") && strings.Contains(out, "100 %"); drawn != mode.drawn {
				t.Errorf("send prints %q", out)
			}
			if strings.Contains(strings.ReplaceAll(out, "\x1b[K", ""), "\x1b") {
				t.Errorf("what was said steers the terminal: %q", out)
			}
		})
	}
}

// onTerminal runs a command whose output is a terminal, and returns what that got.
func onTerminal(t *testing.T, c *commands, env []string, args ...string) string {
	t.Helper()
	terminal, program := openTerminal(t)
	cmd := c.command(within(t, time.Minute), args...)
	cmd.Env = append(cmd.Env, env...)
	cmd.Stdout, cmd.Stderr = program, program
	got := make(chan string, 1)
	go func() {
		b, _ := io.ReadAll(terminal) // ends with an error when the program's side is closed
		got <- string(b)
	}()
	finish(t, cmd)
	program.Close()
	return <-got
}

// openTerminal makes a pseudo-terminal and returns both its sides.
func openTerminal(t *testing.T) (terminal, program *os.File) {
	t.Helper()
	terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	need(t, err != nil, "no pseudo-terminals: %v", err)
	t.Cleanup(func() { terminal.Close() })
	if err := unix.IoctlSetPointerInt(int(terminal.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(terminal.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	program, err = os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|unix.O_NOCTTY, 0)
	need(t, err != nil, "no pseudo-terminals: %v", err)
	return terminal, program
}

func TestAgo(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Minute: "just now", 0: "just now", 11 * time.Second: "11 seconds ago", time.Minute: "1 minute ago",
		125 * time.Second: "2 minutes ago", time.Hour: "1 hour ago", 47 * time.Hour: "47 hours ago", 50 * time.Hour: "2 days ago",
	} {
		if got := ago(d); got != want {
			t.Errorf("%s: %q, want %q", d, got, want)
		}
	}
}
