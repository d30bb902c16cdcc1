package moonshine

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"

	"hark/transcribe/internal/onnx"
)

// decoderParts is a merged decoder taken apart: see [splitDecoder].
type decoderParts struct {
	shape decoderShape
	body  []byte     // ONNX model of the decoder up to its last layer
	head  projection // from there to the tokens
}

// splitDecoder makes two models of the merged decoder that Hugging Face's
// exporter writes. The body answers, instead of logits, what its last layer
// says (named [hiddenName]), and besides the weights of each layer's
// cross-attention ([attentionName]), which tell what part of the sound a token
// was heard in. The head makes logits of what the last layer says.
//
// The reason for the second cut is speed: the file has the vocabulary's matrix
// in bytes and turns all of it into floats for every token, 54 MB for the base
// model, which takes longer than the rest of the token. The head multiplies
// the bytes.
//
// A merged decoder is a graph of one If node, with a branch for the first
// token and a branch for the later ones, over weights that both share. The
// weights are most of the file; they are copied once and not looked at.
func splitDecoder(model []byte) (*decoderParts, error) {
	graph, err := onnx.Only(model, onnx.ModelGraph)
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	shape, logits, err := readShape(graph.Value)
	if err != nil {
		return nil, fmt.Errorf("graph: %w", err)
	}
	conditional, err := onnx.Only(graph.Value, onnx.GraphNode)
	if err != nil {
		return nil, fmt.Errorf("graph is not a merged decoder: node: %w", err)
	}
	edited, ends, err := editConditional(conditional, shape.layers)
	if err != nil {
		return nil, err
	}
	head, err := readProjection(graph.Value, ends, shape.vocab)
	if err != nil {
		return nil, err
	}

	added := onnx.AppendMessage(nil, onnx.GraphNode, edited)
	added = onnx.AppendValue(added, onnx.GraphOutput, hiddenName, onnx.Float)
	for layer := range shape.layers {
		added = onnx.AppendValue(added, onnx.GraphOutput, attentionName(layer), onnx.Float)
	}
	cut := []onnx.Field{conditional, logits}
	slices.SortFunc(cut, func(a, b onnx.Field) int { return a.Start - b.Start })
	size := len(graph.Value) + len(added) - len(conditional.Raw) - len(logits.Raw)

	body := onnx.Without(make([]byte, 0, len(model)+len(added)), model, graph)
	body = protowire.AppendTag(body, onnx.ModelGraph, protowire.BytesType)
	body = protowire.AppendVarint(body, uint64(size))
	body = onnx.Without(body, graph.Value, cut...)
	return &decoderParts{shape: shape, body: append(body, added...), head: head}, nil
}

// editConditional gives the If node and both its branches the new outputs. It
// returns the node and how the branches ended, which must be the same.
func editConditional(f onnx.Field, layers int) ([]byte, ending, error) {
	var ends []ending
	if n, err := onnx.ReadNode(f); err != nil || n.Op != "If" {
		return nil, ending{}, errors.Join(fmt.Errorf("graph is not a merged decoder: its node is a %q, want If", n.Op), err)
	}
	out, err := onnx.Rewrite(f.Value, func(out []byte, f onnx.Field) ([]byte, error) {
		switch {
		case f.IsMessage(onnx.NodeAttribute):
			attribute, err := onnx.Rewrite(f.Value, func(out []byte, f onnx.Field) ([]byte, error) {
				if !f.IsMessage(onnx.AttributeGraph) {
					return append(out, f.Raw...), nil
				}
				branch, end, err := editBranch(f.Value, layers)
				ends = append(ends, end)
				return onnx.AppendMessage(out, onnx.AttributeGraph, branch), err
			})
			return onnx.AppendMessage(out, onnx.NodeAttribute, attribute), err
		case f.IsMessage(onnx.NodeOutput) && string(f.Value) == "logits":
			return onnx.AppendMessage(out, onnx.NodeOutput, hiddenName), nil
		default:
			return append(out, f.Raw...), nil
		}
	})
	if err != nil {
		return nil, ending{}, err
	}
	for layer := range layers {
		out = onnx.AppendMessage(out, onnx.NodeOutput, attentionName(layer))
	}
	if len(ends) != 2 || ends[0] != ends[1] {
		return nil, ending{}, fmt.Errorf("decoder has %d branches, want 2 that end alike", len(ends))
	}
	return out, ends[0], nil
}

// ending names the tensors that a branch makes its logits of: those of the
// last layer times a matrix of bytes, each less zero and times scale.
type ending struct{ hidden, matrix, scale, zero string }

// editBranch cuts the nodes off that make logits, and puts what they are made
// of in their place among the outputs; the cross-attention of each layer
// comes after the other outputs.
func editBranch(branch []byte, layers int) ([]byte, ending, error) {
	made := map[string]onnx.Node{} // by the first output
	err := onnx.Each(branch, func(f onnx.Field) error {
		if !f.IsMessage(onnx.GraphNode) {
			return nil
		}
		n, err := onnx.ReadNode(f)
		if err == nil && len(n.Outputs) > 0 {
			made[n.Outputs[0]] = n
		}
		return err
	})
	if err != nil {
		return nil, ending{}, fmt.Errorf("branch: %w", err)
	}
	end, cut, err := findEnding(made)
	if err != nil {
		return nil, end, err
	}
	attention, err := findAttention(made, layers)
	if err != nil {
		return nil, end, err
	}
	out, err := onnx.Rewrite(branch, func(out []byte, f onnx.Field) ([]byte, error) {
		if slices.Contains(cut, f.Start) {
			return out, nil
		}
		if f.IsMessage(onnx.GraphOutput) {
			if v, err := onnx.ReadValue(f); err != nil || v.Name == "logits" {
				return onnx.AppendValue(out, onnx.GraphOutput, end.hidden, onnx.Float), err
			}
		}
		return append(out, f.Raw...), nil
	})
	for _, name := range attention {
		out = onnx.AppendValue(out, onnx.GraphOutput, name, onnx.Float)
	}
	return out, end, err
}

// findEnding finds the three nodes that make logits: the matrix of bytes is
// turned, made floats of, and multiplied with.
func findEnding(made map[string]onnx.Node) (end ending, cut []int, err error) {
	input := func(n onnx.Node, op string, i int) string {
		if err == nil && (n.Op != op || len(n.Inputs) <= i) {
			err = fmt.Errorf("branch ends in a %q of %d inputs where %s is known", n.Op, len(n.Inputs), op)
		}
		if err != nil {
			return ""
		}
		return n.Inputs[i]
	}
	product := made["logits"]
	end.hidden = input(product, "MatMul", 0)
	floats := made[input(product, "MatMul", 1)]
	end.scale = input(floats, "DequantizeLinear", 1)
	end.zero = input(floats, "DequantizeLinear", 2)
	turned := made[input(floats, "DequantizeLinear", 0)]
	end.matrix = input(turned, "Transpose", 0)
	return end, []int{product.Start, floats.Start, turned.Start}, err
}

// findAttention finds the cross-attention weights of each layer.
func findAttention(made map[string]onnx.Node, layers int) ([]string, error) {
	found := make([]string, layers)
	for name, n := range made {
		m := crossSoftmax.FindStringSubmatch(name)
		if m == nil || n.Op != "Softmax" {
			continue
		}
		if layer, err := strconv.Atoi(m[1]); err == nil && layer < layers {
			found[layer] = name
		}
	}
	if layer := slices.Index(found, ""); layer >= 0 {
		return nil, fmt.Errorf("branch shows no cross-attention for layer %d", layer)
	}
	return found, nil
}
