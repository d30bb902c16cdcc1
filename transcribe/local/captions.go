package local

import (
	"slices"
	"strings"

	"hark/media/transcript"
	"hark/transcribe"
	"hark/transcribe/lang"
)

// captions makes utterances of what is heard, while the collector puts it
// together.
type captions struct {
	collector *collector
	out       []transcribe.Utterance
	shown     int      // number of the last piece of which there was an utterance that is not final; -1 before any
	text      string   // of that
	last      finalOne // that had words
}

// finalOne is where the words of a final utterance stand in the joiner.
type finalOne struct {
	number   int
	startMS  int64
	from, to int
	text     string // of the last word, as it was emitted
}

func (c *captions) take() []transcribe.Utterance {
	out := c.out
	c.out = nil
	return out
}

// final adds what was heard in the next finished piece.
func (c *captions) final(h *hearing) {
	joiner := &c.collector.joiner
	from := len(joiner.words)
	c.collector.take(h.piece, h.heard)
	if to := len(joiner.words); to > from {
		if from > 0 && joiner.words[from-1].Text != c.last.text {
			c.emit(c.last)
		}
		c.last = finalOne{h.number, startMS(h.piece), from, to, joiner.words[to-1].Text}
		c.emit(c.last)
	} else if c.shown == h.number {
		c.emit(finalOne{number: h.number, startMS: startMS(h.piece)})
	}
}

func (c *captions) emit(f finalOne) {
	c.out = append(c.out, transcribe.Utterance{
		Number: f.number, Final: true, StartMS: f.startMS,
		Words: slices.Clone(c.collector.joiner.words[f.from:f.to]),
	})
}

// partial adds what was heard in the piece that is open, when that is news.
func (c *captions) partial(h *hearing) {
	words := wordsOf(c.collector.rules(h.heard), h.piece, h.heard)
	if len(words) > 0 {
		words = c.joined(words, h)
	}
	text := textOf(words)
	if c.shown == h.number && text == c.text || c.shown != h.number && text == "" {
		return
	}
	c.shown, c.text = h.number, text
	c.out = append(c.out, transcribe.Utterance{Number: h.number, StartMS: startMS(h.piece), Words: words})
}

// joined are words as they will be when they are joined to those before. The
// full stop that a recogniser likes to put wherever the sound ends is taken
// off while the speaker goes on.
func (c *captions) joined(words []transcript.Word, h *hearing) []transcript.Word {
	var j joiner
	if all := c.collector.joiner.words; len(all) > 0 {
		j.words = slices.Clone(all[len(all)-1:])
	}
	before := len(j.words)
	j.add(c.collector.rules(h.heard), words, h.piece.pause)
	words = j.words[before:]
	if last := &words[len(words)-1]; !h.settled && !lang.Abbreviated(last.Text) {
		last.Text = strings.TrimRight(last.Text, ".")
	}
	return words
}

func startMS(p piece) int64 { return p.at * 1000 / sampleRate }

func textOf(words []transcript.Word) string {
	if len(words) == 0 {
		return ""
	}
	return transcript.NewSegment(words).Text
}
