package strictjson

import (
	"bytes"
	"errors"
	"strconv"
	"unicode/utf16"
)

var (
	errNUL       = errors.New("holds a NUL")
	errSurrogate = errors.New("holds half of a surrogate pair")
)

// escapeLen is the length of an escape such as \u0041, in bytes.
const escapeLen = 6

// checkEscapes looks at the escapes of a text that is JSON, where backslashes
// stand in strings alone.
func checkEscapes(data []byte) error {
	for {
		at := bytes.IndexByte(data, '\\')
		if at < 0 {
			return nil
		}
		data = data[at:]
		unit, escaped := codeUnit(data)
		switch {
		case !escaped:
			data = data[2:]
			continue
		case unit == 0:
			return errNUL
		case utf16.IsSurrogate(unit):
			low, followed := codeUnit(data[escapeLen:])
			if !followed || utf16.DecodeRune(unit, low) == '\uFFFD' {
				return errSurrogate
			}
			data = data[escapeLen:]
		}
		data = data[escapeLen:]
	}
}

// codeUnit is the UTF-16 code unit that an escape at the head of data names,
// if there is one.
func codeUnit(data []byte) (rune, bool) {
	if len(data) < escapeLen || data[0] != '\\' || data[1] != 'u' {
		return 0, false
	}
	unit, err := strconv.ParseUint(string(data[2:escapeLen]), 16, 16)
	return rune(unit), err == nil
}
