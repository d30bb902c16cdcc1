package moonshine

import (
	"math"
	"math/rand/v2"
	"testing"

	"hark/transcribe/internal/onnx"
)

// The head must give what multiplying floats gives.
func TestLikeliest(t *testing.T) {
	if err := onnx.OpenRuntime(""); err != nil {
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
	const places = 3
	s, err := h.newScores(places)
	if err != nil {
		t.Fatal(err)
	}
	defer s.destroy()
	ends := 0
	for i := range 50 {
		hidden := make([]float32, (1+i%places)*p.dim)
		for i := range hidden {
			hidden[i] = float32(rng.NormFloat64())
		}
		if i%5 == 0 { // which the end answers
			for c := range p.dim {
				hidden[c] = float32(p.rows[tokenEnd*p.dim+c]) - float32(p.zero)
			}
		}
		answers, err := s.likeliest(hidden)
		if err != nil || len(answers) != 1+i%places {
			t.Fatal(len(answers), err)
		}
		for i, a := range answers {
			want, wantLogProb := likeliestOfFloats(p, hidden[i*p.dim:][:p.dim], -1)
			if a.token != want || math.Abs(a.logProb-wantLogProb) > 1e-3 {
				t.Errorf("token %d with %.5f, want %d with %.5f", a.token, a.logProb, want, wantLogProb)
			}
			if a.token != tokenEnd {
				continue
			}
			ends++
			if want, wantLogProb = likeliestOfFloats(p, hidden[i*p.dim:][:p.dim], tokenEnd); a.other != want || math.Abs(a.otherProb-wantLogProb) > 1e-3 {
				t.Errorf("instead of the end token %d with %.5f, want %d with %.5f", a.other, a.otherProb, want, wantLogProb)
			}
		}
	}
	if ends < 5 {
		t.Errorf("only %d ends", ends)
	}
	if a, err := s.likeliest(make([]float32, p.dim)); err != nil || math.Abs(a[0].logProb+math.Log(float64(p.vocab))) > 1e-6 {
		t.Errorf("of zeros: %v, %v; want all tokens alike", a, err)
	}
}

func likeliestOfFloats(p *projection, hidden []float32, out int) (token int, logProb float64) {
	logits := make([]float64, p.vocab)
	for r := range logits {
		for c, x := range hidden {
			logits[r] += float64(x) * float64(p.scale) * (float64(p.rows[r*p.dim+c]) - float64(p.zero))
		}
		if r == out {
			logits[r] = math.Inf(-1)
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
