package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"hark/cmd/hark/bench"
)

// sentence is a recorded telephone prompt: real speech that Debian packages.
type sentence struct {
	name, text string
}

var (
	longSentence  = sentence{"demo-nogo", "I am afraid I was unable to create a connection to the Digium demonstration Asterisk server. You may find some helpful debugging information on the Asterisk console."}
	shortSentence = sentence{"tt-weasels", "Weasels have eaten our phone system."}
)

// wav converts the prompt to WAV, 16 kHz mono, below dir.
func (s sentence) wav(t *testing.T, dir string) string {
	t.Helper()
	needCommand(t, "ffmpeg")
	source := filepath.Join(bench.PromptSounds, s.name+".g722")
	_, err := os.Stat(source)
	need(t, err != nil, "%s is missing; 'make setup-test' installs it", source)
	out := filepath.Join(dir, s.name+".wav")
	command(t, "ffmpeg", "-nostdin", "-v", "error", "-y", "-f", "g722", "-i", source, out)
	return out
}

func command(t *testing.T, name string, args ...string) {
	t.Helper()
	needCommand(t, name)
	if out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
}
