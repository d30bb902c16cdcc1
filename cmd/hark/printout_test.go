package main

import (
	"os"
	"testing"
	"time"
)

// testFullDisk has commands print to a disk that is full: none ends as if all
// had been said.
func testFullDisk(t *testing.T, c *commands) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("no /dev/full here: ", err)
	}
	defer full.Close()
	for _, tc := range []struct {
		code int
		args []string
	}{
		{2, []string{"search", "harbour"}},
		{2, []string{"search", "--json", "harbour"}},
		{1, []string{"token", "create"}},
		{1, []string{"token", "list"}},
		{1, []string{"user", "sign-in"}},
		{1, []string{"user", "list", "--json"}},
		{1, []string{"models", "list"}},
		{1, []string{"jobs"}},
		{1, []string{"send", "-c", "General", "--no-wait", c.tone(t, "full.wav", 1400)}},
		{1, []string{"version"}},
	} {
		cmd := c.command(within(t, time.Minute), tc.args...)
		cmd.Stdout = full
		if got := finish(t, cmd).want(t, tc.code, "no space left on device"); t.Failed() {
			t.Fatalf("%v: %+v", tc.args, got)
		}
	}
}
