package moonshine

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"hark/transcribe/internal/onnx"
)

// littleDecoder writes a merged decoder of the known form, of one layer and a
// vocabulary of two, with nothing between what matters here.
func littleDecoder(zero, scale []byte) []byte {
	operation := func(op, output string, inputs ...string) []byte {
		var n []byte
		for _, in := range inputs {
			n = onnx.AppendMessage(n, onnx.NodeInput, in)
		}
		return onnx.AppendMessage(onnx.AppendMessage(n, onnx.NodeOutput, output), onnx.NodeOpType, op)
	}
	var branch []byte
	for _, n := range [][]byte{
		operation("Transpose", "turned", "matrix"),
		operation("DequantizeLinear", "floats", "turned", "scale", "zero"),
		operation("Softmax", "/layers.0/encoder_attn/Softmax_output_0", "scores"),
		operation("MatMul", "logits", "last", "floats"),
	} {
		branch = onnx.AppendMessage(branch, onnx.GraphNode, n)
	}
	branch = onnx.AppendValue(branch, onnx.GraphOutput, "logits", onnx.Float)
	branch = onnx.AppendValue(branch, onnx.GraphOutput, "present.0.decoder.key", onnx.Float)

	conditional := operation("If", "logits", "use_cache_branch")
	conditional = onnx.AppendMessage(conditional, onnx.NodeOutput, "present.0.decoder.key")
	for range 2 {
		conditional = onnx.AppendMessage(conditional, onnx.NodeAttribute, onnx.AppendMessage(nil, onnx.AttributeGraph, branch))
	}
	tensor := func(name string, value []byte, dims ...int) []byte {
		return onnx.AppendMessage(onnx.TensorHead(name, onnx.Uint8, dims...), onnx.TensorRaw, value)
	}
	graph := onnx.AppendMessage(nil, onnx.GraphNode, conditional)
	graph = onnx.AppendMessage(graph, onnx.GraphInitializer, tensor("matrix", []byte{1, 2, 3, 4, 5, 6}, 2, 3))
	graph = onnx.AppendMessage(graph, onnx.GraphInitializer, tensor("zero", zero))
	graph = onnx.AppendMessage(graph, onnx.GraphInitializer, tensor("scale", scale))
	graph = onnx.AppendValue(graph, onnx.GraphInput, "past_key_values.0.decoder.key", onnx.Float, 1, 8, 4, 52)
	graph = onnx.AppendValue(graph, onnx.GraphOutput, "logits", onnx.Float, 1, 1, 2)
	graph = onnx.AppendValue(graph, onnx.GraphOutput, "present.0.decoder.key", onnx.Float)
	return onnx.AppendMessage(onnx.AppendInt(nil, onnx.ModelIRVersion, 10), onnx.ModelGraph, graph)
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
	graph, err := onnx.Only(parts.body, onnx.ModelGraph)
	if err != nil {
		t.Fatal(err)
	}
	conditional, err := onnx.Only(graph.Value, onnx.GraphNode)
	if err != nil {
		t.Fatal(err)
	}
	n, err := onnx.ReadNode(conditional)
	if err != nil {
		t.Fatal(err)
	}
	// The outputs of the node and those of its branches belong together by place.
	if got := strings.Join(n.Outputs, " "); got != "hidden present.0.decoder.key cross_attentions.0" {
		t.Errorf("the node's outputs are %s", got)
	}
	err = onnx.Each(conditional.Value, func(f onnx.Field) error {
		if !f.IsMessage(onnx.NodeAttribute) {
			return nil
		}
		branch, err := onnx.Only(f.Value, onnx.AttributeGraph)
		if err != nil {
			return err
		}
		if got := outputs(t, branch.Value); got != "last present.0.decoder.key /layers.0/encoder_attn/Softmax_output_0" {
			t.Errorf("a branch's outputs are %s", got)
		}
		if bytes.Contains(branch.Value, []byte("floats")) {
			t.Error("a branch still makes floats of the matrix")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := outputs(t, graph.Value); got != "present.0.decoder.key hidden cross_attentions.0" {
		t.Errorf("the graph's outputs are %s", got)
	}
}

// outputs lists the names of a graph's outputs.
func outputs(t *testing.T, graph []byte) string {
	t.Helper()
	var names []string
	err := onnx.Each(graph, func(f onnx.Field) error {
		if !f.IsMessage(onnx.GraphOutput) {
			return nil
		}
		v, err := onnx.ReadValue(f)
		names = append(names, v.Name)
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
		if _, err := onnx.Only(parts.body, onnx.ModelGraph); err != nil {
			t.Errorf("body: %v", err)
		}
		if _, err := onnx.Only(parts.head.model(), onnx.ModelGraph); err != nil {
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
