package vad

import (
	"encoding/binary"
	"math"

	"hark/transcribe/internal/onnx"
)

// model writes the ONNX model that hears any number of windows at once:
//
//	"sound" [n, context and window], "hidden" and "cell" [1, 1, hidden]
//	-> "speech" [n, 1], "hidden_next" and "cell_next" [1, 1, hidden]
//
// Only the cell has to go from window to window, which its operation does by
// itself; all else is done for the n windows in one multiplication a layer.
//
// Why the file's own graph isn't kept: it is made for one window, its
// convolutions have four columns and fewer, and ONNX Runtime computes those
// window by window, so that giving it many windows makes it less than three
// times as quick. Here the frames that a convolution sees are laid side by
// side, and one multiplication does those of all windows: seven times.
func (s silero) model() []byte {
	g := &graph{}
	g.ints("mirror", 0, 0, 0, mirrorSamples)
	g.node("Pad", []string{"sound", "mirror"}, "mirrored", onnx.StringAttribute("mode", "reflect"))
	g.reshape("mirrored", "steps", frames+1, frameStep)
	g.sideBySide("steps", "frames", frames, 1, frameSamples/frameStep)
	g.reshape("frames", "frame", frameSamples)

	g.floats("basis", turned(s["stft.forward_basis_buffer"], frameSamples), frameSamples, 2*bins)
	g.node("MatMul", []string{"frame", "basis"}, "spectrum")
	g.node("Mul", []string{"spectrum", "spectrum"}, "squares")
	g.ints("parts", bins, bins)
	g.nodes = onnx.AppendNode(g.nodes, "Split", []string{"squares", "parts"}, []string{"real", "imaginary"}, onnx.IntAttribute("axis", 1))
	g.node("Add", []string{"real", "imaginary"}, "power")
	g.node("Sqrt", []string{"power"}, "magnitude")

	at := "magnitude"
	for _, c := range convolutions {
		at = s.convolve(g, c, at)
	}
	s.cell(g, at)
	return g.model()
}

// convolve writes a convolution, and returns what it makes, a frame to a row.
func (s silero) convolve(g *graph, c convolution, at string) string {
	name := func(part string) string { return c.name + "/" + part }
	g.reshape(at, name("frames"), int64(c.frames), int64(c.in))
	at = name("frames")
	from, to := 1, min(1+c.frames, kernel) // part of the kernel that the only frame that is made takes
	if c.made() > 1 {
		from, to = 0, kernel
		g.ints(name("zeros"), 0, 1, 0, 0, 1, 0)
		g.node("Pad", []string{at, name("zeros")}, name("padded"))
		g.sideBySide(name("padded"), name("seen"), c.made(), c.stride, kernel)
		at = name("seen")
	}
	width := (to - from) * c.in
	g.reshape(at, name("rows"), int64(width))
	g.floats(name("matrix"), turned(s.taps(c, from, to), width), width, c.out)
	g.floats(name("bias"), s[c.name+".bias"], c.out)
	g.node("Gemm", []string{name("rows"), name("matrix"), name("bias")}, name("sum"))
	g.node("Relu", []string{name("sum")}, name("made"))
	return name("made")
}

// taps returns part of a convolution's kernel as a matrix [out][to-from, in].
func (s silero) taps(c convolution, from, to int) []float32 {
	weight := s[c.name+".weight"] // [out][in][kernel]
	var matrix []float32
	for out := range c.out {
		for k := from; k < to; k++ {
			for in := range c.in {
				matrix = append(matrix, weight[(out*c.in+in)*kernel+k])
			}
		}
	}
	return matrix
}

// cell writes what follows the windows, and the probability.
func (s silero) cell(g *graph, at string) {
	g.reshape(at, "heard", 1, hidden)
	g.floats("cell.input", reordered(s["decoder.rnn.weight_ih"]), 1, gates*hidden, hidden)
	g.floats("cell.again", reordered(s["decoder.rnn.weight_hh"]), 1, gates*hidden, hidden)
	bias := append(reordered(s["decoder.rnn.bias_ih"]), reordered(s["decoder.rnn.bias_hh"])...)
	g.floats("cell.bias", bias, 1, 2*gates*hidden)
	g.nodes = onnx.AppendNode(g.nodes, "LSTM",
		[]string{"heard", "cell.input", "cell.again", "cell.bias", "", "hidden", "cell"},
		[]string{"remembered", "hidden_next", "cell_next"}, onnx.IntAttribute("hidden_size", hidden))
	g.reshape("remembered", "decoder", hidden)
	g.node("Relu", []string{"decoder"}, "decoder.positive")
	g.floats("decoder.matrix", s["decoder.decoder.2.weight"], hidden, 1)
	g.floats("decoder.bias", s["decoder.decoder.2.bias"], 1)
	g.node("Gemm", []string{"decoder.positive", "decoder.matrix", "decoder.bias"}, "logit")
	g.node("Sigmoid", []string{"logit"}, "speech")
}

// turned returns the transpose of a matrix with rows of width numbers.
func turned(matrix []float32, width int) []float32 {
	height := len(matrix) / width
	t := make([]float32, len(matrix))
	for i, x := range matrix {
		t[i%width*height+i/width] = x
	}
	return t
}

// reordered returns weights of the cell with its gates in ONNX's order (input,
// output, forget, cell) instead of PyTorch's (input, forget, cell, output).
func reordered(gated []float32) []float32 {
	size := len(gated) / gates
	var all []float32
	for _, gate := range []int{0, 3, 1, 2} {
		all = append(all, gated[gate*size:(gate+1)*size]...)
	}
	return all
}

// graph is an ONNX graph that is being written.
type graph struct{ nodes, weights []byte }

// node adds an operation with one output.
func (g *graph) node(op string, inputs []string, output string, attributes ...[]byte) {
	g.nodes = onnx.AppendNode(g.nodes, op, inputs, []string{output}, attributes...)
}

// reshape gives a tensor dimensions after its first.
func (g *graph) reshape(input, output string, dims ...int64) {
	g.ints(output+".shape", append([]int64{-1}, dims...)...)
	g.node("Reshape", []string{input, output + ".shape"}, output)
}

// sideBySide picks from a tensor's second dimension, count times, width places
// that follow each other, each time stride further.
func (g *graph) sideBySide(input, output string, count, stride, width int) {
	var places []int64
	for i := range count {
		for k := range width {
			places = append(places, int64(i*stride+k))
		}
	}
	g.ints(output+".places", places...)
	g.node("Gather", []string{input, output + ".places"}, output, onnx.IntAttribute("axis", 1))
}

// floats adds a weight.
func (g *graph) floats(name string, values []float32, dims ...int) {
	raw := make([]byte, 0, 4*len(values))
	for _, v := range values {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	g.tensor(onnx.TensorHead(name, onnx.Float, dims...), raw)
}

// ints adds a list of integers: a shape, or places.
func (g *graph) ints(name string, values ...int64) {
	var raw []byte
	for _, v := range values {
		raw = binary.LittleEndian.AppendUint64(raw, uint64(v))
	}
	g.tensor(onnx.TensorHead(name, onnx.Int64, len(values)), raw)
}

func (g *graph) tensor(head, raw []byte) {
	g.weights = onnx.AppendMessage(g.weights, onnx.GraphInitializer, onnx.AppendMessage(head, onnx.TensorRaw, raw))
}

// Inputs and outputs of the model that hears many windows.
var (
	batchInputs  = []string{"sound", "hidden", "cell"}
	batchOutputs = []string{"speech", "hidden_next", "cell_next"}
)

func (g *graph) model() []byte {
	all := onnx.AppendMessage(g.nodes, onnx.GraphName, "speech")
	all = append(all, g.weights...)
	all = onnx.AppendValue(all, onnx.GraphInput, "sound", onnx.Float, 0, contextSamples+WindowSamples)
	all = onnx.AppendValue(all, onnx.GraphOutput, "speech", onnx.Float, 0, 1)
	for i := 1; i < len(batchInputs); i++ {
		all = onnx.AppendValue(all, onnx.GraphInput, batchInputs[i], onnx.Float, 1, 1, hidden)
		all = onnx.AppendValue(all, onnx.GraphOutput, batchOutputs[i], onnx.Float, 1, 1, hidden)
	}
	return onnx.AppendMessage(onnx.ModelHead(), onnx.ModelGraph, all)
}
