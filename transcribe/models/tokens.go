package models

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
)

// Moonshine's vocabulary: that of Llama, and control tokens up to a round number.
const (
	llamaTokens     = 32000
	moonshineTokens = 32768
	maxScript       = 8 << 20 // bytes of llama-tokenizer.js; the real one has 0.7 MB
)

// moonshineVocabulary makes a tokens.txt (lines of "BASE64 ID", the bytes of a
// token and its number) from the source of npm's llama-tokenizer-js.
func moonshineVocabulary(script []byte) ([]byte, error) {
	tokens, err := llamaVocabulary(script)
	if err != nil {
		return nil, fmt.Errorf("read the tokenizer's vocabulary: %w", err)
	}
	if len(tokens) != llamaTokens {
		return nil, fmt.Errorf("read the tokenizer's vocabulary: it has %d tokens, want %d", len(tokens), llamaTokens)
	}
	for n := range moonshineTokens - llamaTokens {
		tokens = append(tokens, fmt.Appendf(nil, "<<ST_%d>>", n))
	}
	var file []byte
	for id, token := range tokens {
		file = base64.StdEncoding.AppendEncode(file, token)
		file = append(file, ' ')
		file = strconv.AppendInt(file, int64(id), 10)
		file = append(file, '\n')
	}
	return file, nil
}

// llamaVocabulary finds the vocabulary in the script: a constant with the
// tokens, one a line, in base64. A token is spelt <0xNN> where it is a byte
// of its own, and has U+2581 for a space.
func llamaVocabulary(script []byte) ([][]byte, error) {
	if len(script) > maxScript {
		return nil, fmt.Errorf("script has %d bytes, more than %d", len(script), maxScript)
	}
	_, rest, ok := bytes.Cut(script, []byte(`llama_vocab_base64 = "`))
	if !ok {
		return nil, errors.New("script has no llama_vocab_base64")
	}
	coded, _, ok := bytes.Cut(rest, []byte(`"`))
	if !ok {
		return nil, errors.New("llama_vocab_base64 does not end")
	}
	list, err := base64.StdEncoding.AppendDecode(nil, coded)
	if err != nil {
		return nil, fmt.Errorf("llama_vocab_base64: %w", err)
	}
	tokens := bytes.Split(list, []byte("\n"))
	for i, token := range tokens {
		if b, ok := byteToken(token); ok {
			tokens[i] = []byte{b}
		} else {
			tokens[i] = bytes.ReplaceAll(token, []byte("\u2581"), []byte(" "))
		}
	}
	return tokens, nil
}

func byteToken(token []byte) (byte, bool) {
	digits, ok := bytes.CutPrefix(token, []byte("<0x"))
	if !ok || len(digits) != 3 || digits[2] != '>' {
		return 0, false
	}
	var b [1]byte
	if _, err := hex.Decode(b[:], digits[:2]); err != nil {
		return 0, false
	}
	return b[0], true
}
