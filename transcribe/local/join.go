package local

import (
	"strings"

	"hark/media/transcript"
	"hark/transcribe/lang"
)

// breath is the pause between two pieces, in windows of 32 ms, below which a
// sentence may go on.
const breath = 11

// joiner strings the words of pieces together and mends the sentences that
// were cut: a recogniser begins every piece with a capital and likes to end
// it with a full stop, whether or not a sentence begins and ends there.
type joiner struct {
	words []transcript.Word
}

// add appends the words of the next piece, at least one, by the rules of their
// language. pause is the silence before its speech, in windows; 0 after a cut
// inside speech.
func (j *joiner) add(rules *lang.Rules, words []transcript.Word, pause int) {
	if len(j.words) > 0 {
		last := &j.words[len(j.words)-1]
		j.inOrder(words)
		switch {
		case pause < breath && continues(rules, last.Text, words[0].Text, pause):
			last.Text = strings.TrimRight(last.Text, ".")
			words[0].Text = rules.Lower(words[0].Text)
		case strings.HasSuffix(last.Text, ","):
			words[0].Text = rules.Lower(words[0].Text)
		case pause >= breath && rules.Lowers(words[0].Text) && lang.IsCapitalised(words[0].Text):
			last.Text = lang.FullStop(last.Text)
		}
	}
	j.words = append(j.words, words...)
	capitalise(j.words[len(j.words)-len(words):], j.words[:len(j.words)-len(words)])
}

// end closes the last sentence when the recogniser had hoped for more of it.
func (j *joiner) end() {
	if len(j.words) == 0 {
		return
	}
	last := &j.words[len(j.words)-1]
	last.Text = lang.FullStop(strings.TrimSuffix(last.Text, ","))
}

// inOrder keeps words from beginning before the words in front of them have
// ended: the sound around two pieces may overlap.
func (j *joiner) inOrder(words []transcript.Word) {
	end := j.words[len(j.words)-1].EndMS
	for i := range words {
		if words[i].StartMS >= end {
			return
		}
		words[i].StartMS = end
		words[i].EndMS = max(words[i].EndMS, end)
	}
}

// continues says whether a sentence goes on from one piece to the next.
func continues(rules *lang.Rules, last, next string, pause int) bool {
	if lang.EndsSentence(last) && !strings.HasSuffix(last, ".") || lang.Abbreviated(last) {
		return false
	}
	switch {
	case pause == 0, !lang.IsCapitalised(next):
		return true
	case !strings.HasSuffix(last, "."):
		return true
	default:
		return rules.Continues(next)
	}
}

// capitalise gives a sentence that begins in lower case its capital.
func capitalise(words, before []transcript.Word) {
	for i := range words {
		last := ""
		switch {
		case i > 0:
			last = words[i-1].Text
		case len(before) > 0:
			last = before[len(before)-1].Text
		}
		if last == "" || lang.EndsSentence(last) && !lang.Abbreviated(last) {
			words[i].Text = lang.Capitalise(words[i].Text)
		}
	}
}
