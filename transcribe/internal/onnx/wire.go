// Package onnx reads and writes ONNX models as the protobuf messages they are,
// so that a model can be taken apart and put together again before ONNX
// Runtime loads it. It knows the few messages and fields that Hark's models
// need, and copies the rest without looking.
//
// Files are foreign bytes: a message is only ever walked through, lengths are
// checked against what is there, and nothing is allocated for what a file
// merely says.
package onnx

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// Field is one field of a protobuf message, pointing into it.
type Field struct {
	Num    protowire.Number
	Typ    protowire.Type
	Varint uint64 // of a varint
	Value  []byte // of a string, bytes or message
	Raw    []byte // all of it, tag included

	Start, End int // where Raw stands in the message
}

// IsMessage says whether the field has the number and a length.
func (f Field) IsMessage(num protowire.Number) bool {
	return f.Num == num && f.Typ == protowire.BytesType
}

// Each calls do for every field of a message in order, until it fails.
func Each(message []byte, do func(Field) error) error {
	for at := 0; at < len(message); {
		num, typ, tag := protowire.ConsumeTag(message[at:])
		if tag < 0 {
			return protowire.ParseError(tag)
		}
		size := protowire.ConsumeFieldValue(num, typ, message[at+tag:])
		if size < 0 {
			return protowire.ParseError(size)
		}
		f := Field{Num: num, Typ: typ, Start: at, End: at + tag + size}
		f.Raw = message[f.Start:f.End]
		switch typ {
		case protowire.VarintType:
			f.Varint, _ = protowire.ConsumeVarint(f.Raw[tag:])
		case protowire.BytesType:
			f.Value, _ = protowire.ConsumeBytes(f.Raw[tag:])
		}
		if err := do(f); err != nil {
			return err
		}
		at = f.End
	}
	return nil
}

// First returns the bytes of the first field with a number, nil when there is
// none.
func First(message []byte, num protowire.Number) ([]byte, error) {
	var value []byte
	err := Each(message, func(f Field) error {
		if value == nil && f.IsMessage(num) {
			value = f.Value
		}
		return nil
	})
	return value, err
}

// Only returns the one field with a number, or an error when there are none or more.
func Only(message []byte, num protowire.Number) (Field, error) {
	var found Field
	var n int
	err := Each(message, func(f Field) error {
		if f.IsMessage(num) {
			found = f
			n++
		}
		return nil
	})
	if err == nil && n != 1 {
		err = fmt.Errorf("field %d occurs %d times, want once", num, n)
	}
	return found, err
}

// Rewrite copies a message; do appends to the copy what a field becomes.
func Rewrite(message []byte, do func(out []byte, f Field) ([]byte, error)) ([]byte, error) {
	out := make([]byte, 0, len(message)+1<<12)
	err := Each(message, func(f Field) (err error) {
		out, err = do(out, f)
		return err
	})
	return out, err
}

// Without appends a message to out, leaving fields out that stand in it in order.
func Without(out, message []byte, fields ...Field) []byte {
	at := 0
	for _, f := range fields {
		out = append(out, message[at:f.Start]...)
		at = f.End
	}
	return append(out, message[at:]...)
}

// AppendMessage appends a field that is a message, a string or bytes.
func AppendMessage[T string | []byte](out []byte, num protowire.Number, value T) []byte {
	out = protowire.AppendTag(out, num, protowire.BytesType)
	out = protowire.AppendVarint(out, uint64(len(value)))
	return append(out, value...)
}

// AppendInt appends a field that is an integer.
func AppendInt(out []byte, num protowire.Number, value uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(out, num, protowire.VarintType), value)
}
