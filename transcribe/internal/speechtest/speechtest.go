// Package speechtest has speech and models for the tests of recognisers.
package speechtest

import (
	"encoding/binary"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Missing fails in CI, where everything must be there, and skips elsewhere.
func Missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(what)
	}
	t.Skip(what)
}

// Models is the folder of models that HARK_MODELS names.
func Models(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("HARK_MODELS")
	if dir == "" {
		Missing(t, "HARK_MODELS does not name a folder with models")
	}
	return dir
}

// Prompt is a telephone prompt that Debian's asterisk-core-sounds-en-g722
// installs (CC BY-SA), decoded.
func Prompt(t testing.TB, name string) []float32 {
	t.Helper()
	path := filepath.Join("/usr/share/asterisk/sounds/en", name+".g722")
	if _, err := os.Stat(path); err != nil {
		Missing(t, "asterisk-core-sounds-en-g722 is not installed")
	}
	return Decode(t, "-f", "g722", "-i", path)
}

// Decode is what ffmpeg makes of an input that its arguments name: mono, 16 kHz.
func Decode(t testing.TB, input ...string) []float32 {
	t.Helper()
	ffmpeg, err := exec.LookPath("ffmpeg")
	if err != nil {
		Missing(t, "ffmpeg is not installed")
	}
	args := append([]string{"-v", "error", "-nostdin"}, input...)
	pcm, err := exec.CommandContext(t.Context(), ffmpeg, append(args, "-f", "f32le", "-ac", "1", "-ar", "16000", "-")...).Output()
	if err != nil {
		t.Fatal(err)
	}
	samples := make([]float32, len(pcm)/4)
	for i := range samples {
		samples[i] = math.Float32frombits(binary.LittleEndian.Uint32(pcm[4*i:]))
	}
	return samples
}

// Melody is a tune at so many seconds from its start: sound that nobody speaks.
func Melody(seconds float64) float64 {
	scale := []float64{261.6, 293.7, 329.6, 392, 440, 392, 329.6, 293.7}
	note := scale[int(seconds*3)%len(scale)]
	sum := 0.0
	for h := 1.0; h <= 5; h++ {
		sum += math.Sin(2*math.Pi*note*h*seconds) / h
	}
	return 0.3 * sum * (1 - math.Mod(seconds*3, 1))
}
