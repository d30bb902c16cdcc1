package moonshine

import (
	"math"
	"math/rand/v2"
	"testing"
)

// The head must give what multiplying floats gives.
func TestLikeliest(t *testing.T) {
	if err := OpenRuntime(""); err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(3, 4))
	p := &projection{vocab: 130, dim: 70, scale: 0.01, zero: 107, rows: make([]byte, 130*70)}
	for i := range p.rows {
		p.rows[i] = byte(rng.IntN(256))
	}
	h, err := openHead(p, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = h.close() }()
	s, err := h.newScores()
	if err != nil {
		t.Fatal(err)
	}
	defer s.destroy()
	for range 50 {
		hidden := make([]float32, p.dim)
		for i := range hidden {
			hidden[i] = float32(rng.NormFloat64())
		}
		token, logProb, err := s.likeliest(hidden)
		if err != nil {
			t.Fatal(err)
		}
		want, wantLogProb := likeliestOfFloats(p, hidden)
		if token != want || math.Abs(logProb-wantLogProb) > 1e-3 {
			t.Errorf("token %d with %.5f, want %d with %.5f", token, logProb, want, wantLogProb)
		}
	}
	if _, logProb, err := s.likeliest(make([]float32, p.dim)); err != nil || math.Abs(logProb+math.Log(float64(p.vocab))) > 1e-6 {
		t.Errorf("of zeros: %v, %v; want all tokens alike", logProb, err)
	}
}

func likeliestOfFloats(p *projection, hidden []float32) (token int, logProb float64) {
	logits := make([]float64, p.vocab)
	for r := range logits {
		for c, x := range hidden {
			logits[r] += float64(x) * float64(p.scale) * (float64(p.rows[r*p.dim+c]) - float64(p.zero))
		}
		if logits[r] > logits[token] {
			token = r
		}
	}
	var sum float64
	for _, l := range logits {
		sum += math.Exp(l - logits[token])
	}
	return token, -math.Log(sum)
}
