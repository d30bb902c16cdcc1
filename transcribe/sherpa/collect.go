package sherpa

import (
	"context"

	"hark/transcribe"
	"hark/transcribe/models"
)

// collector puts what was heard in a clip together, in order.
type collector struct {
	model    models.Model
	opts     transcribe.Options
	language string
	joiner   joiner
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
	words := wordsOf(p, h)
	if len(words) == 0 {
		return
	}
	if h.language != "" {
		c.language = h.language
	}
	c.joiner.add(words, p.pause)
}

// wordsOf are the words that were heard in a piece, with times from the clip's
// start: none when they are not believed.
func wordsOf(p piece, h heard) []transcribe.Word {
	if !believed(p, h) {
		return nil
	}
	offset := p.at * 1000 / sampleRate
	words := make([]transcribe.Word, len(h.words))
	for i, w := range h.words {
		w.StartMS += offset
		w.EndMS += offset
		words[i] = w
	}
	return words
}

// transcript is what was said in all pieces. To be called once, at the end.
func (c *collector) transcript() *transcribe.Transcript {
	c.joiner.end()
	return &transcribe.Transcript{
		Language: c.language,
		Engine:   Name,
		Model:    c.model.ID,
		Segments: sentences(c.joiner.words),
	}
}
