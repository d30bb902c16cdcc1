package vad

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"

	"hark/transcribe/internal/onnx"
)

// How Silero VAD v5 hears a window at 16 kHz. After the window stands a mirror
// of its end; of that the spectrum is taken in four frames, which four
// convolutions make one vector of. A recurrent cell (LSTM) follows those
// vectors from window to window, and one more layer makes the probability of
// what the cell remembers.
const (
	mirrorSamples = 64
	frameSamples  = 256
	frameStep     = 128
	frames        = (contextSamples+WindowSamples+mirrorSamples-frameSamples)/frameStep + 1
	bins          = frameSamples/2 + 1 // of a spectrum
	hidden        = 128                // numbers that the cell has for its output, and again for its memory
	gates         = 4                  // of the cell
)

// convolution is one of those over the frames of a window, with a kernel of
// three frames and one of zeros at both ends.
type convolution struct {
	name    string
	in, out int // numbers to a frame
	frames  int // that go in
	stride  int
}

var convolutions = []convolution{
	{"encoder.0.reparam_conv", bins, 128, frames, 1},
	{"encoder.1.reparam_conv", 128, 64, frames, 2},
	{"encoder.2.reparam_conv", 64, 64, frames / 2, 2},
	{"encoder.3.reparam_conv", 64, hidden, frames / 4, 1},
}

const kernel = 3

// made is how many frames come out.
func (c convolution) made() int { return (c.frames+2-kernel)/c.stride + 1 }

// silero are the weights of the model, by the names and in the shapes that
// its file has them.
type silero map[string][]float32

// weights lists the names and shapes.
func weights() map[string][]int {
	shapes := map[string][]int{
		"stft.forward_basis_buffer": {2 * bins, 1, frameSamples},
		"decoder.rnn.weight_ih":     {gates * hidden, hidden},
		"decoder.rnn.weight_hh":     {gates * hidden, hidden},
		"decoder.rnn.bias_ih":       {gates * hidden},
		"decoder.rnn.bias_hh":       {gates * hidden},
		"decoder.decoder.2.weight":  {1, hidden, 1},
		"decoder.decoder.2.bias":    {1},
	}
	for _, c := range convolutions {
		shapes[c.name+".weight"] = []int{c.out, c.in, kernel}
		shapes[c.name+".bias"] = []int{c.out}
	}
	return shapes
}

// steps is what the file does with them, in order: what counts for the result
// and isn't said by the weights' shapes.
var steps = strings.Join([]string{
	"Pad reflect", "Conv stft.forward_basis_buffer strides 128 pads 0 0", "Pow", "Pow", "Add", "Sqrt",
	"Conv encoder.0.reparam_conv.weight strides 1 pads 1 1", "Relu",
	"Conv encoder.1.reparam_conv.weight strides 2 pads 1 1", "Relu",
	"Conv encoder.2.reparam_conv.weight strides 2 pads 1 1", "Relu",
	"Conv encoder.3.reparam_conv.weight strides 1 pads 1 1", "Relu",
	"Relu", "Conv decoder.decoder.2.weight strides 1 pads 0 0", "Sigmoid",
}, ", ")

// readSilero reads the weights out of the model's file. The file is a graph
// of one If node, with a branch for sound of 16 kHz and one for 8 kHz; weights
// are constants in the branch.
func readSilero(model []byte) (silero, error) {
	graph, err := onnx.Only(model, onnx.ModelGraph)
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	branch, err := thenBranch(graph.Value)
	if err != nil {
		return nil, err
	}
	r := sileroReader{weights: silero{}, names: map[string]string{}, shapes: weights()}
	err = onnx.Each(branch, func(f onnx.Field) error {
		if !f.IsMessage(onnx.GraphNode) {
			return nil
		}
		return r.node(f)
	})
	if err != nil {
		return nil, fmt.Errorf("branch for 16 kHz: %w", err)
	}
	for name := range r.shapes {
		if r.weights[name] == nil {
			return nil, fmt.Errorf("branch for 16 kHz has no weight %s", name)
		}
	}
	if got := strings.Join(r.steps, ", "); got != steps {
		return nil, fmt.Errorf("branch for 16 kHz computes %.1000s; known is %s", got, steps)
	}
	return r.weights, nil
}

// thenBranch finds the branch that the graph's If node takes for 16 kHz.
func thenBranch(graph []byte) ([]byte, error) {
	var branch []byte
	err := onnx.Each(graph, func(f onnx.Field) error {
		if !f.IsMessage(onnx.GraphNode) {
			return nil
		}
		if n, err := onnx.ReadNode(f); err != nil || n.Op != "If" {
			return err
		}
		attribute, err := attribute(f.Value, "then_branch")
		if err != nil {
			return err
		}
		branch, err = onnx.First(attribute, onnx.AttributeGraph)
		return err
	})
	if err == nil && branch == nil {
		err = errors.New("graph has no If node with a branch for 16 kHz")
	}
	return branch, err
}

// attribute returns the attribute of a node that has a name, nil when there is
// none.
func attribute(node []byte, name string) ([]byte, error) {
	var found []byte
	err := onnx.Each(node, func(f onnx.Field) error {
		if !f.IsMessage(onnx.NodeAttribute) {
			return nil
		}
		n, err := onnx.First(f.Value, onnx.AttributeName)
		if string(n) == name {
			found = f.Value
		}
		return err
	})
	return found, err
}

// sileroReader goes through the nodes of the branch.
type sileroReader struct {
	shapes  map[string][]int
	weights silero
	names   map[string]string // of weights, by the output of the constant that has them
	steps   []string
}

func (r *sileroReader) node(f onnx.Field) error {
	n, err := onnx.ReadNode(f)
	if err != nil {
		return err
	}
	switch n.Op {
	case "Constant":
		return r.constant(n)
	case "Conv":
		return r.convolve(n)
	case "Pad":
		a, err := attribute(n.Value, "mode")
		if err != nil {
			return err
		}
		mode, err := onnx.First(a, onnx.AttributeString)
		r.steps = append(r.steps, fmt.Sprintf("Pad %s", mode))
		return err
	case "Pow", "Add", "Sqrt", "Relu", "Sigmoid", "Mul", "Tanh", "MatMul", "Gemm":
		r.steps = append(r.steps, n.Op)
	}
	return nil
}

// constant keeps a constant that is one of the weights.
func (r *sileroReader) constant(n onnx.Node) error {
	a, err := attribute(n.Value, "value")
	if err != nil {
		return err
	}
	message, err := onnx.First(a, onnx.AttributeTensor)
	if err != nil {
		return err
	}
	t, err := onnx.ReadTensor(message)
	if err != nil {
		return err
	}
	want, known := r.shapes[t.Name]
	if !known || len(n.Outputs) == 0 {
		return nil
	}
	size := 1
	for _, d := range want {
		size *= d
	}
	if t.Elem != onnx.Float || !slices.Equal(t.Dims, want) || len(t.Raw) != 4*size {
		return fmt.Errorf("weight %s has %d bytes of type %d in shape %v, want floats in %v", t.Name, len(t.Raw), t.Elem, t.Dims, want)
	}
	values := make([]float32, size)
	for i := range values {
		values[i] = math.Float32frombits(binary.LittleEndian.Uint32(t.Raw[4*i:]))
	}
	r.weights[t.Name] = values
	r.names[n.Outputs[0]] = t.Name
	return nil
}

// convolve notes a convolution with its weights.
func (r *sileroReader) convolve(n onnx.Node) error {
	step := "Conv"
	if len(n.Inputs) > 1 {
		step += " " + r.names[n.Inputs[1]]
	}
	for _, name := range []string{"strides", "pads"} {
		a, err := attribute(n.Value, name)
		if err != nil {
			return err
		}
		step += " " + name
		err = onnx.Each(a, func(f onnx.Field) error {
			if f.Num == onnx.AttributeInts && f.Typ == protowire.VarintType {
				step += fmt.Sprintf(" %d", f.Varint)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	r.steps = append(r.steps, step)
	return nil
}
