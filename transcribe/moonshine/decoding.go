package moonshine

import (
	"errors"
	"fmt"

	ort "github.com/yalue/onnxruntime_go"
)

// decoding is one utterance on its way through the decoder. Call close when done.
type decoding struct {
	*decoder
	*buffers
	binding *ort.IoBinding
	scores  *scores
	frames  int
	tokens  int // said so far
	places  int // tokens that the binding is for
}

// begin starts an utterance on what the encoder made of it, which must stay
// alive until close.
func (d *decoder) begin(heard ort.Value) (*decoding, error) {
	binding, err := d.session.CreateIoBinding()
	if err != nil {
		return nil, fmt.Errorf("bind decoder: %w", err)
	}
	scores, err := d.head.newScores(1)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make tensors: %w", err), binding.Destroy())
	}
	g := &decoding{decoder: d, buffers: d.borrow(), binding: binding, scores: scores, frames: int(heard.GetShape()[1])}
	if err := g.binding.BindInput("encoder_hidden_states", heard); err != nil {
		g.close()
		return nil, fmt.Errorf("bind encoder's answer: %w", err)
	}
	return g, nil
}

func (g *decoding) close() {
	_ = g.binding.Destroy()
	g.scores.destroy()
	g.giveBack(g.buffers)
}

// say says tokens to the decoder, all at once, and returns what it would say
// after each of them, up to the first where that differs from the draft: the
// decoding goes on from there. Where it listened for each is left in weights.
//
// The first token must come alone. It also turns what was heard into keys and
// values, which are read from then on. And the decoder computes with bytes,
// whose scale all tokens of a pass share: that of the first would be far too
// coarse for the others.
func (g *decoding) say(tokens ...int) ([]answer, error) {
	if err := g.bind(tokens); err != nil {
		return nil, err
	}
	if err := g.session.RunWithBinding(g.binding); err != nil {
		return nil, fmt.Errorf("run decoder: %w", err)
	}
	if g.tokens == 0 {
		g.binding.ClearBoundOutputs()
		g.places = 0
	}
	g.past, g.present = g.present, g.past
	answers, err := g.check(tokens)
	g.keep(g.tokens+len(answers), g.tokens+len(tokens))
	return answers, err
}

// placesAtOnce is for how many places logits are made at a time when tokens
// are checked: more is hardly quicker, and may be in vain.
const placesAtOnce = 8

// check returns what the decoder says after each token, up to the first where
// that is not the next token.
func (g *decoding) check(tokens []int) ([]answer, error) {
	scores := g.scores
	if len(tokens) > 1 {
		var err error
		if scores, err = g.head.newScores(min(len(tokens), placesAtOnce)); err != nil {
			return nil, fmt.Errorf("make tensors: %w", err)
		}
		defer scores.destroy()
	}
	var all []answer
	for hidden := g.hidden; len(hidden) > 0; {
		n := min(len(hidden), scores.places*g.head.dim)
		answers, err := scores.likeliest(hidden[:n])
		if err != nil {
			return nil, err
		}
		hidden = hidden[n:]
		for _, a := range answers {
			all = append(all, a)
			if len(all) < len(tokens) && a.token != tokens[len(all)] {
				return all, nil
			}
		}
	}
	return all, nil
}

// keep forgets all but the first n of the tokens said, of which there were as
// many as total.
func (g *decoding) keep(n, total int) {
	g.tokens = n
	size := g.shape.headDim
	for i, cache := range g.past {
		for head := 1; head < g.shape.heads && n < total; head++ {
			copy(cache[head*n*size:][:n*size], cache[head*total*size:])
		}
		g.past[i] = cache[:g.shape.heads*n*size]
	}
}

// bind binds what the decoder is given next, and what it answers with.
func (g *decoding) bind(tokens []int) error {
	g.said = g.said[:0]
	for _, t := range tokens {
		g.said = append(g.said, int64(t))
	}
	binds := []func(int) error{g.bindCache}
	if len(tokens) != g.places {
		g.places = len(tokens)
		binds = append(binds, g.bindTokens, g.bindAnswers)
	}
	switch g.tokens {
	case 0:
		binds = append(binds, g.bindListening)
	case 1:
		binds = append(binds, g.bindHeard)
	}
	for _, bind := range binds {
		if err := bind(len(tokens)); err != nil {
			return err
		}
	}
	return nil
}

// bindTokens binds the tokens that are said to the decoder.
func (g *decoding) bindTokens(int) error {
	return bind(g.binding.BindInput, "input_ids", g.said, 1, len(g.said))
}

// bindAnswers binds the outputs that the decoder answers a number of tokens with.
func (g *decoding) bindAnswers(tokens int) error {
	for layer := followsFrom(g.shape.layers); layer < g.shape.layers; layer++ {
		g.weights[layer] = room(g.weights[layer], g.shape.heads*tokens*g.frames, 0)
		if err := bind(g.binding.BindOutput, attentionName(layer), g.weights[layer], 1, g.shape.heads, tokens, g.frames); err != nil {
			return err
		}
	}
	g.hidden = room(g.hidden, tokens*g.head.dim, 0)
	return bind(g.binding.BindOutput, hiddenName, g.hidden, 1, tokens, g.head.dim)
}

// sparePlaces is for how many tokens more than needed a cache is made.
const sparePlaces = 32

// bindCache binds the keys and values of the tokens so far as inputs, and
// room for those and a number of tokens more as outputs.
func (g *decoding) bindCache(more int) error {
	for i, name := range g.caches {
		size := g.shape.heads * g.shape.headDim // of one token
		g.present[i] = room(g.present[i], size*(g.tokens+more), size*sparePlaces)
		if err := bind(g.binding.BindInput, name.pastSaid, g.past[i], 1, g.shape.heads, g.tokens, g.shape.headDim); err != nil {
			return err
		}
		if err := bind(g.binding.BindOutput, name.presentSaid, g.present[i], 1, g.shape.heads, g.tokens+more, g.shape.headDim); err != nil {
			return err
		}
	}
	return nil
}

// bindListening has the first token make the keys and values of what was heard.
func (g *decoding) bindListening(int) error {
	g.useCache[0] = false
	for i, name := range g.caches {
		g.heard[i] = room(g.heard[i], g.shape.heads*g.frames*g.shape.headDim, 0)
		if err := bind(g.binding.BindInput, name.pastHeard, g.heard[i], 1, g.shape.heads, 0, g.shape.headDim); err != nil {
			return err
		}
		if err := bind(g.binding.BindOutput, name.presentHeard, g.heard[i], 1, g.shape.heads, g.frames, g.shape.headDim); err != nil {
			return err
		}
	}
	return bind(g.binding.BindInput, "use_cache_branch", g.useCache, 1)
}

// bindHeard has the later tokens read the keys and values of what was heard.
// For those they are outputs that must not be asked for.
func (g *decoding) bindHeard(int) error {
	g.useCache[0] = true
	for i, name := range g.caches {
		if err := bind(g.binding.BindInput, name.pastHeard, g.heard[i], 1, g.shape.heads, g.frames, g.shape.headDim); err != nil {
			return err
		}
	}
	return nil
}

// bind binds a slice as a tensor. The binding holds on to the tensor's
// address, so that its Go wrapper need not live on; the slice must.
func bind[T ort.TensorData](to func(string, ort.Value) error, name string, data []T, dims ...int) error {
	shape := make(ort.Shape, len(dims))
	for i, d := range dims {
		shape[i] = int64(d)
	}
	tensor, err := ort.NewTensor(shape, data)
	if err != nil {
		return fmt.Errorf("make tensor %s: %w", name, err)
	}
	defer func() { _ = tensor.Destroy() }()
	if err := to(name, tensor); err != nil {
		return fmt.Errorf("bind tensor %s: %w", name, err)
	}
	return nil
}
