package local

import (
	"strings"
	"testing"

	"hark/media/transcript"
	"hark/transcribe"
	"hark/transcribe/lang"
	"hark/transcribe/models"
)

// spoken makes words of 300 ms each, one after the other from a time on.
func spoken(text string, from int64) []transcript.Word {
	var words []transcript.Word
	for _, w := range strings.Fields(text) {
		words = append(words, transcript.Word{Text: w, StartMS: from, EndMS: from + 300})
		from += 300
	}
	return words
}

func text(words []transcript.Word) string {
	if len(words) == 0 {
		return ""
	}
	return transcript.NewSegment(words).Text
}

func TestJoiner(t *testing.T) {
	const cut, breathed, paused = 0, 6, 20
	for _, c := range []struct {
		first string
		pause int
		next  string
		want  string
	}{
		{"We had everything.", cut, "Before us.", "We had everything before us."},
		{"We told Mr. Smith.", cut, "London is far.", "We told Mr. Smith London is far."},
		{"Exit this menu.", breathed, "And return to it.", "Exit this menu and return to it."},
		{"The source Pbx.", breathed, "You have also this.", "The source Pbx. You have also this."},
		{"An exchange.", breathed, "to a server.", "An exchange to a server."},
		{"Seven or nine", breathed, "To decrease it.", "Seven or nine to decrease it."},
		{"Like a Pbx,", breathed, "You will dial", "Like a Pbx, you will dial."},
		{"Like a Pbx,", paused, "I will dial", "Like a Pbx, I will dial."},
		{"Exit this menu.", paused, "And return to it.", "Exit this menu. And return to it."},
		{"A season of darkness", paused, "It was spring,", "A season of darkness. It was spring."},
		{"Is it so?", cut, "And who knows.", "Is it so? And who knows."},
		{"it was hope. it was", paused, "despair", "It was hope. It was despair."},
		{"At 5 p.m. we met.", paused, "fine.", "At 5 p.m. we met. Fine."},
		{"你好", cut, "世界", "你好 世界"},
	} {
		var j joiner
		j.add(lang.Of("en"), spoken(c.first, 0), paused)
		j.add(lang.Of("en"), spoken(c.next, 5000), c.pause)
		j.end()
		if got := text(j.words); got != c.want {
			t.Errorf("%q + %d + %q = %q, want %q", c.first, c.pause, c.next, got, c.want)
		}
	}
}

// TestJoinerGoesByTheLanguage joins German of which a word is spelt like an
// English one that goes on with a sentence.
func TestJoinerGoesByTheLanguage(t *testing.T) {
	var j joiner
	rules := newCollector(models.Model{Languages: []string{"en"}}, transcribe.Options{}).rules(heard{language: "de"})
	j.add(rules, spoken("Das ist gut.", 0), 20)
	j.add(rules, spoken("Was machst du?", 5000), 6)
	if got := text(j.words); got != "Das ist gut. Was machst du?" {
		t.Errorf("joined to %q", got)
	}
}

func TestJoinerKeepsWordsInOrder(t *testing.T) {
	var j joiner
	j.add(lang.Of("en"), spoken("one two three", 0), 0)
	j.add(lang.Of("en"), spoken("four five", 400), 0)
	last := int64(0)
	for _, w := range j.words {
		if w.StartMS < last || w.EndMS < w.StartMS {
			t.Errorf("%q stands at %d to %d, after %d", w.Text, w.StartMS, w.EndMS, last)
		}
		last = w.StartMS
	}
}

func TestSentences(t *testing.T) {
	for _, c := range []struct {
		name  string
		words []transcript.Word
		want  []string
	}{
		{"nothing", nil, nil},
		{"two", spoken("Ask not. Ask what.", 0), []string{"Ask not.", "Ask what."}},
		{"abbreviated", spoken("Mr. Dashwood of St. James met J. F. Kennedy.", 0), []string{"Mr. Dashwood of St. James met J. F. Kennedy."}},
		{"one short word stays close", spoken("Yes. I can hear you.", 0), []string{"Yes. I can hear you."}},
		{"and parts when far", append(spoken("Yes.", 0), spoken("I can.", 900)...), []string{"Yes.", "I can."}},
		{"silence", append(spoken("and then", 0), spoken("nothing came", 5000)...), []string{"and then", "nothing came"}},
		{"too long", spoken(strings.Repeat("he said it again, ", 15), 0), []string{
			strings.TrimSpace(strings.Repeat("he said it again, ", 7)), strings.TrimSpace(strings.Repeat("he said it again, ", 8)),
		}},
	} {
		var got []string
		for _, s := range sentences(c.words) {
			got = append(got, s.Text)
			if len(s.Text) > mostLetters || s.EndMS-s.StartMS > mostMS {
				t.Errorf("%s: a segment of %d letters and %d ms", c.name, len(s.Text), s.EndMS-s.StartMS)
			}
		}
		if strings.Join(got, "|") != strings.Join(c.want, "|") {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
