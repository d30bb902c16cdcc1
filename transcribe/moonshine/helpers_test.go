package moonshine

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	// The library of ONNX Runtime comes with it, as it does in the program.
	_ "github.com/k2-fsa/sherpa-onnx-go/sherpa_onnx"

	"hark/transcribe/internal/speechtest"
)

// config locates a model in the folder that HARK_MODELS names.
func config(tb testing.TB, model string) Config {
	tb.Helper()
	dir := filepath.Join(speechtest.Models(tb), model)
	if _, err := os.Stat(dir); err != nil {
		speechtest.Missing(tb, "no model: "+err.Error())
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
