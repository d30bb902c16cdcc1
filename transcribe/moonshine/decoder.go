package moonshine

import (
	"errors"
	"fmt"
	"os"
	"sync"

	ort "github.com/yalue/onnxruntime_go"
)

// decoder is the half of the model that says tokens: a session of what
// [splitDecoder] makes of the merged decoder, and its head.
//
// It is safe for concurrent use; every utterance has its own [decoding].
type decoder struct {
	session *ort.DynamicAdvancedSession
	head    *head
	shape   decoderShape
	caches  []cacheNames

	mu   sync.Mutex
	idle []*buffers // as many as there were calls at once
}

// cacheNames are what the graph calls the keys, or the values, of one layer.
type cacheNames struct {
	pastSaid, presentSaid   string // of the tokens said
	pastHeard, presentHeard string // of the sound heard
}

// namesOf lists the caches of all layers, keys before values.
func namesOf(layers int) []cacheNames {
	var names []cacheNames
	for layer := range layers {
		for _, kind := range []string{"key", "value"} {
			said, heard := fmt.Sprintf("%d.decoder.%s", layer, kind), fmt.Sprintf("%d.encoder.%s", layer, kind)
			names = append(names, cacheNames{
				pastSaid: "past_key_values." + said, presentSaid: "present." + said,
				pastHeard: "past_key_values." + heard, presentHeard: "present." + heard,
			})
		}
	}
	return names
}

// openDecoder loads a merged decoder from a file.
func openDecoder(path string, threads int) (*decoder, error) {
	model, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	parts, err := splitDecoder(model)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	options, err := sessionOptions(threads)
	if err != nil {
		return nil, err
	}
	defer func() { _ = options.Destroy() }()
	session, err := ort.NewDynamicAdvancedSessionWithONNXData(parts.body, nil, nil, options)
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", path, err)
	}
	head, err := openHead(&parts.head, threads)
	if err != nil {
		return nil, errors.Join(err, session.Destroy())
	}
	return &decoder{session: session, head: head, shape: parts.shape, caches: namesOf(parts.shape.layers)}, nil
}

func (d *decoder) close() error { return errors.Join(d.session.Destroy(), d.head.close()) }

// borrow returns buffers that nobody uses. They are kept by hand and not in a
// sync.Pool, whose content the garbage collector drops every other time: at
// 25 MB for ten seconds of sound that would be most of the program's garbage.
func (d *decoder) borrow() *buffers {
	d.mu.Lock()
	defer d.mu.Unlock()
	if n := len(d.idle); n > 0 {
		b := d.idle[n-1]
		d.idle = d.idle[:n-1]
		return b
	}
	return newBuffers(d.shape, d.head.dim)
}

func (d *decoder) giveBack(b *buffers) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.idle = append(d.idle, b)
}

// buffers are the memory that the decoder's tensors lie in, kept from one
// utterance to the next. What ONNX Runtime is given the address of stays
// referenced from here.
type buffers struct {
	past, present [][]float32 // keys and values of what was said, layer by layer: [heads, tokens, headDim]
	heard         [][]float32 // keys and values of what was heard: [heads, frames, headDim]
	weights       [][]float32 // cross-attention of one step, layer by layer: [heads, frames]
	hidden        []float32   // what the last layer says
	token         []int64
	useCache      []bool
}

func newBuffers(s decoderShape, dim int) *buffers {
	return &buffers{
		past:     make([][]float32, 2*s.layers),
		present:  make([][]float32, 2*s.layers),
		heard:    make([][]float32, 2*s.layers),
		weights:  make([][]float32, s.layers),
		hidden:   make([]float32, dim),
		token:    make([]int64, 1),
		useCache: make([]bool, 1),
	}
}

// room returns a slice of n numbers in place of buf, with space for spare
// more if it has to be made. What was in buf is lost.
func room(buf []float32, n, spare int) []float32 {
	if cap(buf) < n {
		buf = make([]float32, n, n+spare)
	}
	return buf[:n]
}

// decoding is one utterance on its way through the decoder. Call close when done.
type decoding struct {
	*decoder
	*buffers
	binding *ort.IoBinding
	scores  *scores
	frames  int
	tokens  int // said so far
}

// begin starts an utterance on what the encoder made of it, which must stay
// alive until close.
func (d *decoder) begin(heard ort.Value) (*decoding, error) {
	binding, err := d.session.CreateIoBinding()
	if err != nil {
		return nil, fmt.Errorf("bind decoder: %w", err)
	}
	scores, err := d.head.newScores()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make tensors: %w", err), binding.Destroy())
	}
	g := &decoding{decoder: d, buffers: d.borrow(), binding: binding, scores: scores, frames: int(heard.GetShape()[1])}
	if err := g.bindUtterance(heard); err != nil {
		g.close()
		return nil, err
	}
	return g, nil
}

func (g *decoding) close() {
	_ = g.binding.Destroy()
	g.scores.destroy()
	g.giveBack(g.buffers)
}

// bindUtterance binds the inputs that are the same in every step.
func (g *decoding) bindUtterance(heard ort.Value) error {
	if err := g.binding.BindInput("encoder_hidden_states", heard); err != nil {
		return fmt.Errorf("bind encoder's answer: %w", err)
	}
	return bind(g.binding.BindInput, "input_ids", g.token, 1, 1)
}

// step says a token to the decoder, and returns the one that it would say next
// and the logarithm of its probability. Where it listened for that is left in
// weights.
//
// The first step also turns what was heard into keys and values, which the
// later steps read; for those it is an output that must not be asked for.
func (g *decoding) step(token int) (next int, logProb float64, err error) {
	g.token[0] = int64(token)
	bindings := []func() error{g.bindCache}
	switch g.tokens {
	case 0:
		bindings = append(bindings, g.bindAnswers, g.bindListening)
	case 1:
		g.binding.ClearBoundOutputs()
		bindings = append(bindings, g.bindAnswers, g.bindHeard)
	}
	for _, bind := range bindings {
		if err := bind(); err != nil {
			return 0, 0, err
		}
	}
	if err := g.session.RunWithBinding(g.binding); err != nil {
		return 0, 0, fmt.Errorf("run decoder: %w", err)
	}
	g.past, g.present = g.present, g.past
	g.tokens++
	return g.scores.likeliest(g.hidden)
}

// bindAnswers binds the outputs that every step answers with.
func (g *decoding) bindAnswers() error {
	for layer := followsFrom(g.shape.layers); layer < g.shape.layers; layer++ {
		g.weights[layer] = room(g.weights[layer], g.shape.heads*g.frames, 0)
		if err := bind(g.binding.BindOutput, attentionName(layer), g.weights[layer], 1, g.shape.heads, 1, g.frames); err != nil {
			return err
		}
	}
	return bind(g.binding.BindOutput, hiddenName, g.hidden, 1, 1, len(g.hidden))
}

// sparePlaces is for how many tokens more than needed a cache is made.
const sparePlaces = 32

// bindCache binds the keys and values of the tokens so far as inputs, and
// room for those and one token more as outputs.
func (g *decoding) bindCache() error {
	for i, name := range g.caches {
		size := g.shape.heads * g.shape.headDim // of one token
		g.present[i] = room(g.present[i], size*(g.tokens+1), size*sparePlaces)
		if err := bind(g.binding.BindInput, name.pastSaid, g.past[i], 1, g.shape.heads, g.tokens, g.shape.headDim); err != nil {
			return err
		}
		if err := bind(g.binding.BindOutput, name.presentSaid, g.present[i], 1, g.shape.heads, g.tokens+1, g.shape.headDim); err != nil {
			return err
		}
	}
	return nil
}

// bindListening has the first step make the keys and values of what was heard.
func (g *decoding) bindListening() error {
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

// bindHeard has the later steps read the keys and values of what was heard.
func (g *decoding) bindHeard() error {
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
