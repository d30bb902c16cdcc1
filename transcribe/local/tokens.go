package local

import (
	"math"
	"strings"

	sherpa "github.com/k2-fsa/sherpa-onnx-go/sherpa_onnx"

	"hark/media/transcript"
	"hark/transcribe/lang"
)

// tokenWords joins the tokens of a result to words. A token that begins with
// a space begins a word, as does each character of a script that is written
// without spaces. Words of a result without token times share the length of
// the sound by their letters.
func tokenWords(result *sherpa.OfflineRecognizerResult, lengthMS int64) []transcript.Word {
	if len(result.Timestamps) != len(result.Tokens) || len(result.Tokens) == 0 {
		return spreadWords(strings.Fields(result.Text), lengthMS)
	}
	var words []transcript.Word
	var sure, tokens float64
	parted := false // a token of nothing but a space stood in front
	for i, token := range result.Tokens {
		text := strings.ReplaceAll(token, "\u2581", " ")
		word := strings.TrimSpace(text)
		if word == "" || isControl(word) {
			parted = parted || text != ""
			continue
		}
		start := clampMS(result.Timestamps[i], lengthMS)
		end := lengthMS
		if len(result.Durations) == len(result.Tokens) {
			end = clampMS(result.Timestamps[i]+result.Durations[i], lengthMS)
		} else if i+1 < len(result.Tokens) {
			end = clampMS(result.Timestamps[i+1], lengthMS)
		}
		if len(words) == 0 || parted || text[0] == ' ' || lang.IsUnspaced(word) {
			words = append(words, transcript.Word{StartMS: start})
			sure, tokens, parted = 0, 0, false
		}
		w := &words[len(words)-1]
		w.Text += word
		w.EndMS = max(end, w.StartMS)
		if len(result.YsLogProbs) == len(result.Tokens) {
			sure, tokens = sure+float64(result.YsLogProbs[i]), tokens+1
			w.Confidence = math.Exp(min(sure/tokens, 0))
		}
	}
	return words
}

func spreadWords(texts []string, lengthMS int64) []transcript.Word {
	var total, at int64
	for _, t := range texts {
		total += int64(len(t)) + 1
	}
	words := make([]transcript.Word, len(texts))
	for i, t := range texts {
		next := at + int64(len(t)) + 1
		words[i] = transcript.Word{Text: t, StartMS: lengthMS * at / total, EndMS: lengthMS * next / total}
		at = next
	}
	return words
}

// isControl says whether a token stands for something that is not said.
func isControl(token string) bool {
	return strings.HasPrefix(token, "<|") || token == "<unk>" || token == "<blk>"
}

func clampMS(seconds float32, lengthMS int64) int64 {
	return min(max(int64(math.Round(float64(seconds)*1000)), 0), lengthMS)
}

// plainLanguage is a language without the marks that SenseVoice puts around it: "<|en|>" is "en".
func plainLanguage(language string) string {
	return strings.TrimSuffix(strings.TrimPrefix(language, "<|"), "|>")
}
