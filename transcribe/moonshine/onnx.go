package moonshine

import (
	"fmt"
	"regexp"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"
)

// Field numbers of onnx.proto (ONNX IR version 10), as far as they are used here.
const (
	modelIRVersion protowire.Number = 1
	modelGraph     protowire.Number = 7
	modelOpset     protowire.Number = 8
	opsetVersion   protowire.Number = 2

	graphNode        protowire.Number = 1
	graphName        protowire.Number = 2
	graphInitializer protowire.Number = 5
	graphInput       protowire.Number = 11
	graphOutput      protowire.Number = 12

	nodeInput     protowire.Number = 1
	nodeOutput    protowire.Number = 2
	nodeOpType    protowire.Number = 4
	nodeAttribute protowire.Number = 5

	attributeGraph protowire.Number = 6

	valueName   protowire.Number = 1
	valueType   protowire.Number = 2
	typeTensor  protowire.Number = 1
	typeElem    protowire.Number = 1
	typeShape   protowire.Number = 2
	shapeDim    protowire.Number = 1
	dimValue    protowire.Number = 1
	tensorDims  protowire.Number = 1
	tensorType  protowire.Number = 2
	tensorFloat protowire.Number = 4
	tensorInt32 protowire.Number = 5
	tensorName  protowire.Number = 8
	tensorRaw   protowire.Number = 9
)

// Numbers of TensorProto.DataType.
const (
	elemFloat = 1
	elemUint8 = 2
	elemInt32 = 6
)

// node is an operation of a graph.
type node struct {
	op      string
	inputs  []string
	outputs []string
	field
}

func readNode(f field) (node, error) {
	n := node{field: f}
	err := each(f.value, func(f field) error {
		if f.typ != protowire.BytesType {
			return nil
		}
		switch f.num {
		case nodeOpType:
			n.op = string(f.value)
		case nodeInput:
			n.inputs = append(n.inputs, string(f.value))
		case nodeOutput:
			n.outputs = append(n.outputs, string(f.value))
		}
		return nil
	})
	return n, err
}

// value is an input or output of a graph; a dimension that is only known at
// run time is 0.
type value struct {
	name string
	dims []int
}

func readValue(f field) (value, error) {
	name, err := first(f.value, valueName)
	if err != nil {
		return value{}, err
	}
	v := value{name: string(name)}
	shape := f.value
	for _, num := range []protowire.Number{valueType, typeTensor, typeShape} {
		if shape, err = first(shape, num); err != nil {
			return v, err
		}
	}
	err = each(shape, func(f field) error {
		if !f.isMessage(shapeDim) {
			return nil
		}
		var dim int
		err := each(f.value, func(f field) error {
			if f.num == dimValue {
				dim = clampInt(f.varint)
			}
			return nil
		})
		v.dims = append(v.dims, dim)
		return err
	})
	return v, err
}

// clampInt turns what a file says into a number that arithmetic can bear.
func clampInt(n uint64) int { return int(min(n, 1<<31-1)) }

// appendValue appends an input or output of a graph; without dims its shape
// is only known at run time.
func appendValue(graph []byte, num protowire.Number, name string, elem uint64, dims ...int) []byte {
	tensor := appendInt(nil, typeElem, elem)
	if len(dims) > 0 {
		var shape []byte
		for _, d := range dims {
			shape = appendMessage(shape, shapeDim, appendInt(nil, dimValue, uint64(d)))
		}
		tensor = appendMessage(tensor, typeShape, shape)
	}
	v := appendMessage(nil, valueName, name)
	v = appendMessage(v, valueType, appendMessage(nil, typeTensor, tensor))
	return appendMessage(graph, num, v)
}

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
func readShape(graph []byte) (decoderShape, field, error) {
	var s decoderShape
	var logits field
	err := each(graph, func(f field) error {
		if !f.isMessage(graphInput) && !f.isMessage(graphOutput) {
			return nil
		}
		v, err := readValue(f)
		if err != nil {
			return err
		}
		switch {
		case cacheName.MatchString(v.name) && len(v.dims) == 4:
			s.layers++
			s.heads, s.headDim = v.dims[1], v.dims[3]
		case v.name == "logits" && len(v.dims) == 3:
			s.vocab = v.dims[2]
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
