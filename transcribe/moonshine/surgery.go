package moonshine

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"
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
	graph, err := only(model, modelGraph)
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	shape, logits, err := readShape(graph.value)
	if err != nil {
		return nil, fmt.Errorf("graph: %w", err)
	}
	conditional, err := only(graph.value, graphNode)
	if err != nil {
		return nil, fmt.Errorf("graph is no merged decoder: node: %w", err)
	}
	edited, ends, err := editConditional(conditional, shape.layers)
	if err != nil {
		return nil, err
	}
	head, err := readProjection(graph.value, ends, shape.vocab)
	if err != nil {
		return nil, err
	}

	added := appendMessage(nil, graphNode, edited)
	added = appendValue(added, graphOutput, hiddenName, elemFloat)
	for layer := range shape.layers {
		added = appendValue(added, graphOutput, attentionName(layer), elemFloat)
	}
	cut := []field{conditional, logits}
	slices.SortFunc(cut, func(a, b field) int { return a.start - b.start })
	size := len(graph.value) + len(added) - len(conditional.raw) - len(logits.raw)

	body := without(make([]byte, 0, len(model)+len(added)), model, graph)
	body = protowire.AppendTag(body, modelGraph, protowire.BytesType)
	body = protowire.AppendVarint(body, uint64(size))
	body = without(body, graph.value, cut...)
	return &decoderParts{shape: shape, body: append(body, added...), head: head}, nil
}

// editConditional gives the If node and both its branches the new outputs. It
// returns the node and how the branches ended, which must be the same.
func editConditional(f field, layers int) ([]byte, ending, error) {
	var ends []ending
	if n, err := readNode(f); err != nil || n.op != "If" {
		return nil, ending{}, errors.Join(fmt.Errorf("graph is no merged decoder: its node is a %q, want If", n.op), err)
	}
	out, err := rewrite(f.value, func(out []byte, f field) ([]byte, error) {
		switch {
		case f.isMessage(nodeAttribute):
			attribute, err := rewrite(f.value, func(out []byte, f field) ([]byte, error) {
				if !f.isMessage(attributeGraph) {
					return append(out, f.raw...), nil
				}
				branch, end, err := editBranch(f.value, layers)
				ends = append(ends, end)
				return appendMessage(out, attributeGraph, branch), err
			})
			return appendMessage(out, nodeAttribute, attribute), err
		case f.isMessage(nodeOutput) && string(f.value) == "logits":
			return appendMessage(out, nodeOutput, hiddenName), nil
		default:
			return append(out, f.raw...), nil
		}
	})
	if err != nil {
		return nil, ending{}, err
	}
	for layer := range layers {
		out = appendMessage(out, nodeOutput, attentionName(layer))
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
	made := map[string]node{} // by the first output
	err := each(branch, func(f field) error {
		if !f.isMessage(graphNode) {
			return nil
		}
		n, err := readNode(f)
		if err == nil && len(n.outputs) > 0 {
			made[n.outputs[0]] = n
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
	out, err := rewrite(branch, func(out []byte, f field) ([]byte, error) {
		if slices.Contains(cut, f.start) {
			return out, nil
		}
		if f.isMessage(graphOutput) {
			if v, err := readValue(f); err != nil || v.name == "logits" {
				return appendValue(out, graphOutput, end.hidden, elemFloat), err
			}
		}
		return append(out, f.raw...), nil
	})
	for _, name := range attention {
		out = appendValue(out, graphOutput, name, elemFloat)
	}
	return out, end, err
}

// findEnding finds the three nodes that make logits: the matrix of bytes is
// turned, made floats of, and multiplied with.
func findEnding(made map[string]node) (end ending, cut []int, err error) {
	input := func(n node, op string, i int) string {
		if err == nil && (n.op != op || len(n.inputs) <= i) {
			err = fmt.Errorf("branch ends in a %q of %d inputs where %s is known", n.op, len(n.inputs), op)
		}
		if err != nil {
			return ""
		}
		return n.inputs[i]
	}
	product := made["logits"]
	end.hidden = input(product, "MatMul", 0)
	floats := made[input(product, "MatMul", 1)]
	end.scale = input(floats, "DequantizeLinear", 1)
	end.zero = input(floats, "DequantizeLinear", 2)
	turned := made[input(floats, "DequantizeLinear", 0)]
	end.matrix = input(turned, "Transpose", 0)
	return end, []int{product.start, floats.start, turned.start}, err
}

// findAttention finds the cross-attention weights of each layer.
func findAttention(made map[string]node, layers int) ([]string, error) {
	found := make([]string, layers)
	for name, n := range made {
		m := crossSoftmax.FindStringSubmatch(name)
		if m == nil || n.op != "Softmax" {
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
