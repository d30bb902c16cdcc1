package vad

import (
	"bytes"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"hark/transcribe/internal/onnx"
)

// sileroFile writes a model in the known form, all of its weights 0, without
// those that are left out.
func sileroFile(without ...string) []byte {
	var branch []byte
	shapes := weights()
	for _, name := range slices.Sorted(maps.Keys(shapes)) {
		if slices.Contains(without, name) {
			continue
		}
		size, shape := 4, shapes[name]
		for _, d := range shape {
			size *= d
		}
		tensor := onnx.AppendMessage(onnx.TensorHead(name, onnx.Float, shape...), onnx.TensorRaw, make([]byte, size))
		value := onnx.AppendMessage(onnx.AppendMessage(nil, onnx.AttributeName, "value"), onnx.AttributeTensor, tensor)
		branch = onnx.AppendNode(branch, "Constant", nil, []string{"constant " + name}, value)
	}
	for step := range strings.SplitSeq(steps, ", ") {
		words := strings.Fields(step)
		switch words[0] {
		case "Pad":
			branch = onnx.AppendNode(branch, "Pad", nil, nil, onnx.StringAttribute("mode", words[1]))
		case "Conv":
			branch = onnx.AppendNode(branch, "Conv", []string{"x", "constant " + words[1]}, nil,
				ints("strides", words[3:4]), ints("pads", words[5:]))
		default:
			branch = onnx.AppendNode(branch, words[0], nil, nil)
		}
	}
	then := onnx.AppendMessage(onnx.AppendMessage(nil, onnx.AttributeName, "then_branch"), onnx.AttributeGraph, branch)
	return onnx.AppendMessage(nil, onnx.ModelGraph, onnx.AppendNode(nil, "If", nil, nil, then))
}

// ints is an attribute of integers of one digit, or of 128.
func ints(name string, digits []string) []byte {
	a := onnx.AppendMessage(nil, onnx.AttributeName, name)
	for _, d := range digits {
		n := uint64(d[0] - '0')
		if d == "128" {
			n = 128
		}
		a = onnx.AppendInt(a, onnx.AttributeInts, n)
	}
	return a
}

func TestReadSilero(t *testing.T) {
	s, err := readSilero(sileroFile())
	if err != nil {
		t.Fatal(err)
	}
	if len(s) != len(weights()) {
		t.Errorf("%d weights, want %d", len(s), len(weights()))
	}
	if _, err := onnx.Only(s.model(), onnx.ModelGraph); err != nil {
		t.Error(err)
	}
}

func TestReadSileroRefusesOtherModels(t *testing.T) {
	good := sileroFile()
	for name, test := range map[string]struct {
		model []byte
		want  string
	}{
		"nothing":       {nil, "want once"},
		"text":          {[]byte("not a model at all"), ""},
		"cut short":     {good[:len(good)-3], ""},
		"no If":         {bytes.ReplaceAll(good, []byte("If"), []byte("Of")), "no If node"},
		"no branch":     {bytes.ReplaceAll(good, []byte("then_branch"), []byte("else_branch")), "no If node with a branch for 16 kHz"},
		"no weight":     {sileroFile("decoder.rnn.bias_hh"), "no weight decoder.rnn.bias_hh"},
		"other padding": {bytes.ReplaceAll(good, []byte("reflect"), []byte("replect")), "computes Pad replect"},
		"other layer":   {bytes.ReplaceAll(good, []byte("Sqrt"), []byte("Tanh")), "Add, Tanh, Conv"},
		"other stride":  {bytes.ReplaceAll(good, ints("strides", []string{"2"}), ints("strides", []string{"3"})), "strides 3"},
		"other shape": {bytes.ReplaceAll(good, onnx.TensorHead("decoder.rnn.bias_ih", onnx.Float, gates*hidden),
			onnx.TensorHead("decoder.rnn.bias_ih", onnx.Float, gates*hidden+1)), "weight decoder.rnn.bias_ih has"},
		"doubles": {bytes.ReplaceAll(good, onnx.TensorHead("decoder.rnn.bias_ih", onnx.Float, gates*hidden),
			onnx.TensorHead("decoder.rnn.bias_ih", 11, gates*hidden)), "of type 11"},
	} {
		_, err := readSilero(test.model)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q in it", name, err, test.want)
		}
	}
}

func TestOpenRefusesOtherModels(t *testing.T) {
	path := t.TempDir() + "/model.onnx"
	if err := os.WriteFile(path, sileroFile("decoder.decoder.2.bias"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path, ""); err == nil || !strings.Contains(err.Error(), path+": branch for 16 kHz has no weight decoder.decoder.2.bias") {
		t.Errorf("got %v", err)
	}
}

func FuzzReadSilero(f *testing.F) {
	f.Add(sileroFile())
	f.Fuzz(func(t *testing.T, model []byte) {
		s, err := readSilero(model)
		if err != nil {
			return
		}
		made := s.model()
		if len(made) > len(model)+1<<16 {
			t.Errorf("%d bytes became %d", len(model), len(made))
		}
		if _, err := onnx.Only(made, onnx.ModelGraph); err != nil {
			t.Error(err)
		}
	})
}
