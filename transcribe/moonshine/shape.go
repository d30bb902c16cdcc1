package moonshine

import (
	"fmt"
	"regexp"
	"strconv"

	"hark/transcribe/internal/onnx"
)

// Names of the outputs that the decoder is given.
const hiddenName = "hidden"

// attentionName is the output with the cross-attention of a layer.
func attentionName(layer int) string { return "cross_attentions." + strconv.Itoa(layer) }

// cacheName names the input that holds the keys of the tokens so far.
var cacheName = regexp.MustCompile(`^past_key_values\.\d{1,3}\.decoder\.key$`)

// crossSoftmax names the tensor in which Hugging Face's exporter leaves the
// cross-attention weights of a layer.
var crossSoftmax = regexp.MustCompile(`layers\.(\d{1,3})/encoder_attn/Softmax_output_0$`)

// decoderShape is what the decoder's graph says about its own size.
type decoderShape struct {
	layers  int // each with a cache of keys and values for the tokens, and one for the sound
	heads   int // of attention in each layer
	headDim int // numbers in a head's key or value
	vocab   int // tokens it can say
}

// readShape reads the decoder's size off its declared inputs and outputs. It
// returns the output field of the logits as well.
func readShape(graph []byte) (decoderShape, onnx.Field, error) {
	var s decoderShape
	var logits onnx.Field
	err := onnx.Each(graph, func(f onnx.Field) error {
		if !f.IsMessage(onnx.GraphInput) && !f.IsMessage(onnx.GraphOutput) {
			return nil
		}
		v, err := onnx.ReadValue(f)
		if err != nil {
			return err
		}
		switch {
		case cacheName.MatchString(v.Name) && len(v.Dims) == 4:
			s.layers++
			s.heads, s.headDim = v.Dims[1], v.Dims[3]
		case v.Name == "logits" && len(v.Dims) == 3:
			s.vocab = v.Dims[2]
			logits = f
		}
		return nil
	})
	if err != nil {
		return s, logits, err
	}
	for _, n := range []struct {
		what      string
		got, most int
	}{{"layers", s.layers, 64}, {"heads", s.heads, 256}, {"numbers to a head", s.headDim, 4096}, {"tokens", s.vocab, maxVocabulary}} {
		if n.got < 1 || n.got > n.most {
			return s, logits, fmt.Errorf("decoder declares %d %s, want 1 to %d", n.got, n.what, n.most)
		}
	}
	return s, logits, nil
}
