// Package strictjson reads JSON (RFC 8259) that every reader reads alike, and
// refuses the rest: one value and nothing behind it, UTF-8, no key twice in an
// object at any depth, no NUL, no half of a surrogate pair, no number that
// overflows, and nothing nested deeper than [MaxDepth].
//
// encoding/json takes the last of two keys and matches keys without regard to
// case, so that what was checked need not be what is kept. Callers of
// [Unmarshal] therefore check keys by their exact names too: huma does with
// its strict casing, and [Object] gives the keys as they came.
//
// Work and memory are bounded by the size of the input, which callers bound.
package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"
)

// MaxDepth is how deep arrays and objects may be nested.
const MaxDepth = 32

var (
	errEncoding = errors.New("is not UTF-8")
	errDepth    = fmt.Errorf("is nested more than %d deep", MaxDepth)
	errNumber   = errors.New("holds a number that is too great")
	errTrailing = errors.New("goes on behind its end")
)

// Unmarshal is json.Unmarshal for strict JSON. Its errors may be shown to who
// sent the text.
func Unmarshal(data []byte, v any) error {
	if err := check(data); err != nil {
		return err
	}
	return json.Unmarshal(data, v)
}

// Object reads strict JSON that must be an object, into its members by their
// names.
func Object(data []byte) (map[string]json.RawMessage, error) {
	var members map[string]json.RawMessage
	if err := Unmarshal(data, &members); err != nil {
		return nil, err
	}
	if members == nil {
		return nil, errors.New("is null, and must be an object")
	}
	return members, nil
}

// check reports what keeps data from being strict JSON.
func check(data []byte) error {
	if !utf8.Valid(data) {
		return errEncoding
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var open nesting
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return io.ErrUnexpectedEOF
		}
		if err != nil {
			return err
		}
		if err := open.take(token); err != nil {
			return err
		}
		if len(open) == 0 { // the value is whole
			if len(bytes.TrimLeft(data[dec.InputOffset():], " \t\r\n")) > 0 {
				return errTrailing
			}
			return checkEscapes(data)
		}
	}
}

// nesting are the arrays and objects that are open, the innermost last.
type nesting []level

type level struct {
	keys map[string]bool // nil for an array
	key  bool            // whether the next token is a key, or the object's end
}

// take follows one token.
func (n *nesting) take(token json.Token) error {
	if token == json.Delim('}') || token == json.Delim(']') {
		*n = (*n)[:len(*n)-1]
		return nil
	}
	if len(*n) > 0 {
		inner := &(*n)[len(*n)-1]
		if inner.key {
			return inner.name(token)
		}
		inner.key = inner.keys != nil
	}
	switch token := token.(type) {
	case json.Delim:
		if len(*n) == MaxDepth {
			return errDepth
		}
		opened := level{}
		if token == '{' {
			opened = level{keys: map[string]bool{}, key: true}
		}
		*n = append(*n, opened)
	case json.Number:
		if _, err := strconv.ParseFloat(token.String(), 64); err != nil {
			return errNumber
		}
	}
	return nil
}

// name takes the key of a member.
func (l *level) name(token json.Token) error {
	key, ok := token.(string)
	if !ok {
		return fmt.Errorf("has %v where a key must be", token)
	}
	if l.keys[key] {
		return fmt.Errorf("has the key %.100q twice", key)
	}
	l.keys[key] = true
	l.key = false
	return nil
}
