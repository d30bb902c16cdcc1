package moonshine

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Limits of a vocabulary file; the real ones have 32,768 tokens in half a megabyte.
const (
	maxVocabulary     = 1 << 20
	maxVocabularySize = 32 << 20 // bytes
)

// Tokens with a meaning of their own, in every Moonshine model.
const (
	tokenStart = 1 // fed to the decoder first
	tokenEnd   = 2 // said by the decoder last
)

// vocabulary gives the bytes of every token by its id. Tokens that are not
// text (control tokens) have none.
type vocabulary [][]byte

// readVocabulary reads a vocabulary file from disk.
func readVocabulary(path string) (vocabulary, error) {
	file, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	vocab, err := parseVocabulary(file)
	if err != nil {
		return nil, fmt.Errorf("read vocabulary %s: %w", path, err)
	}
	return vocab, nil
}

// parseVocabulary reads a vocabulary file: lines of "BASE64 ID", the bytes of
// a token and its number, each number from 0 up exactly once.
func parseVocabulary(file []byte) (vocabulary, error) {
	if len(file) > maxVocabularySize {
		return nil, fmt.Errorf("file has %d bytes, more than %d", len(file), maxVocabularySize)
	}
	lines := bytes.Count(file, []byte("\n")) + 1
	if lines > maxVocabulary {
		return nil, fmt.Errorf("file has %d lines, more than %d", lines, maxVocabulary)
	}
	vocab := make(vocabulary, 0, lines)
	seen := make([]bool, lines)
	number := 0
	for line := range bytes.Lines(file) {
		number++
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			continue
		}
		text, id, err := parseToken(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		if id >= lines || seen[id] {
			return nil, fmt.Errorf("line %d: token %d is out of order or a duplicate", number, id)
		}
		seen[id] = true
		for len(vocab) <= id {
			vocab = append(vocab, nil)
		}
		vocab[id] = text
	}
	for id := range vocab {
		if !seen[id] {
			return nil, fmt.Errorf("token %d is missing", id)
		}
	}
	return vocab, nil
}

// parseToken reads one line; the text of a control token is nil.
func parseToken(line []byte) (text []byte, id int, err error) {
	coded, number, ok := bytes.Cut(line, []byte(" "))
	if !ok {
		return nil, 0, fmt.Errorf("want a token in base64, a space and its number")
	}
	id, err = strconv.Atoi(string(number))
	if err != nil || id < 0 {
		return nil, 0, fmt.Errorf("token number %q is not a number from 0 up", number)
	}
	text, err = base64.StdEncoding.DecodeString(string(coded))
	if err != nil {
		return nil, 0, fmt.Errorf("token %d is not base64: %w", id, err)
	}
	if isControl(string(text)) {
		return nil, id, nil
	}
	return text, id, nil
}

// isControl says whether a token stands for something that is not text.
func isControl(text string) bool {
	switch text {
	case "<unk>", "<s>", "</s>":
		return true
	}
	return strings.HasPrefix(text, "<<ST_") && strings.HasSuffix(text, ">>")
}
