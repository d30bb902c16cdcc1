package moonshine

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// field is one field of a protobuf message, pointing into it.
type field struct {
	num    protowire.Number
	typ    protowire.Type
	varint uint64 // of a varint
	value  []byte // of a string, bytes or message
	raw    []byte // all of it, tag included

	start, end int // where raw stands in the message
}

// isMessage says whether the field has the number and a length.
func (f field) isMessage(num protowire.Number) bool {
	return f.num == num && f.typ == protowire.BytesType
}

// each calls do for every field of a message in order, until it fails.
func each(message []byte, do func(field) error) error {
	for at := 0; at < len(message); {
		num, typ, tag := protowire.ConsumeTag(message[at:])
		if tag < 0 {
			return protowire.ParseError(tag)
		}
		size := protowire.ConsumeFieldValue(num, typ, message[at+tag:])
		if size < 0 {
			return protowire.ParseError(size)
		}
		f := field{num: num, typ: typ, start: at, end: at + tag + size}
		f.raw = message[f.start:f.end]
		switch typ {
		case protowire.VarintType:
			f.varint, _ = protowire.ConsumeVarint(f.raw[tag:])
		case protowire.BytesType:
			f.value, _ = protowire.ConsumeBytes(f.raw[tag:])
		}
		if err := do(f); err != nil {
			return err
		}
		at = f.end
	}
	return nil
}

// first returns the bytes of the first field with a number, nil when there is
// none.
func first(message []byte, num protowire.Number) ([]byte, error) {
	var value []byte
	err := each(message, func(f field) error {
		if value == nil && f.isMessage(num) {
			value = f.value
		}
		return nil
	})
	return value, err
}

// only returns the one field with a number, or an error when there are none or more.
func only(message []byte, num protowire.Number) (field, error) {
	var found field
	var n int
	err := each(message, func(f field) error {
		if f.isMessage(num) {
			found = f
			n++
		}
		return nil
	})
	if err == nil && n != 1 {
		err = fmt.Errorf("field %d is there %d times, want once", num, n)
	}
	return found, err
}

// rewrite copies a message; do appends to the copy what a field becomes.
func rewrite(message []byte, do func(out []byte, f field) ([]byte, error)) ([]byte, error) {
	out := make([]byte, 0, len(message)+1<<12)
	err := each(message, func(f field) (err error) {
		out, err = do(out, f)
		return err
	})
	return out, err
}

// without appends a message to out, leaving fields out that stand in it in order.
func without(out, message []byte, fields ...field) []byte {
	at := 0
	for _, f := range fields {
		out = append(out, message[at:f.start]...)
		at = f.end
	}
	return append(out, message[at:]...)
}

// appendMessage appends a field that is a message, a string or bytes.
func appendMessage[T string | []byte](out []byte, num protowire.Number, value T) []byte {
	out = protowire.AppendTag(out, num, protowire.BytesType)
	out = protowire.AppendVarint(out, uint64(len(value)))
	return append(out, value...)
}

// appendInt appends a field that is an integer.
func appendInt(out []byte, num protowire.Number, value uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(out, num, protowire.VarintType), value)
}
