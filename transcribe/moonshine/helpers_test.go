package moonshine

import (
	"encoding/binary"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	// The library of ONNX Runtime comes with it, as it does in the program.
	_ "github.com/k2-fsa/sherpa-onnx-go/sherpa_onnx"
)

// missing ends a test that needs what is not there: where everything must be
// there it fails.
func missing(tb testing.TB, what string) {
	tb.Helper()
	if os.Getenv("CI") != "" {
		tb.Fatalf("%s, and CI is set", what)
	}
	tb.Skip(what)
}

// config locates a model in the folder that HARK_MODELS names.
func config(tb testing.TB, model string) Config {
	tb.Helper()
	root := os.Getenv("HARK_MODELS")
	if root == "" {
		missing(tb, "HARK_MODELS names no folder of models")
	}
	dir := filepath.Join(root, model)
	if _, err := os.Stat(dir); err != nil {
		missing(tb, "no model: "+err.Error())
	}
	return Config{
		Encoder: filepath.Join(dir, "encoder_model.onnx"),
		Decoder: filepath.Join(dir, "decoder_model_merged.onnx"),
		Tokens:  filepath.Join(dir, "tokens.txt"),
	}
}

// load loads a model for the time of a test.
func load(tb testing.TB, model string) *Model {
	tb.Helper()
	m, err := Load(config(tb, model))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := m.Close(); err != nil {
			tb.Error(err)
		}
	})
	return m
}

// The prompts of Debian's asterisk-core-sounds-en-g722 that tests hear, with
// their words.
var prompts = map[string]string{
	"confbridge-lock-extended": "to lock or unlock the conference when a conference is locked only conference administrators can join",
	"demo-enterkeywords":       "please enter one or more keywords separated by star and then press the pound key",
	"queue-periodic-announce":  "all of our representatives are currently busy please stay on the line and your call will be answered by the next available representative",
	"vm-newuser":               "welcome to comedian mail first i will guide you through a short setup process",
}

// prompt decodes a prompt.
func prompt(tb testing.TB, name string) []float32 {
	tb.Helper()
	path := filepath.Join("/usr/share/asterisk/sounds/en_US_f_Allison", name+".g722")
	if _, err := os.Stat(path); err != nil {
		missing(tb, "no speech (Debian asterisk-core-sounds-en-g722): "+err.Error())
	}
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		missing(tb, "no ffmpeg: "+err.Error())
	}
	out, err := exec.CommandContext(tb.Context(), "ffmpeg", "-v", "error", "-nostdin", "-f", "g722", "-i", path, "-ac", "1", "-ar", "16000", "-f", "f32le", "-").Output()
	if err != nil {
		tb.Fatal(err)
	}
	samples := make([]float32, len(out)/4)
	for i := range samples {
		samples[i] = math.Float32frombits(binary.LittleEndian.Uint32(out[4*i:]))
	}
	return samples
}

// wordErrors counts the words that must be changed, added or dropped to make
// the heard into the said.
func wordErrors(heard, said []string) int {
	row := make([]int, len(said)+1)
	for j := range row {
		row[j] = j
	}
	for i, h := range heard {
		before := row[0]
		row[0] = i + 1
		for j, s := range said {
			change := before
			if plain(h) != s {
				change++
			}
			before = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(said)]
}

// plain is a word without case and punctuation.
func plain(word string) string {
	return strings.ToLower(strings.Trim(word, ".,;:!?\"'-"))
}
