package transcript

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files anew")

// spoken makes a segment in which a word takes 80 ms a letter, 40 ms between.
func spoken(startMS int64, text string) Segment {
	var words []Word
	for _, f := range strings.Fields(text) {
		end := startMS + int64(len([]rune(f)))*80
		words = append(words, Word{Text: f, StartMS: startMS, EndMS: end, Confidence: 0.9})
		startMS = end + 40
	}
	return NewSegment(words)
}

func speech() *Transcript {
	return &Transcript{Language: "en", Engine: "sherpa", Model: "moonshine-base-en", Segments: []Segment{
		spoken(200, "Hello."),
		spoken(1200, "The meeting is moved to Thursday, because the people from the harbour office cannot come before noon, and nobody wants to go through the numbers without them."),
		spoken(14500, "Thanks."),
		spoken(3_600_000, "An hour later, everybody had understood it."),
	}}
}

func hostile() *Transcript {
	return &Transcript{Engine: "openai", Model: "x", Segments: []Segment{
		spoken(0, `00:00:00.000 --> 00:00:09.000 <b>bold</b> &lt; {\an8}up`),
		{StartMS: 9000, EndMS: 9500, Text: "a b", Words: []Word{
			{Text: "two\n\nlines\r\n1\r\n", StartMS: 9000, EndMS: 9100},
			{Text: "\u202eevil\u2066\x00\x1b[31m\x7f\ufeff", StartMS: 9100, EndMS: 9200},
			{Text: "\xff\xfe", StartMS: 9200, EndMS: 9300},
			{Text: " \t\u2028", StartMS: 9200, EndMS: 9300},
			{Text: "👩‍👩‍👧 naïve", StartMS: 9300, EndMS: 9500},
		}},
		{StartMS: 100, EndMS: -5, Text: "back in time"}, // no words, and earlier than what precedes it
		spoken(20000, strings.Repeat("donaudampfschifffahrt", 6)+" ahoy"),
	}}
}

// missed is of one channel: words are missing before, between, within and after
// the words.
func missed() *Transcript {
	t := speech()
	t.LanguageDoubt = true
	t.AddGaps(
		Gap{40, 180, NotUnderstood},              // hardly a caption
		Gap{4000, 4200, NotUnderstood},           // within a sentence, where it is spoken
		Gap{13_000, 14_600, NotDecoded},          // up to a word and into it
		Gap{16_100, 20_000, NotUnderstood},       // after the last word of a paragraph
		Gap{20_000, 1_800_000, NotDecoded},       // half an hour
		Gap{3_604_000, 3_612_400, NotDecoded},    // the end
		Gap{3_600_000, 3_600_010, NotDecoded},    // covered by words
		Gap{3_612_400, 3_612_500, NotUnderstood}, // shorter than anybody reads
	)
	return t
}

// call is of two channels that speak at once.
func call() *Transcript {
	on := func(channel int, s Segment) Segment {
		s.Channel = channel
		return s
	}
	t := &Transcript{Language: "es", Engine: "sherpa", Model: "m", LanguageDoubt: true, Segments: []Segment{
		on(1, spoken(0, "Good morning, harbour office.")),
		on(1, spoken(3300, "Who is calling, please?")),
		on(2, spoken(3900, "Yes, good morning, hello, I have a question about the ship that was to come in yesterday.")),
		on(1, spoken(9200, "Go on.")),
		on(2, spoken(9800, "Thank you.")),
		on(2, spoken(20_000, strings.Repeat("donaudampfschifffahrt", 3))),
	}}
	t.AddGaps(Gap{4000, 6000, NotUnderstood}, Gap{11_000, 19_000, NotDecoded})
	return t
}

func TestGolden(t *testing.T) {
	for _, tc := range []struct {
		golden string
		print  func(io.Writer) error
	}{
		{"speech.vtt", func(w io.Writer) error { return WriteVTT(w, speech(), CaptionOptions{}) }},
		{"speech-words.vtt", func(w io.Writer) error { return WriteVTT(w, speech(), CaptionOptions{WordTimes: true}) }},
		{"speech-narrow.vtt", func(w io.Writer) error {
			return WriteVTT(w, speech(), CaptionOptions{LineLength: 20, Lines: 1, MaxDuration: 2 * time.Second})
		}},
		{"speech.srt", func(w io.Writer) error { return WriteSRT(w, speech(), CaptionOptions{}) }},
		{"speech.txt", func(w io.Writer) error { return WriteText(w, speech()) }},
		{"hostile.vtt", func(w io.Writer) error { return WriteVTT(w, hostile(), CaptionOptions{WordTimes: true}) }},
		{"hostile.srt", func(w io.Writer) error { return WriteSRT(w, hostile(), CaptionOptions{}) }},
		{"hostile.txt", func(w io.Writer) error { return WriteText(w, hostile()) }},
		{"missed.vtt", func(w io.Writer) error { return WriteVTT(w, missed(), CaptionOptions{}) }},
		{"missed.srt", func(w io.Writer) error { return WriteSRT(w, missed(), CaptionOptions{}) }},
		{"missed.txt", func(w io.Writer) error { return WriteText(w, missed()) }},
		{"call.vtt", func(w io.Writer) error { return WriteVTT(w, call(), CaptionOptions{WordTimes: true}) }},
		{"call.srt", func(w io.Writer) error { return WriteSRT(w, call(), CaptionOptions{}) }},
		{"call.txt", func(w io.Writer) error { return WriteText(w, call()) }},
		{"silence.vtt", func(w io.Writer) error { return WriteVTT(w, &Transcript{}, CaptionOptions{}) }},
	} {
		t.Run(tc.golden, func(t *testing.T) {
			var got bytes.Buffer
			if err := tc.print(&got); err != nil {
				t.Fatal(err)
			}
			if strings.HasSuffix(tc.golden, ".vtt") {
				if err := checkVTT(got.String()); err != nil {
					t.Errorf("not valid WebVTT: %v", err)
				}
			}
			path := filepath.Join("testdata", tc.golden)
			if *update {
				if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if got.String() != string(want) {
				t.Errorf("%s differs; -update writes it anew. Got:\n%s", path, got.String())
			}
		})
	}
}

func TestSilencePrintsNothing(t *testing.T) {
	var b bytes.Buffer
	if err := errors.Join(WriteText(&b, &Transcript{}), WriteSRT(&b, &Transcript{}, CaptionOptions{})); err != nil {
		t.Fatal(err)
	}
	if b.Len() > 0 {
		t.Errorf("got %q", b.String())
	}
}

func TestCaptionsFitAndKeepEveryWord(t *testing.T) {
	text := strings.Repeat("Now is the time for all good men, and for all others too, to come to the aid of the party. ", 20)
	long := &Transcript{Segments: []Segment{spoken(0, text)}}
	var words int
	for _, c := range cues(long, CaptionOptions{}) {
		if len(c.lines) > 2 {
			t.Errorf("cue at %d ms has %d lines", c.startMS, len(c.lines))
		}
		if c.endMS-c.startMS > 7250 {
			t.Errorf("cue at %d ms stays for %d ms", c.startMS, c.endMS-c.startMS)
		}
		for _, line := range c.lines {
			words += len(line)
			if n := lineWidth(line); n > 42 {
				t.Errorf("line of %d characters: %v", n, line)
			}
		}
	}
	if want := len(strings.Fields(text)); words != want {
		t.Errorf("captions hold %d words, want %d", words, want)
	}
}

func TestWriteErrorsAreReported(t *testing.T) {
	for name, print := range map[string]func(io.Writer) error{
		"vtt":  func(w io.Writer) error { return WriteVTT(w, speech(), CaptionOptions{}) },
		"srt":  func(w io.Writer) error { return WriteSRT(w, speech(), CaptionOptions{}) },
		"text": func(w io.Writer) error { return WriteText(w, speech()) },
	} {
		if err := print(fullDisk{}); !errors.Is(err, io.ErrShortWrite) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func TestSpread(t *testing.T) {
	words := Spread("  a  bbb ", 1000, 1600)
	if len(words) != 2 || words[0] != (Word{Text: "a", StartMS: 1000, EndMS: 1200}) ||
		words[1] != (Word{Text: "bbb", StartMS: 1200, EndMS: 1600}) {
		t.Errorf("got %+v", words)
	}
	if words := Spread("late", 500, 100); words[0].StartMS != 500 || words[0].EndMS != 500 {
		t.Errorf("a span that ends before it starts gave %+v", words)
	}
	if words := Spread(" ", 0, 10); words != nil {
		t.Errorf("no words gave %+v", words)
	}
}
