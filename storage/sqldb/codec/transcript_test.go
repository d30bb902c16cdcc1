package codec

import (
	"reflect"
	"testing"

	"hark/media/transcript"
)

func TestEncodeRefuses(t *testing.T) {
	for name, s := range map[string]transcript.Segment{
		"no words":   {Text: "x"},
		"two words":  {Words: []transcript.Word{{Text: "two words"}}},
		"empty word": {Words: []transcript.Word{{}}},
	} {
		if _, err := Encode(&transcript.Transcript{Segments: []transcript.Segment{s}}); err == nil {
			t.Errorf("%s: encoded", name)
		}
	}
	if _, err := Encode(&transcript.Transcript{Gaps: []transcript.Gap{{EndMS: 1, Reason: "tired"}}}); err == nil {
		t.Error("a gap without a reason: encoded")
	}
	empty, err := Encode(&transcript.Transcript{})
	if err != nil {
		t.Fatal(err)
	}
	if back, err := Decode(empty); err != nil || !reflect.DeepEqual(back, transcript.Transcript{}) {
		t.Errorf("silence is %+v, %v", back, err)
	}
}

// TestDecodeFirstVersion reads a blob that was written before there were gaps
// and channels.
func TestDecodeFirstVersion(t *testing.T) {
	text, times := "one two", []byte{2, 2, 0, 8, 6, 100}
	body := append([]byte{1, byte(len(text))}, text...)
	body = append(append(body, byte(len(times))), times...)
	body = append(body, 2, 2, 14)
	back, err := Decode(body)
	want := transcript.Transcript{Segments: []transcript.Segment{transcript.NewSegment([]transcript.Word{
		{Text: "one", StartMS: 1, EndMS: 2}, {Text: "two", StartMS: 5, EndMS: 8, Confidence: 0.01},
	})}}
	if err != nil || !reflect.DeepEqual(back, want) {
		t.Errorf("%+v, %v", back, err)
	}
}

func FuzzDecode(f *testing.F) {
	said := transcript.NewSegment([]transcript.Word{{Text: "one", StartMS: 1, EndMS: 2}, {Text: "twö", StartMS: 5, EndMS: 900, Confidence: 0.5}})
	said.Channel = 2
	for _, transcript := range []transcript.Transcript{
		{},
		{Segments: []transcript.Segment{said}},
		{LanguageDoubt: true, Gaps: []transcript.Gap{{StartMS: 5, EndMS: 9, Reason: transcript.NotUnderstood}, {StartMS: 10, EndMS: 12, Reason: transcript.NotDecoded}}},
	} {
		body, err := Encode(&transcript)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	f.Add([]byte{1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, body []byte) {
		if words, err := Open(body); err == nil { // a search reads so, of what may be damaged
			words.Skip(1)
			for more := true; more; {
				_, more = words.Next()
			}
		}
		transcript, err := Decode(body)
		if err != nil {
			return
		}
		again, err := Encode(&transcript)
		if err != nil {
			return // damaged in a way that Encode refuses
		}
		back, err := Decode(again)
		if err != nil || !reflect.DeepEqual(back, transcript) {
			t.Fatalf("%+v, %v\ncame back of\n%+v", back, err, transcript)
		}
	})
}
