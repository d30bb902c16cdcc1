package render

import (
	"bytes"
	"encoding/binary"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"hark/media"
)

// needTool finds a program: without it the test fails in CI and is skipped elsewhere.
func needTool(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		missing(t, "%s is not installed", name)
	}
	return path
}

func missing(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

// prompt returns human speech from Debian's asterisk-core-sounds-en-g722.
func prompt(t testing.TB, name string) []float32 {
	t.Helper()
	ffmpeg := needTool(t, "ffmpeg")
	path := filepath.Join("/usr/share/asterisk/sounds/en_US_f_Allison", name+".g722")
	if _, err := os.Stat(path); err != nil {
		missing(t, "asterisk-core-sounds-en-g722 is not installed: %v", err)
	}
	return fromF32(output(t, nil, ffmpeg, "-v", "error", "-f", "g722", "-i", path, "-ac", "1", "-ar", "16000", "-f", "f32le", "-"))
}

// spoken returns a synthetic voice.
func spoken(t testing.TB, words string) []float32 {
	t.Helper()
	wav := output(t, nil, needTool(t, "espeak-ng"), "--stdout", words)
	return fromF32(output(t, wav, needTool(t, "ffmpeg"), "-v", "error", "-i", "-", "-ac", "1", "-ar", "16000", "-f", "f32le", "-"))
}

// output runs a program and returns what it prints.
func output(t testing.TB, stdin []byte, name string, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Stdin = bytes.NewReader(stdin)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %q: %v: %s", name, args, err, stderr.String())
	}
	return out
}

// reference is what ffmpeg's ebur128 filter says of p.
func reference(t testing.TB, p []float32) (lufs, dbtp float64) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), needTool(t, "ffmpeg"), "-hide_banner", "-nostats",
		"-f", "f32le", "-ar", "16000", "-ac", "1", "-i", "-", "-af", "ebur128=peak=true:framelog=verbose", "-f", "null", "-")
	cmd.Stdin = bytes.NewReader(toF32(p))
	said, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("ebur128: %v: %s", err, said)
	}
	return number(t, said, `I:\s+(\S+) LUFS`), number(t, said, `Peak:\s+(\S+) dBFS`)
}

// number reads the first group of pattern in text.
func number(t testing.TB, text []byte, pattern string) float64 {
	t.Helper()
	m := regexp.MustCompile(pattern).FindSubmatch(text)
	if m == nil {
		t.Fatalf("no %s in %s", pattern, text)
	}
	v, err := strconv.ParseFloat(string(m[1]), 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func toF32(p []float32) []byte {
	var b []byte
	for _, x := range p {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	return b
}

func fromF32(b []byte) []float32 {
	p := make([]float32, len(b)/4)
	for i := range p {
		p[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return p
}

// spoolOf returns a complete spool.
func spoolOf(t testing.TB, p []float32) *media.Spool {
	t.Helper()
	return stereoSpoolOf(t, p, nil)
}

// stereoSpoolOf returns a complete spool of two channels; of one where right is
// nil.
func stereoSpoolOf(t testing.TB, left, right []float32) *media.Spool {
	t.Helper()
	spool, err := media.NewSpool(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = spool.Close() })
	if err := spool.Write(left, right); err != nil {
		t.Fatal(err)
	}
	if err := spool.CloseWrite(nil); err != nil {
		t.Fatal(err)
	}
	return spool
}

// pieces is a source that hands out samples a few at a time, unevenly.
type pieces struct {
	rest []float32
	rng  *rand.Rand
}

func inPieces(p []float32) *pieces { return &pieces{p, rand.New(rand.NewPCG(1, 2))} }

func (s *pieces) ReadSamples(p []float32) (int, error) {
	if len(s.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p[:1+s.rng.IntN(min(len(p), 3000))], s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

func sine(hz, amplitude, seconds float64) []float32 {
	p := make([]float32, int(seconds*media.SampleRate))
	for i := range p {
		p[i] = float32(amplitude * math.Sin(2*math.Pi*hz*float64(i)/media.SampleRate))
	}
	return p
}

func noise(amplitude, seconds float64) []float32 {
	rng := rand.New(rand.NewPCG(3, 4))
	p := make([]float32, int(seconds*media.SampleRate))
	for i := range p {
		p[i] = float32(amplitude * (2*rng.Float64() - 1))
	}
	return p
}

// scaled returns p times a factor, clipped to -1..1 as a converter would.
func scaled(p []float32, by float64) []float32 {
	out := make([]float32, len(p))
	for i, x := range p {
		out[i] = float32(max(-1, min(1, by*float64(x))))
	}
	return out
}

func joined(parts ...[]float32) (all []float32) {
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}
