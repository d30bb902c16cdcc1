package moonshine

import (
	"fmt"
	"math"

	ort "github.com/yalue/onnxruntime_go"
)

// middle is the byte that stands for 0 in what the head multiplies.
const middle = 128

// head makes logits of what the decoder's last layer says, multiplying bytes
// with bytes. It is safe for concurrent use; every utterance has its own
// [scores].
//
// A byte is too coarse for what the layer says. So each number is given as
// two, a high one and one for what the high one misses, like the digits of a
// number of 16 bits. The logits are then those of the floats, to five digits.
type head struct {
	session *ort.DynamicAdvancedSession
	dim     int
	vocab   int
	scale   float32
}

func openHead(p *projection, threads int) (*head, error) {
	options, err := sessionOptions(threads)
	if err != nil {
		return nil, err
	}
	defer func() { _ = options.Destroy() }()
	session, err := ort.NewDynamicAdvancedSessionWithONNXData(p.model(), []string{"bytes"}, []string{"product"}, options)
	if err != nil {
		return nil, fmt.Errorf("load the decoder's head: %w", err)
	}
	return &head{session: session, dim: p.dim, vocab: p.vocab, scale: p.scale}, nil
}

func (h *head) close() error { return h.session.Destroy() }

// scores are the memory in which one utterance's logits are made, for a
// number of places in it at a time.
type scores struct {
	*head
	places  int
	bytes   *ort.Tensor[uint8] // [places][2][dim], the high and the low digits
	product *ort.Tensor[int32] // [places][2][vocab], the high and the low digits times the matrix
}

// newScores returns memory that the caller destroys.
func (h *head) newScores(places int) (*scores, error) {
	bytes, err := ort.NewEmptyTensor[uint8](ort.NewShape(2*int64(places), int64(h.dim)))
	if err != nil {
		return nil, err
	}
	product, err := ort.NewEmptyTensor[int32](ort.NewShape(2*int64(places), int64(h.vocab)))
	if err != nil {
		_ = bytes.Destroy()
		return nil, err
	}
	return &scores{head: h, places: places, bytes: bytes, product: product}, nil
}

func (s *scores) destroy() {
	_ = s.bytes.Destroy()
	_ = s.product.Destroy()
}

// answer is the token that the decoder would say next, and the natural
// logarithm of its probability. Where that is the end, other is what it would
// say if it had to say something, and otherProb how probable that is then.
type answer struct {
	token     int
	logProb   float64
	other     int
	otherProb float64
}

// lowDigits is how many low digits make a high one.
const lowDigits = 254

// likeliest returns what the decoder would say after each of hidden, of which
// there are at most as many as there are places.
func (s *scores) likeliest(hidden []float32) ([]answer, error) {
	answers := make([]answer, len(hidden)/s.dim)
	units := make([]float32, len(answers))
	for i := range answers {
		units[i] = s.split(hidden[i*s.dim:][:s.dim], s.bytes.GetData()[2*i*s.dim:])
	}
	if err := s.session.Run([]ort.Value{s.bytes}, []ort.Value{s.product}); err != nil {
		return nil, fmt.Errorf("run the decoder's head: %w", err)
	}
	for i := range answers {
		product := s.product.GetData()[2*i*s.vocab:]
		answers[i] = s.best(product[:s.vocab], product[s.vocab:2*s.vocab], units[i])
	}
	return answers, nil
}

// best finds the largest of logits in two digits, of which the high one is
// worth unit.
func (s *scores) best(high, low []int32, unit float32) answer {
	scale := float64(unit) * float64(s.scale) / lowDigits
	var a answer
	a.token, a.logProb = largest(high, low, scale, -1)
	if a.token == tokenEnd {
		a.other, a.otherProb = largest(high, low, scale, tokenEnd)
	}
	return a
}

// largest finds the largest of logits, but for the one that is left out (-1 is
// none), and the logarithm of its share in the probability of all others.
func largest(high, low []int32, scale float64, out int) (token int, logProb float64) {
	// Of logits in units of the lowest digit, the largest and the sum of all.
	best := int64(math.MinInt64)
	for i := range high {
		if l := int64(high[i])*lowDigits + int64(low[i]); l > best && i != out {
			best, token = l, i
		}
	}
	least := best - int64(negligible/scale)
	var sum float64
	for i := range high {
		if l := int64(high[i])*lowDigits + int64(low[i]); l >= least && i != out {
			sum += math.Exp(float64(l-best) * scale)
		}
	}
	return token, -math.Log(sum)
}

// negligible is how far below the best logit another no longer counts: all of
// a vocabulary of them are worth one per cent.
const negligible = 15

// split writes numbers as high and low digits and returns what a high digit
// is worth.
func (s *scores) split(hidden []float32, digits []uint8) (unit float32) {
	var most float32
	for _, x := range hidden {
		most = max(most, x, -x)
	}
	unit = most / 127
	if !(unit > 1e-6) { // nothing, or not a number
		unit = 1
	}
	for i, x := range hidden {
		x /= unit
		high := float32(math.Round(float64(x)))
		low := float32(math.Round(float64((x - high) * lowDigits)))
		digits[i] = uint8(int(high) + middle)
		digits[s.dim+i] = uint8(int(low) + middle)
	}
	return unit
}
