package local

import (
	"cmp"
	"context"

	"hark/media/transcript"
	"hark/transcribe"
	"hark/transcribe/lang"
	"hark/transcribe/models"
)

// collector puts what was heard in a clip together, in order.
type collector struct {
	model    models.Model
	opts     transcribe.Options
	language string
	joiner   joiner
	gaps     []transcript.Gap
	doubt    doubt
}

func newCollector(model models.Model, opts transcribe.Options) *collector {
	return &collector{model: model, opts: opts, language: opts.Language}
}

// run takes the pieces of a clip in order until there are no more, or ctx
// ends, or one fails.
func (c *collector) run(ctx context.Context, pieces <-chan *pending) error {
	for p := range pieces {
		if p.job != nil {
			select {
			case <-p.job.done:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
			if p.job.err != nil {
				return p.job.err
			}
			if p.err != nil {
				return p.err
			}
			c.take(p.piece, p.heard)
		}
		if c.opts.Progress != nil {
			c.opts.Progress(p.mark * 1000 / sampleRate)
		}
	}
	return nil
}

// take adds what was heard in the next piece.
func (c *collector) take(p piece, h heard) {
	rules := c.rules(h)
	words := wordsOf(rules, p, h)
	c.gaps = append(c.gaps, gapsOf(p, h, len(words) > 0)...)
	c.doubt.hear(p, h)
	if len(words) == 0 {
		return
	}
	if h.language != "" {
		c.language = h.language
	}
	c.joiner.add(rules, words, p.pause)
}

// rules are those of the language that was heard: what the recogniser says, or
// else what was asked for, or else what the model is first of all for.
func (c *collector) rules(h heard) *lang.Rules {
	language := cmp.Or(h.language, c.opts.Language)
	if language == "" && len(c.model.Languages) > 0 {
		language = c.model.Languages[0]
	}
	return lang.Of(language)
}

// wordsOf are the words that were heard in a piece, with times from the clip's
// start: none when they are not believed.
func wordsOf(rules *lang.Rules, p piece, h heard) []transcript.Word {
	if !believed(rules, p, h) {
		return nil
	}
	offset := p.at * 1000 / sampleRate
	words := make([]transcript.Word, len(h.words))
	for i, w := range h.words {
		w.StartMS += offset
		w.EndMS += offset
		words[i] = w
	}
	return words
}

// transcript is what was said in all pieces. To be called once, at the end.
func (c *collector) transcript() *transcript.Transcript {
	c.joiner.end()
	t := &transcript.Transcript{
		Language:      c.language,
		Engine:        Name,
		Model:         c.model.ID,
		Segments:      sentences(c.joiner.words),
		LanguageDoubt: c.doubt.foreign(),
	}
	t.AddGaps(c.gaps...)
	return t
}
