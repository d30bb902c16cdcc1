package strictjson

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

var good = []string{
	`{}`, `[]`, ` {"a":1} `, `"x"`, `1`, `true`, `null`, `{"a":{"a":[{"a":1},{"a":2}]},"b":"A"}`, `"😀"`, `"\\u0000"`,
	`"\ud83d\ude00"`, `"\u00e9\"\\"`, `[1e308,-0.5,12345678901234567890]`, `{"":1}`, `{"a":1,"A":2}`,
	strings.Repeat("[", MaxDepth) + strings.Repeat("]", MaxDepth),
}

var bad = []string{
	``, ` `, `{`, `[1`, `{"a":1}{}`, `{"a":1} x`, `1 2`, `{"a":1,"a":1}`, `{"a":{"b":1,"b":2}}`, `[{"b":1,"b":2}]`, `{"a":1,"\u0061":2}`,
	"\"\xff\"", "{\"\xff\":1}", `"\u0000"`, `{"a\u0000":1}`, `"\ud800"`, `"\udc00\ud800"`, `"\ud800x"`, `"\ud83d\u0041"`, `1e999`, `[-1e999]`,
	`{"a"}`, `{"a":}`, `{1:2}`, `[1,]`, `{"a":1,}`, `tru`, `'a'`, `]`, "\ufeff{}",
	strings.Repeat("[", MaxDepth+1) + strings.Repeat("]", MaxDepth+1), strings.Repeat(`{"a":`, 40000),
}

func TestUnmarshal(t *testing.T) {
	for _, text := range good {
		var got, want any
		if err := Unmarshal([]byte(text), &got); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if err := json.Unmarshal([]byte(text), &want); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s is read as %v; want %v, %v", text, got, want, err)
		}
	}
	for _, text := range bad {
		var got any
		if err := Unmarshal([]byte(text), &got); err == nil {
			t.Errorf("%.80s is read as %v", text, got)
		}
	}
}

func TestObject(t *testing.T) {
	got, err := Object([]byte(`{"paused":true,"Paused":false}`))
	if err != nil || len(got) != 2 || string(got["paused"]) != "true" {
		t.Errorf("%v, %v", got, err)
	}
	for _, text := range []string{`null`, `[]`, `"a"`, `{"a":1,"a":2}`, ``} {
		if got, err := Object([]byte(text)); err == nil {
			t.Errorf("%s is the object %v", text, got)
		}
	}
}

// FuzzUnmarshal holds what is taken against encoding/json, and looks for what
// must not be taken.
func FuzzUnmarshal(f *testing.F) {
	for _, text := range append(good, bad...) {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var got, want any
		if err := Unmarshal(data, &got); err != nil {
			return
		}
		if err := json.Unmarshal(data, &want); err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("read as %v; want %v, %v", got, want, err)
		}
		again, err := json.Marshal(got)
		if err != nil || !utf8.Valid(again) || strings.Contains(string(again), `\u0000`) && !strings.Contains(string(data), `\\u0000`) {
			t.Fatalf("%s is taken: %v", again, err)
		}
	})
}
