package local

import (
	"context"
	"fmt"

	"hark/media/transcript"
	"hark/transcribe/models"
	"hark/transcribe/moonshine"
)

// recogniser turns a piece of sound into words. It is safe for concurrent use.
type recogniser interface {
	recognise(ctx context.Context, samples []float32, language string, h hints) (heard, error)
	close() error
}

// hints are what is known of a piece beforehand.
type hints struct {
	draft  []int // tokens that were heard in the same sound before it went on; may be nil
	hurry  bool  // somebody waits for this piece alone
	insist int   // least tokens before an end is accepted, for models that support it
}

// insisting are the hints with more tokens to insist on.
func (h hints) insisting(tokens int) hints {
	h.insist = tokens
	return h
}

// heard is what a recogniser made of a piece.
type heard struct {
	words    []transcript.Word // times from the piece's start
	language string            // that the recogniser found; empty when it doesn't say
	logProb  float64           // mean of its tokens' log-probabilities; 0 when it gives none
	insisted bool              // the least number of tokens made it go on
	parts    bool              // it was heard in parts, each without the others
	lost     bool              // it repeated itself or did not end: smaller pieces may go better
	tokens   []int             // what it said, as a draft for more of the same sound; may be nil
}

// load opens a model's recogniser and says how many pieces it works on at once.
func load(found models.Installed, cfg Config) (r recogniser, slots int, err error) {
	if found.Model.Kind == models.Moonshine {
		model, err := moonshine.Load(moonshine.Config{
			Encoder: found.Path(models.RoleEncoder),
			Decoder: found.Path(models.RoleDecoder),
			Tokens:  found.Path(models.RoleTokens),
			Threads: 1,
			Haste:   cfg.Recognisers,
			Library: cfg.Library,
		})
		if err != nil {
			return nil, 0, fmt.Errorf("load %s: %w", found.Model.ID, err)
		}
		return moonshineRecogniser{model, found.Model.Languages[0]}, cfg.Recognisers, nil
	}
	r, err = loadSherpa(found, cfg.Recognisers)
	return r, 1, err
}

// moonshineRecogniser runs Moonshine, a core to each call but one in a hurry.
type moonshineRecogniser struct {
	model    *moonshine.Model
	language string
}

func (r moonshineRecogniser) recognise(ctx context.Context, samples []float32, _ string, h hints) (heard, error) {
	result, err := r.model.RecogniseWith(ctx, samples, moonshine.Hints{Draft: h.draft, Hurry: h.hurry, Insist: h.insist})
	if err != nil {
		return heard{}, err
	}
	return heard{
		words:    result.Words,
		language: r.language,
		logProb:  result.AvgLogProb,
		insisted: result.Insisted,
		lost:     result.Looped || result.Truncated,
		tokens:   result.Tokens,
	}, nil
}

func (r moonshineRecogniser) close() error { return r.model.Close() }
