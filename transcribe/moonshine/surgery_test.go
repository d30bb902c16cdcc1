package moonshine

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// littleDecoder writes a merged decoder of the known form, of one layer and a
// vocabulary of two, with nothing between what matters here.
func littleDecoder(zero, scale []byte) []byte {
	operation := func(op, output string, inputs ...string) []byte {
		var n []byte
		for _, in := range inputs {
			n = appendMessage(n, nodeInput, in)
		}
		return appendMessage(appendMessage(n, nodeOutput, output), nodeOpType, op)
	}
	var branch []byte
	for _, n := range [][]byte{
		operation("Transpose", "turned", "matrix"),
		operation("DequantizeLinear", "floats", "turned", "scale", "zero"),
		operation("Softmax", "/layers.0/encoder_attn/Softmax_output_0", "scores"),
		operation("MatMul", "logits", "last", "floats"),
	} {
		branch = appendMessage(branch, graphNode, n)
	}
	branch = appendValue(branch, graphOutput, "logits", elemFloat)
	branch = appendValue(branch, graphOutput, "present.0.decoder.key", elemFloat)

	conditional := operation("If", "logits", "use_cache_branch")
	conditional = appendMessage(conditional, nodeOutput, "present.0.decoder.key")
	for range 2 {
		conditional = appendMessage(conditional, nodeAttribute, appendMessage(nil, attributeGraph, branch))
	}
	tensor := func(name string, value []byte, dims ...int) []byte {
		return appendMessage(tensorHead(name, dims...), tensorRaw, value)
	}
	graph := appendMessage(nil, graphNode, conditional)
	graph = appendMessage(graph, graphInitializer, tensor("matrix", []byte{1, 2, 3, 4, 5, 6}, 2, 3))
	graph = appendMessage(graph, graphInitializer, tensor("zero", zero))
	graph = appendMessage(graph, graphInitializer, tensor("scale", scale))
	graph = appendValue(graph, graphInput, "past_key_values.0.decoder.key", elemFloat, 1, 8, 4, 52)
	graph = appendValue(graph, graphOutput, "logits", elemFloat, 1, 1, 2)
	graph = appendValue(graph, graphOutput, "present.0.decoder.key", elemFloat)
	return appendMessage(appendInt(nil, modelIRVersion, 10), modelGraph, graph)
}

var half = []byte{0, 0, 0, 0x3f} // 0.5, as a tensor has it

func TestSplitDecoder(t *testing.T) {
	parts, err := splitDecoder(littleDecoder([]byte{7}, half))
	if err != nil {
		t.Fatal(err)
	}
	if want := (decoderShape{layers: 1, heads: 8, headDim: 52, vocab: 2}); parts.shape != want {
		t.Errorf("shape is %+v, want %+v", parts.shape, want)
	}
	if h := parts.head; h.scale != 0.5 || h.zero != 7 || h.dim != 3 || h.vocab != 2 {
		t.Errorf("projection is %+v", h)
	}
	graph, err := only(parts.body, modelGraph)
	if err != nil {
		t.Fatal(err)
	}
	conditional, err := only(graph.value, graphNode)
	if err != nil {
		t.Fatal(err)
	}
	n, err := readNode(conditional)
	if err != nil {
		t.Fatal(err)
	}
	// The outputs of the node and those of its branches belong together by place.
	if got := strings.Join(n.outputs, " "); got != "hidden present.0.decoder.key cross_attentions.0" {
		t.Errorf("the node's outputs are %s", got)
	}
	err = each(conditional.value, func(f field) error {
		if !f.isMessage(nodeAttribute) {
			return nil
		}
		branch, err := only(f.value, attributeGraph)
		if err != nil {
			return err
		}
		if got := outputs(t, branch.value); got != "last present.0.decoder.key /layers.0/encoder_attn/Softmax_output_0" {
			t.Errorf("a branch's outputs are %s", got)
		}
		if bytes.Contains(branch.value, []byte("floats")) {
			t.Error("a branch still makes floats of the matrix")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := outputs(t, graph.value); got != "present.0.decoder.key hidden cross_attentions.0" {
		t.Errorf("the graph's outputs are %s", got)
	}
}

// outputs lists the names of a graph's outputs.
func outputs(t *testing.T, graph []byte) string {
	t.Helper()
	var names []string
	err := each(graph, func(f field) error {
		if !f.isMessage(graphOutput) {
			return nil
		}
		v, err := readValue(f)
		names = append(names, v.name)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(names, " ")
}

func TestSplitDecoderRefusesOtherModels(t *testing.T) {
	good := littleDecoder([]byte{7}, half)
	for name, test := range map[string]struct {
		model []byte
		want  string
	}{
		"nothing":        {nil, "want once"},
		"text":           {[]byte("not a model at all"), ""},
		"cut short":      {good[:len(good)-3], ""},
		"no If":          {bytes.ReplaceAll(good, []byte("If"), []byte("Of")), "want If"},
		"other ending":   {bytes.ReplaceAll(good, []byte("Transpose"), []byte("Reshaping")), "Transpose is known"},
		"no attention":   {bytes.ReplaceAll(good, []byte("encoder_attn"), []byte("decoder_attn")), "no cross-attention for layer 0"},
		"no cache":       {bytes.ReplaceAll(good, []byte("past_key"), []byte("lost_key")), "0 layers"},
		"weight missing": {bytes.Replace(good, []byte("\x42\x04zero"), []byte("\x42\x04hero"), 1), "2 of the 3 weights"},
		"bad zero":       {littleDecoder([]byte{7, 7}, half), "weight zero"},
		"bad scale":      {littleDecoder([]byte{7}, []byte{0, 0, 0, 0}), "weight scale"},
	} {
		_, err := splitDecoder(test.model)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q in it", name, err, test.want)
		}
	}
}

func FuzzSplitDecoder(f *testing.F) {
	f.Add(littleDecoder([]byte{7}, half))
	f.Fuzz(func(t *testing.T, model []byte) {
		parts, err := splitDecoder(model)
		if err != nil {
			return
		}
		if len(parts.body) > 2*len(model)+1<<16 {
			t.Errorf("%d bytes became %d", len(model), len(parts.body))
		}
		if _, err := only(parts.body, modelGraph); err != nil {
			t.Errorf("body: %v", err)
		}
		if _, err := only(parts.head.model(), modelGraph); err != nil {
			t.Errorf("head: %v", err)
		}
	})
}

func TestSplitDecoderOfRealModels(t *testing.T) {
	for _, size := range sizes {
		model, err := os.ReadFile(config(t, size).Decoder)
		if err != nil {
			t.Fatal(err)
		}
		parts, err := splitDecoder(model)
		if err != nil {
			t.Fatal(err)
		}
		if s := parts.shape; s.layers < 6 || s.heads != 8 || s.vocab != 32768 || parts.head.dim != s.heads*s.headDim {
			t.Errorf("%s: shape is %+v, with %d numbers to the head", size, s, parts.head.dim)
		}
	}
}
