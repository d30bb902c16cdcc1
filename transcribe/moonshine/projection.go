package moonshine

import (
	"encoding/binary"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"hark/transcribe/internal/onnx"
)

// projection is the matrix that makes logits of what the decoder's last layer
// says: a row of dim bytes for each token of the vocabulary, which stand for
// (byte - zero) * scale.
type projection struct {
	rows       []byte // [vocab][dim], within the file that was read
	vocab, dim int
	scale      float32
	zero       uint8
}

// readProjection finds the projection among the graph's weights.
func readProjection(graph []byte, names ending, vocab int) (projection, error) {
	p := projection{vocab: vocab}
	var seen int
	err := onnx.Each(graph, func(f onnx.Field) error {
		if !f.IsMessage(onnx.GraphInitializer) {
			return nil
		}
		name, err := onnx.First(f.Value, onnx.TensorName)
		if err != nil {
			return err
		}
		switch string(name) {
		case names.matrix:
			err = p.readRows(f.Value)
		case names.scale:
			p.scale, err = readFloat(f.Value)
		case names.zero:
			p.zero, err = readByte(f.Value)
		default:
			return nil
		}
		seen++
		if err != nil {
			return fmt.Errorf("weight %s: %w", name, err)
		}
		return nil
	})
	if err == nil && seen != 3 {
		err = fmt.Errorf("graph has %d of the 3 weights that make logits", seen)
	}
	return p, err
}

// readRows reads the matrix.
func (p *projection) readRows(tensor []byte) error {
	t, err := onnx.ReadTensor(tensor)
	if err != nil {
		return err
	}
	if t.Elem != onnx.Uint8 || len(t.Dims) != 2 || t.Dims[0] != p.vocab || t.Dims[1] < 1 || len(t.Raw)/t.Dims[1] != p.vocab || len(t.Raw)%t.Dims[1] != 0 {
		return fmt.Errorf("%d bytes of type %d in shape %v, want bytes for %d tokens", len(t.Raw), t.Elem, t.Dims, p.vocab)
	}
	p.rows, p.dim = t.Raw, t.Dims[1]
	return nil
}

// readFloat reads a tensor of one float.
func readFloat(tensor []byte) (float32, error) {
	value, err := onnx.First(tensor, onnx.TensorRaw)
	if err == nil && value == nil {
		value, err = onnx.First(tensor, onnx.TensorFloat)
	}
	if err != nil {
		return 0, err
	}
	if len(value) != 4 {
		return 0, fmt.Errorf("%d bytes where one float is known", len(value))
	}
	scale := math.Float32frombits(binary.LittleEndian.Uint32(value))
	if !(scale > 0) || math.IsInf(float64(scale), 0) {
		return 0, fmt.Errorf("scale is %v", scale)
	}
	return scale, nil
}

// readByte reads a tensor of one byte.
func readByte(tensor []byte) (uint8, error) {
	value, err := onnx.First(tensor, onnx.TensorRaw)
	if err == nil && value == nil {
		if value, err = onnx.First(tensor, onnx.TensorInt32); err == nil {
			n, size := protowire.ConsumeVarint(value)
			if size != len(value) || n > 255 {
				return 0, fmt.Errorf("no single byte")
			}
			return uint8(n), nil
		}
	}
	if err == nil && len(value) != 1 {
		err = fmt.Errorf("%d bytes where one is known", len(value))
	}
	if err != nil {
		return 0, err
	}
	return value[0], nil
}

// model writes an ONNX model of one node, which multiplies bytes with the
// matrix: "product" [n, vocab] int32 is ("bytes" [n, dim] uint8 - 128) times
// (matrix - zero).
func (p *projection) model() []byte {
	size := len(p.rows)
	var small []byte
	small = onnx.AppendMessage(small, onnx.GraphName, "head")
	small = onnx.AppendNode(small, "MatMulInteger", []string{"bytes", "matrix", "middle", "zero"}, []string{"product"})
	small = onnx.AppendValue(small, onnx.GraphInput, "bytes", onnx.Uint8, 0, p.dim)
	small = onnx.AppendValue(small, onnx.GraphOutput, "product", onnx.Int32, 0, p.vocab)
	for _, b := range []struct {
		name  string
		value uint8
	}{{"middle", middle}, {"zero", p.zero}} {
		small = onnx.AppendMessage(small, onnx.GraphInitializer, onnx.AppendMessage(onnx.TensorHead(b.name, onnx.Uint8), onnx.TensorRaw, []byte{b.value}))
	}
	matrix := protowire.AppendTag(onnx.TensorHead("matrix", onnx.Uint8, p.dim, p.vocab), onnx.TensorRaw, protowire.BytesType)
	matrix = protowire.AppendVarint(matrix, uint64(size))
	small = protowire.AppendTag(small, onnx.GraphInitializer, protowire.BytesType)
	small = protowire.AppendVarint(small, uint64(len(matrix)+size))
	small = append(small, matrix...)

	model := append(make([]byte, 0, size+len(small)+64), onnx.ModelHead()...)
	model = protowire.AppendTag(model, onnx.ModelGraph, protowire.BytesType)
	model = protowire.AppendVarint(model, uint64(len(small)+size))
	model = append(model, small...)
	return p.appendColumns(model)
}

// appendColumns appends the matrix column by column, a few columns at a time
// so that neither reading nor writing leaves the processor's caches.
func (p *projection) appendColumns(out []byte) []byte {
	const block = 64
	start := len(out)
	out = append(out, make([]byte, len(p.rows))...)
	columns := out[start:]
	for from := 0; from < p.vocab; from += block {
		to := min(from+block, p.vocab)
		for c := range p.dim {
			for r := from; r < to; r++ {
				columns[c*p.vocab+r] = p.rows[r*p.dim+c]
			}
		}
	}
	return out
}
