package rest

import (
	"encoding/json"
	"io"
	"time"
)

// WriteJSON prints v as all answers are printed.
func WriteJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// AsJSON turns a value into what its JSON reads as, so that descriptions print
// it with the names that callers see.
func AsJSON(v any) any {
	encoded, err := json.Marshal(v)
	if err != nil {
		panic("an example cannot be printed: " + err.Error())
	}
	var decoded any
	if err := json.Unmarshal(encoded, &decoded); err != nil {
		panic("an example cannot be read: " + err.Error())
	}
	return decoded
}

// TimeOrNil is nil for the zero time, so that JSON leaves it out.
func TimeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// PositiveOrNil is nil for 0, which means not known, so that JSON leaves it out.
func PositiveOrNil(n int64) *int64 {
	if n <= 0 {
		return nil
	}
	return &n
}
