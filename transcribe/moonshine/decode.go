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
	limit     int       // of tokens
	insist    int       // tokens below which the end is not believed
	looped    bool
	insisted  bool
	truncated bool
}

// decode listens to the sound and says it, always the likeliest token next.
//
// When its first token is that of the draft, all of the draft is said to the
// decoder in one go, which takes little longer than one token, and holds as far
// as the decoder would have said it too (greedy speculative decoding:
// Leviathan et al. 2023, section 2).
func (m *Model) decode(ctx context.Context, samples []float32, hints Hints) (*spoken, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	encoder := m.encoder
	if hints.Hurry {
		encoder = m.hurried
	}
	heard, err := encoder.listen(ctx, samples)
	if err != nil {
		return nil, err
	}
	defer func() { _ = heard.Destroy() }()
	g, err := m.decoder.begin(heard)
	if err != nil {
		return nil, err
	}
	defer g.close()

	s := &spoken{attention: attention{frames: g.frames}, limit: len(samples)*tokensPerSecond/sampleRate + tokensExtra, insist: hints.Insist}
	draft := hints.Draft[:min(len(hints.Draft), s.limit-1)]
	next := []int{tokenStart}
	for {
		if err := context.Cause(ctx); err != nil {
			return nil, err
		}
		answers, err := g.say(next...)
		if err != nil {
			return nil, err
		}
		for i, a := range answers {
			s.attention.add(g.weights[followsFrom(g.shape.layers):], i, len(next))
			if s.add(a) {
				return s, nil
			}
		}
		next = s.tokens[len(s.tokens)-1:]
		if len(s.tokens) == 1 && len(draft) > 1 && draft[0] == s.tokens[0] {
			next = draft
		}
	}
}

// add says the next token, and whether it was the last.
func (s *spoken) add(a answer) bool {
	if a.token == tokenEnd {
		if len(s.tokens) >= s.insist {
			return true
		}
		s.insisted = true
		a.token, a.logProb = a.other, a.otherProb
	}
	s.tokens = append(s.tokens, a.token)
	s.logProbs = append(s.logProbs, a.logProb)
	if keep := beforeLoop(s.tokens); keep < len(s.tokens) {
		s.looped = true
		s.cut(keep)
		return true
	}
	s.truncated = len(s.tokens) >= s.limit
	return s.truncated
}

// cut forgets what was said after the first n tokens.
func (s *spoken) cut(n int) {
	s.tokens = s.tokens[:n]
	s.logProbs = s.logProbs[:n]
	s.attention.cut(n + 1)
}
