package local

import (
	"io"
	"strings"
	"testing"

	"hark/media/transcript"
)

// constant is a stereo source that lasts for ever, each channel at one level.
type constant struct{ levels [2]float32 }

func (c constant) ReadSamples([]float32) (int, error) { return 0, io.EOF }
func (c constant) Apart() bool                        { return true }

func (c constant) ReadChannel(channel int, _ int64, p []float32) (int, error) {
	for i := range p {
		p[i] = c.levels[channel]
	}
	return len(p), nil
}

// spoke is a transcript of one word every half second, a segment for each
// sentence. A word that begins with a plus comes a quarter of a second later,
// and a dash stands for none.
func spoke(text string) *transcript.Transcript {
	var t transcript.Transcript
	var words []transcript.Word
	for i, w := range strings.Fields(text) {
		at := int64(i) * 500
		if strings.HasPrefix(w, "+") {
			w, at = w[1:], at+250
		}
		if w == "-" {
			continue
		}
		words = append(words, transcript.Word{Text: w, StartMS: at, EndMS: at + 200})
		if strings.HasSuffix(w, ".") {
			t.Segments = append(t.Segments, transcript.NewSegment(words))
			words = nil
		}
	}
	return &t
}

func TestEchoesAreDropped(t *testing.T) {
	for _, c := range []struct {
		name, left, right string
		louder            float32 // the left channel, how many times
		wantLeft          string  // sentences by bars
		wantRight         string
	}{
		{"nothing in common", "The cat sat down. - -", "- - - - We went home.", 1, "The cat sat down.", "We went home."},
		{"all of it", "The cat sat down.", "The +cat sat +down.", 4, "The cat sat down.", ""},
		{"all of it, the other way", "The +cat sat +down.", "The cat sat down.", 0.25, "", "The cat sat down."},
		{"equally loud", "The cat sat down.", "The cat sat down.", 1, "The cat sat down.", ""},
		{"half a second later", "the cat sat down.", "Yes the cat sat.", 4, "the cat sat down.", "Yes"},
		{"within sentences", "- the cat sat. - -", "Yes the cat sat maybe so.", 4, "the cat sat.", "Yes|maybe so."},
		{"one word, both say it", "- Yes.", "- yes.", 1.5, "Yes.", "yes."},
		{"one word, one says it", "- Yes.", "- yes.", 3, "Yes.", ""},
		{"all of it, late", "The cat sat down. - -", "- The cat sat down.", 4, "The cat sat down.", ""},
		{"said again", "Nine two four. - -", "- - Nine two four.", 4, "Nine two four.", "Nine two four."},
		{"one word, late", "Yes. - -", "- Yes.", 4, "Yes.", "Yes."},
		{"nothing at all", "", "The cat sat down.", 4, "", "The cat sat down."},
	} {
		t.Run(c.name, func(t *testing.T) {
			heard := [2]*transcript.Transcript{spoke(c.left), spoke(c.right)}
			if err := dropEchoes(&channels{src: constant{[2]float32{0.1 * c.louder, 0.1}}}, heard); err != nil {
				t.Fatal(err)
			}
			for i, want := range []string{c.wantLeft, c.wantRight} {
				var texts []string
				for _, s := range heard[i].Segments {
					texts = append(texts, s.Text)
				}
				if got := strings.Join(texts, "|"); got != want {
					t.Errorf("channel %d has %q, want %q", i+1, got, want)
				}
			}
		})
	}
}

func TestMergedChannelsAreInOrder(t *testing.T) {
	left, right := spoke("One two. - - - Six. - Eight."), spoke("- - Three four. - - Seven.")
	left.Gaps = []transcript.Gap{{StartMS: 100, EndMS: 900, Reason: transcript.NotUnderstood}}
	right.Gaps = []transcript.Gap{{StartMS: 800, EndMS: 1200, Reason: transcript.NotUnderstood}}
	left.LanguageDoubt = true
	got := mergeChannels([2]*transcript.Transcript{left, right})
	var all []string
	for _, s := range got.Segments {
		all = append(all, string(rune('0'+s.Channel))+":"+s.Text)
	}
	if text := strings.Join(all, " "); text != "1:One two. 2:Three four. 1:Six. 2:Seven. 1:Eight." {
		t.Errorf("got %s", text)
	}
	if len(got.Gaps) != 1 || got.Gaps[0].StartMS != 100 || got.Gaps[0].EndMS != 1200 || got.LanguageDoubt {
		t.Errorf("gaps %v, doubt %v", got.Gaps, got.LanguageDoubt)
	}
}
