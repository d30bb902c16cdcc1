package moonshine

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"
)

// Field numbers of onnx.proto3 (ONNX IR version 10), as far as they are used here.
const (
	modelGraph protowire.Number = 7

	graphNode   protowire.Number = 1
	graphInput  protowire.Number = 11
	graphOutput protowire.Number = 12

	nodeOutput    protowire.Number = 2
	nodeOpType    protowire.Number = 4
	nodeAttribute protowire.Number = 5

	attributeGraph protowire.Number = 6

	valueName  protowire.Number = 1
	valueType  protowire.Number = 2
	typeTensor protowire.Number = 1

	tensorElem  protowire.Number = 1
	tensorShape protowire.Number = 2
	shapeDim    protowire.Number = 1
	dimValue    protowire.Number = 1

	elemFloat = 1 // TensorProto.DataType FLOAT
)

// maxLayers bounds what a decoder may claim to have.
const maxLayers = 64

// decoderShape is what the decoder's graph says about its own size.
type decoderShape struct {
	layers  int // decoder layers, each with a key-value cache for itself and one for the encoder
	heads   int // attention heads in each
	headDim int // numbers in a head's key or value
	vocab   int // tokens it can say
}

// exposeAttention gives the merged decoder of a Moonshine model one output
// more for each layer, named by [attentionName]: the weights of its
// cross-attention, which tell what part of the sound a token was heard in.
//
// A merged decoder is a graph of one If node, with a branch for the first
// token and a branch for the later ones, over weights that both share. The
// weights are most of the file; they are copied once and never looked at. So
// is everything else but three lists of outputs: of each branch, of the If
// node, and of the graph, to which the same tensors are appended.
func exposeAttention(model []byte) ([]byte, decoderShape, error) {
	var shape decoderShape
	graphs, err := occurrences(model, modelGraph)
	if err != nil {
		return nil, shape, fmt.Errorf("model: %w", err)
	}
	if len(graphs) != 1 {
		return nil, shape, fmt.Errorf("model has %d graphs, want 1", len(graphs))
	}
	graph := graphs[0]
	if shape, err = readShape(graph.value); err != nil {
		return nil, shape, err
	}
	nodes, err := occurrences(graph.value, graphNode)
	if err != nil {
		return nil, shape, fmt.Errorf("graph: %w", err)
	}
	if len(nodes) != 1 {
		return nil, shape, fmt.Errorf("graph has %d nodes, want the one If of a merged decoder", len(nodes))
	}
	node, err := exposeInNode(nodes[0].value, shape.layers)
	if err != nil {
		return nil, shape, err
	}
	node = protowire.AppendBytes(protowire.AppendTag(nil, graphNode, protowire.BytesType), node)
	for layer := range shape.layers {
		node = appendOutput(node, attentionName(layer))
	}

	size := len(graph.value) - (nodes[0].end - nodes[0].start) + len(node)
	out := make([]byte, 0, len(model)+len(node)+2*maxHeader)
	out = append(out, model[:graph.start]...)
	out = append(out, model[graph.end:]...)
	out = protowire.AppendTag(out, modelGraph, protowire.BytesType)
	out = protowire.AppendVarint(out, uint64(size))
	out = append(out, graph.value[:nodes[0].start]...)
	out = append(out, graph.value[nodes[0].end:]...)
	return append(out, node...), shape, nil
}

// maxHeader is the most bytes that a tag with a length takes.
const maxHeader = 2 * 10

// attentionName is the graph's output with the cross-attention of a layer.
func attentionName(layer int) string { return "cross_attentions." + strconv.Itoa(layer) }

// exposeInNode appends the cross-attention of every layer to the outputs of
// an If node and of both its branches.
func exposeInNode(node []byte, layers int) ([]byte, error) {
	if op, err := bytesOf(node, nodeOpType); err != nil || string(op) != "If" {
		return nil, fmt.Errorf("decoder's node is a %q, want the If of a merged decoder", op)
	}
	var branches int
	out, err := rewrite(node, nodeAttribute, func(attribute []byte) ([]byte, error) {
		return rewrite(attribute, attributeGraph, func(branch []byte) ([]byte, error) {
			branches++
			tensors, err := attentionTensors(branch, layers)
			if err != nil {
				return nil, err
			}
			out := make([]byte, 0, len(branch)+layers*128)
			out = append(out, branch...)
			for _, name := range tensors {
				out = appendOutput(out, name)
			}
			return out, nil
		})
	})
	if err != nil {
		return nil, err
	}
	if branches != 2 {
		return nil, fmt.Errorf("decoder has %d branches, want 2", branches)
	}
	for layer := range layers {
		out = protowire.AppendTag(out, nodeOutput, protowire.BytesType)
		out = protowire.AppendString(out, attentionName(layer))
	}
	return out, nil
}

// crossSoftmax names the tensor in which Hugging Face's exporter leaves the
// cross-attention weights of a layer.
var crossSoftmax = regexp.MustCompile(`layers\.(\d{1,3})/encoder_attn/Softmax_output_0$`)

// attentionTensors finds the cross-attention weights of each layer in a branch.
func attentionTensors(branch []byte, layers int) ([]string, error) {
	tensors := make([]string, layers)
	err := each(branch, func(f field) error {
		if f.num != graphNode {
			return nil
		}
		op, err := bytesOf(f.value, nodeOpType)
		if err != nil || string(op) != "Softmax" {
			return err
		}
		output, err := bytesOf(f.value, nodeOutput)
		if err != nil {
			return err
		}
		if m := crossSoftmax.FindSubmatch(output); m != nil {
			if layer, err := strconv.Atoi(string(m[1])); err == nil && layer < layers {
				tensors[layer] = string(output)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("branch: %w", err)
	}
	for layer, name := range tensors {
		if name == "" {
			return nil, fmt.Errorf("branch shows no cross-attention for layer %d", layer)
		}
	}
	return tensors, nil
}

// appendOutput appends a graph output: a float tensor of unstated shape.
func appendOutput(graph []byte, name string) []byte {
	tensor := protowire.AppendTag(nil, tensorElem, protowire.VarintType)
	tensor = protowire.AppendVarint(tensor, elemFloat)
	typ := protowire.AppendBytes(protowire.AppendTag(nil, typeTensor, protowire.BytesType), tensor)
	value := protowire.AppendString(protowire.AppendTag(nil, valueName, protowire.BytesType), name)
	value = protowire.AppendBytes(protowire.AppendTag(value, valueType, protowire.BytesType), typ)
	return protowire.AppendBytes(protowire.AppendTag(graph, graphOutput, protowire.BytesType), value)
}

// cacheName names the graph's input that holds a layer's past keys.
var cacheName = regexp.MustCompile(`^past_key_values\.(\d{1,3})\.decoder\.key$`)

// readShape reads the decoder's size off the declared inputs and outputs.
func readShape(graph []byte) (decoderShape, error) {
	var s decoderShape
	err := each(graph, func(f field) error {
		if f.num != graphInput && f.num != graphOutput {
			return nil
		}
		name, dims, err := valueInfo(f.value)
		if err != nil {
			return err
		}
		if cacheName.MatchString(name) && len(dims) == 4 {
			s.layers++
			s.heads, s.headDim = int(dims[1]), int(dims[3])
		}
		if name == "logits" && len(dims) == 3 {
			s.vocab = int(dims[2])
		}
		return nil
	})
	if err != nil {
		return s, fmt.Errorf("graph: %w", err)
	}
	for _, n := range []struct {
		what     string
		got, max int
	}{{"layers", s.layers, maxLayers}, {"heads", s.heads, 256}, {"numbers a head", s.headDim, 4096}, {"tokens", s.vocab, maxVocabulary}} {
		if n.got < 1 || n.got > n.max {
			return s, fmt.Errorf("decoder declares %d %s, want 1 to %d", n.got, n.what, n.max)
		}
	}
	return s, nil
}

// valueInfo reads a tensor's name and dimensions; a dimension that is only
// known at run time is 0.
func valueInfo(value []byte) (name string, dims []uint64, err error) {
	n, err := bytesOf(value, valueName)
	if err != nil {
		return "", nil, err
	}
	shape := value
	for _, num := range []protowire.Number{valueType, typeTensor, tensorShape} {
		if shape, err = bytesOf(shape, num); err != nil {
			return "", nil, err
		}
	}
	err = each(shape, func(f field) error {
		if f.num != shapeDim {
			return nil
		}
		var dim uint64
		err := each(f.value, func(f field) error {
			if f.num == dimValue && f.typ == protowire.VarintType {
				dim = f.varint
			}
			return nil
		})
		dims = append(dims, min(dim, 1<<31-1))
		return err
	})
	return string(n), dims, err
}

// field is one field of a protobuf message.
type field struct {
	num        protowire.Number
	typ        protowire.Type
	varint     uint64 // of a varint
	value      []byte // of a string, bytes or message
	start, end int    // where it stands in its message, tag included
}

// each calls f for every field of a message in order.
func each(message []byte, f func(field) error) error {
	for at := 0; at < len(message); {
		num, typ, n := protowire.ConsumeTag(message[at:])
		if n < 0 {
			return protowire.ParseError(n)
		}
		fd := field{num: num, typ: typ, start: at}
		at += n
		if n = protowire.ConsumeFieldValue(num, typ, message[at:]); n < 0 {
			return protowire.ParseError(n)
		}
		switch typ {
		case protowire.VarintType:
			fd.varint, _ = protowire.ConsumeVarint(message[at:])
		case protowire.BytesType:
			fd.value, _ = protowire.ConsumeBytes(message[at:])
		}
		at += n
		fd.end = at
		if err := f(fd); err != nil {
			return err
		}
	}
	return nil
}

// occurrences returns the fields of a message that have a number and bytes.
func occurrences(message []byte, num protowire.Number) (found []field, err error) {
	err = each(message, func(f field) error {
		if f.num != num || f.typ != protowire.BytesType {
			return nil
		}
		if found = append(found, f); len(found) > 1<<16 {
			return errors.New("too many fields")
		}
		return nil
	})
	return found, err
}

// bytesOf returns the bytes of the first field with a number; nil when there is none.
func bytesOf(message []byte, num protowire.Number) ([]byte, error) {
	var value []byte
	err := each(message, func(f field) error {
		if value == nil && f.num == num {
			value = f.value
		}
		return nil
	})
	return value, err
}

// rewrite copies a message with the bytes of every field of a number replaced.
func rewrite(message []byte, num protowire.Number, edit func([]byte) ([]byte, error)) ([]byte, error) {
	out := make([]byte, 0, len(message))
	err := each(message, func(f field) error {
		if f.num != num || f.typ != protowire.BytesType {
			out = append(out, message[f.start:f.end]...)
			return nil
		}
		value, err := edit(f.value)
		if err != nil {
			return err
		}
		out = protowire.AppendTag(out, num, protowire.BytesType)
		out = protowire.AppendBytes(out, value)
		return nil
	})
	return out, err
}
