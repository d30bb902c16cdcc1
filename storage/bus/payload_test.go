package bus

import (
	"encoding/json"
	"testing"
)

func TestDecodeJob(t *testing.T) {
	for text, want := range map[string]string{
		`{"job":"a","message":"m","attempt":2}`: "a",
		`{"job":"a","new":{"field":[1]}}`:       "a",
		`{"job":""}`:                            "",
		`{"job":"a.b"}`:                         "",
		`{"job":7}`:                             "",
		`[]`:                                    "",
		``:                                      "",
	} {
		p, err := decodeJob([]byte(text))
		if p.Job != want || (err == nil) != (want != "") {
			t.Errorf("%s: %+v, %v", text, p, err)
		}
	}
}

func FuzzDecodeJob(f *testing.F) {
	f.Add([]byte(`{"job":"0198f2","message":"m","attempt":1}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := decodeJob(data)
		if err == nil && checkToken(p.Job) != nil {
			t.Errorf("took job %q", p.Job)
		}
	})
}

func FuzzDecodeEvent(f *testing.F) {
	f.Add([]byte(`{"workspace_id":"w","seq":1,"type":"message.created","at":"2026-01-02T03:04:05Z"}`), "w")
	f.Fuzz(func(t *testing.T, data []byte, workspace string) {
		e, err := decodeEvent(data, workspace)
		if err != nil {
			return
		}
		if e.WorkspaceID != workspace || e.Type == "" {
			t.Errorf("took %+v in workspace %q", e, workspace)
		}
		if _, err := json.Marshal(e); err != nil {
			t.Errorf("%+v cannot be passed on: %v", e, err)
		}
	})
}

func FuzzDecodeCancel(f *testing.F) {
	f.Add([]byte(`{"id":"a"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if p, err := decodeCancel(data); err == nil && p.ID == "" {
			t.Error("took a cancel of nothing")
		}
	})
}
