package storage_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"hark/storage"
)

// What the API would not have taken is not kept either, and a manifest that is
// right stays as it is.
func TestTidy(t *testing.T) {
	at := time.UnixMilli(1_700_000_000_000).UTC()
	loud := -18.5
	right := func() storage.Manifest {
		return storage.Manifest{
			Workspace:    storage.ManifestWorkspace{Name: "home", CreatedAt: at},
			Conversation: storage.ManifestConversation{Title: "room", CreatedAt: at},
			People:       []storage.ManifestPerson{{Name: "Ada"}},
			Message: storage.ManifestMessage{
				Title: "The bridge", ReplyTo: someMessage, ReplyAtMS: 700, RecordedAt: at.Add(-time.Hour), CreatedAt: at,
				DurationMS: 900, EndReason: "bit_rate", LoudnessLUFS: &loud, Waveform: make([]float64, 100),
			},
			Original:  storage.ManifestOriginal{Filename: "clip.wav"},
			Rendition: &storage.ManifestRendition{MediaType: "audio/mp4", Bytes: 5},
		}
	}
	unmeasured := func(m *storage.Manifest) {
		m.Message.DurationMS, m.Message.LoudnessLUFS, m.Message.Waveform = 0, nil, nil
	}
	long := strings.Repeat("ü", 201)
	for name, c := range map[string]struct{ wrong, want func(*storage.Manifest) }{
		"right":               {func(*storage.Manifest) {}, func(*storage.Manifest) {}},
		"long title":          {func(m *storage.Manifest) { m.Message.Title = long }, func(m *storage.Manifest) { m.Message.Title = long[:400] }},
		"lines in titles":     {func(m *storage.Manifest) { m.Conversation.Title = "a\nb\u202e" }, func(m *storage.Manifest) { m.Conversation.Title = "a b" }},
		"no name":             {func(m *storage.Manifest) { m.People[0].Name = " \x00" }, func(m *storage.Manifest) { m.People[0].Name = "Unnamed" }},
		"long names":          {func(m *storage.Manifest) { m.People[0].Name, m.Workspace.Name = long, long }, func(m *storage.Manifest) { m.People[0].Name, m.Workspace.Name = long[:200], long[:400] }},
		"no reply":            {func(m *storage.Manifest) { m.Message.ReplyTo = "" }, func(m *storage.Manifest) { m.Message.ReplyTo, m.Message.ReplyAtMS = "", 0 }},
		"reply before":        {func(m *storage.Manifest) { m.Message.ReplyAtMS = -1 }, func(m *storage.Manifest) { m.Message.ReplyAtMS = 0 }},
		"reply after a week":  {func(m *storage.Manifest) { m.Message.ReplyAtMS = storage.MaxReplyAtMS + 1 }, func(m *storage.Manifest) { m.Message.ReplyAtMS = 0 }},
		"recorded after sent": {func(m *storage.Manifest) { m.Message.RecordedAt = at.Add(1) }, func(m *storage.Manifest) { m.Message.RecordedAt = at }},
		"recorded long ago":   {func(m *storage.Manifest) { m.Message.RecordedAt = time.Time{} }, func(m *storage.Manifest) { m.Message.RecordedAt = at }},
		"reason":              {func(m *storage.Manifest) { m.Message.EndReason = "<b>" }, func(m *storage.Manifest) { m.Message.EndReason = "" }},
		"file name":           {func(m *storage.Manifest) { m.Original.Filename = "../.x.wav" }, func(m *storage.Manifest) { m.Original.Filename = "x.wav" }},
		"length":              {func(m *storage.Manifest) { m.Message.DurationMS = -1 }, unmeasured},
		"waveform":            {func(m *storage.Manifest) { m.Message.Waveform[3] = 1.5 }, unmeasured},
		"long waveform":       {func(m *storage.Manifest) { m.Message.Waveform = make([]float64, 1e6) }, unmeasured},
		"media type":          {func(m *storage.Manifest) { m.Rendition.MediaType = "text/html" }, func(m *storage.Manifest) { m.Rendition = nil }},
		"rendition's size":    {func(m *storage.Manifest) { m.Rendition.Bytes = -5 }, func(m *storage.Manifest) { m.Rendition = nil }},
	} {
		got, want := right(), right()
		c.wrong(&got)
		c.want(&want)
		if got.Tidy(); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
	ahead := right()
	ahead.Message.CreatedAt = storage.Now().Add(24 * time.Hour)
	if ahead.Tidy(); ahead.Message.CreatedAt.After(storage.Now()) {
		t.Errorf("created at %s", ahead.Message.CreatedAt)
	}
}

func TestParseTranscriptRefuses(t *testing.T) {
	const words = `[{"text":"hm","start_ms":1,"end_ms":9}]`
	for name, c := range map[string]struct {
		json string
		bad  bool
	}{
		"right":             {`{"version":1,"language":"en","segments":[{"start_ms":1,"end_ms":9,"words":` + words + `}]}`, false},
		"version":           {`{"segments":[]}`, true},
		"no words":          {`{"version":1,"segments":[{"start_ms":1,"end_ms":9}]}`, true},
		"two words":         {`{"version":1,"segments":[{"start_ms":1,"end_ms":9,"words":[{"text":"a b"}]}]}`, true},
		"backwards":         {`{"version":1,"segments":[{"start_ms":9,"end_ms":1,"words":` + words + `}]}`, true},
		"before the start":  {`{"version":1,"segments":[{"start_ms":-9,"end_ms":1,"words":` + words + `}]}`, true},
		"after a week":      {`{"version":1,"segments":[{"start_ms":1,"end_ms":999999999999,"words":` + words + `}]}`, true},
		"word backwards":    {`{"version":1,"segments":[{"start_ms":1,"end_ms":9,"words":[{"text":"hm","start_ms":9,"end_ms":1}]}]}`, true},
		"sure beyond doubt": {`{"version":1,"segments":[{"start_ms":1,"end_ms":9,"words":[{"text":"hm","confidence":1.5}]}]}`, true},
		"channel":           {`{"version":1,"segments":[{"channel":3,"words":` + words + `}]}`, true},
		"reason":            {`{"version":1,"gaps":[{"start_ms":1,"end_ms":9,"reason":"bored"}]}`, true},
		"late gap":          {`{"version":1,"gaps":[{"start_ms":1,"end_ms":999999999999,"reason":"not_decoded"}]}`, true},
	} {
		if got, err := storage.ParseTranscript([]byte(c.json)); (err != nil) != c.bad {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	got, err := storage.ParseTranscript([]byte(`{"version":1,"language":"no language","gaps":[{"start_ms":5,"end_ms":9,"reason":"not_decoded"},{"start_ms":1,"end_ms":5,"reason":"not_decoded"}]}`))
	if err != nil || got.Language != "" || len(got.Gaps) != 1 || got.Gaps[0].StartMS != 1 {
		t.Errorf("%+v, %v", got, err)
	}
}
