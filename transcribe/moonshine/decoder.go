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

// close frees the decoder, if there is one.
func (d *decoder) close() error {
	if d == nil {
		return nil
	}
	return errors.Join(d.session.Destroy(), d.head.close())
}

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
	return newBuffers(d.shape)
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
	weights       [][]float32 // cross-attention, layer by layer: [heads, tokens, frames]
	hidden        []float32   // what the last layer says: [tokens, dim]
	said          []int64     // the tokens that are said to the decoder
	useCache      []bool
}

func newBuffers(s decoderShape) *buffers {
	return &buffers{
		past:     make([][]float32, 2*s.layers),
		present:  make([][]float32, 2*s.layers),
		heard:    make([][]float32, 2*s.layers),
		weights:  make([][]float32, s.layers),
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
