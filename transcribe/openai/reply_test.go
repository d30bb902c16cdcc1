package openai

import (
	"fmt"
	"strings"
	"testing"

	"hark/media/transcript"
	"hark/transcribe/lang"
)

// show prints segments as [start word word end] with word starts.
func show(segments []transcript.Segment) string {
	var b strings.Builder
	for _, s := range segments {
		b.WriteByte('[')
		for _, w := range s.Words {
			fmt.Fprintf(&b, "%d-%d %s ", w.StartMS, w.EndMS, w.Text)
		}
		b.WriteByte(']')
	}
	return strings.ReplaceAll(b.String(), " ]", "]")
}

func TestReplies(t *testing.T) {
	for _, tc := range []struct{ name, body, want string }{
		{
			"words and segments, punctuation in the text only",
			`{"text":"Hello, you. Bye!","segments":[{"text":" Hello, you.","start":0,"end":1},{"text":" Bye!","start":1,"end":2}],
			"words":[{"word":"hello","start":0.1,"end":0.4},{"word":"you","start":0.5,"end":0.9},{"word":"bye","start":1.2,"end":1.6}]}`,
			"[100-400 Hello, 500-900 you.][1200-1600 Bye!]",
		},
		{
			"words inside segments",
			`{"segments":[{"text":" Hi there.","start":0,"end":1,"words":[{"word":" Hi","start":0.2,"end":0.3},{"word":" there.","start":0.4,"end":0.8}]}]}`,
			"[200-300 Hi 400-800 there.]",
		},
		{"words alone", `{"words":[{"word":"one","start":1,"end":2},{"word":"two","start":2,"end":3}]}`, "[1000-2000 one 2000-3000 two]"},
		{"segments alone", `{"segments":[{"text":"ab cd","start":2,"end":3.2}]}`, "[2000-2600 ab 2600-3200 cd]"},
		{"text alone", `{"text":"ab. cd."}`, "[0-5000 ab.][5000-10000 cd.]"},
		{"nothing said", `{"text":"","segments":[],"words":[]}`, ""},
		{
			"a word in two pieces",
			`{"segments":[{"text":"It's twenty-five now","start":0,"end":4}],
			"words":[{"word":"It's","start":0,"end":1},{"word":"twenty","start":1,"end":1.5},{"word":"-five","start":1.5,"end":2},{"word":"now","start":3,"end":4}]}`,
			"[0-1000 It's 1000-2000 twenty-five 3000-4000 now]",
		},
		{
			"a word the list does not have",
			`{"segments":[{"text":"a — b","start":0,"end":4}],"words":[{"word":"a","start":0,"end":1},{"word":"b","start":3,"end":4}]}`,
			"[0-1000 a 1000-3000 — 3000-4000 b]",
		},
		{
			"times as Python writes them",
			`{"segments":[{"text":"NaN \"NaN\" x","start":NaN,"end":Infinity,"avg_logprob":-Infinity}]}`,
			"[0-3333 NaN 3333-8333 \"NaN\" 8333-10000 x]",
		},
		{
			"no times, wrong types, quoted numbers",
			`{"language":7,"segments":[{"text":"a","start":null,"end":{}},{"text":"b","start":"6","end":"7"},{"text":"c","start":[],"end":true}]}`,
			"[0-6000 a][6000-7000 b][7000-10000 c]",
		},
		{"backwards and negative", `{"segments":[{"text":"a","start":3,"end":1},{"text":"b","start":-5,"end":-4}]}`, "[0-0 b][3000-10000 a]"},
		{"overlapping", `{"segments":[{"text":"a","start":0,"end":10},{"text":"b","start":4,"end":6}]}`, "[0-4000 a][4000-6000 b]"},
		{"out of bounds", `{"segments":[{"text":"a","start":1e300,"end":1e308},{"text":"b","start":8,"end":99}]}`, "[8000-10000 b][10000-10000 a]"},
		{
			"one word out of order",
			`{"text":"a b c","words":[{"word":"a","start":1,"end":2},{"word":"b","start":9,"end":9.5},{"word":"c","start":3,"end":4}]}`,
			"[1000-2000 a 2000-3000 b 3000-4000 c]",
		},
		{"all words at zero", `{"text":"a b","words":[{"word":"a","start":0,"end":0},{"word":"b","start":0,"end":0}]}`, "[0-5000 a 5000-10000 b]"},
		{"empty words", `{"text":" ","words":[{"word":"","start":0,"end":1},{"word":" \u0000 "},{"word":"a","start":1,"end":2}]}`, "[1000-2000 a]"},
		{
			"silence that the server doubts itself",
			`{"segments":[{"text":"Thanks for watching!","start":0,"end":2,"no_speech_prob":0.9,"avg_logprob":-1.4},
			{"text":"Sure.","start":2,"end":3,"no_speech_prob":0.9,"avg_logprob":-0.2},
			{"text":"Subscribe!","start":3,"end":4,"no_speech_prob":0.7}]}`,
			"[2000-3000 Sure.]",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r, err := parseReply([]byte(tc.body))
			if err != nil {
				t.Fatal(err)
			}
			segments := r.segments(10_000)
			if got := show(segments); got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
			if err := checkInvariants(&transcript.Transcript{Segments: segments}, 10_000); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestConfidence(t *testing.T) {
	r, err := parseReply([]byte(`{"segments":[{"text":"a b","start":0,"end":2,"avg_logprob":-0.6931471805599453,
		"words":[{"word":"a","start":0,"end":1,"probability":0.25},{"word":"b","start":1,"end":2,"probability":-7}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	words := r.segments(2000)[0].Words
	if words[0].Confidence != 0.25 || words[1].Confidence < 0.4999 || words[1].Confidence > 0.5001 {
		t.Errorf("got %+v", words)
	}
}

// FuzzReply takes any bytes for an answer and wants an error or a transcript
// that keeps its promises.
func FuzzReply(f *testing.F) {
	f.Add([]byte(`{"text":"Hello, you.","segments":[{"text":" Hello, you.","start":0,"end":1,"avg_logprob":-0.2,"no_speech_prob":0.1}],"words":[{"word":"hello","start":0.1,"end":0.4}]}`), int64(10_000))
	f.Add([]byte(`{"segments":[{"text":"a b c","start":NaN,"end":-1,"words":[{"word":"b","start":9,"end":2},{"word":"a","start":"1","end":"2"}]}]}`), int64(300_000))
	f.Add([]byte(`{"text":"\u0000\ud800 \u2028x","words":[{"word":"- x"}]}`), int64(0))
	f.Fuzz(func(t *testing.T, body []byte, length int64) {
		if length < 0 || length > 1<<40 {
			t.Skip("no chunk is so long")
		}
		r, err := parseReply(body)
		if err != nil {
			return
		}
		tr := &transcript.Transcript{Segments: r.segments(length), Language: lang.Tag(r.Language)}
		if err := checkInvariants(tr, length); err != nil {
			t.Fatal(err)
		}
	})
}
