package moonshine

import "context"

// A token is about four letters. Fast speech has about six of them a second,
// and spelt numbers ten; more than that is not speech.
const (
	tokensPerSecond = 10
	tokensExtra     = 8 // for short sound
)

// spoken is what the model said of one stretch of sound, before it is words.
type spoken struct {
	tokens    []int
	logProbs  []float64 // of the tokens
	attention attention // a row for each token, and one for the end when the model said it
	looped    bool
	truncated bool
}

// decode listens to the sound and says it, always the likeliest token next.
func (m *Model) decode(ctx context.Context, samples []float32) (*spoken, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	heard, err := m.encoder.listen(samples)
	if err != nil {
		return nil, err
	}
	defer func() { _ = heard.Destroy() }()
	g, err := m.decoder.begin(heard)
	if err != nil {
		return nil, err
	}
	defer g.close()

	limit := len(samples)*tokensPerSecond/sampleRate + tokensExtra
	s := &spoken{attention: attention{frames: g.frames}}
	next := tokenStart
	for {
		if err := context.Cause(ctx); err != nil {
			return nil, err
		}
		var logProb float64
		if next, logProb, err = g.step(next); err != nil {
			return nil, err
		}
		s.attention.add(g.weights[followsFrom(g.shape.layers):])
		if next == tokenEnd {
			return s, nil
		}
		s.tokens = append(s.tokens, next)
		s.logProbs = append(s.logProbs, logProb)
		if keep := beforeLoop(s.tokens); keep < len(s.tokens) {
			s.looped = true
			s.cut(keep)
			return s, nil
		}
		if len(s.tokens) >= limit {
			s.truncated = true
			return s, nil
		}
	}
}

// cut forgets what was said after the first n tokens.
func (s *spoken) cut(n int) {
	s.tokens = s.tokens[:n]
	s.logProbs = s.logProbs[:n]
	s.attention.cut(n + 1)
}
