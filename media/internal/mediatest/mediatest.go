// Package mediatest makes clips for tests with the tools of the machine.
package mediatest

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Tool finds a program. Without it the test is skipped, or fails in CI.
func Tool(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		missing(t, name+" is not installed")
	}
	return path
}

func missing(t testing.TB, why string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// Speech returns the path of a few seconds of speech, a WAV file of 8 kHz mono.
func Speech(t testing.TB) string {
	t.Helper()
	for _, path := range []string{
		"/usr/share/asterisk/sounds/en/vm-instructions.wav",
		"/usr/share/asterisk/sounds/en_US_f_Allison/vm-instructions.wav",
	} {
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	missing(t, "the package asterisk-core-sounds-en-wav is not installed")
	return ""
}

// FFmpeg runs ffmpeg with args and returns the path of the clip it makes,
// which is called name.
func FFmpeg(t testing.TB, name string, args ...string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), name)
	args = append(append([]string{"-nostdin", "-v", "error", "-y"}, args...), out)
	Run(t, Tool(t, "ffmpeg"), args...)
	return out
}

// Run runs a program and fails the test when it fails.
func Run(t testing.TB, program string, args ...string) {
	t.Helper()
	if out, err := exec.CommandContext(context.Background(), program, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", program, args, err, out)
	}
}

// Read reads a whole file.
func Read(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
