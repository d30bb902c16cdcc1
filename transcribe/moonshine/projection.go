package moonshine

import (
	"encoding/binary"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
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
	err := each(graph, func(f field) error {
		if !f.isMessage(graphInitializer) {
			return nil
		}
		name, err := first(f.value, tensorName)
		if err != nil {
			return err
		}
		switch string(name) {
		case names.matrix:
			err = p.readRows(f.value)
		case names.scale:
			p.scale, err = readFloat(f.value)
		case names.zero:
			p.zero, err = readByte(f.value)
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
	var dims []int
	var elem uint64
	err := each(tensor, func(f field) error {
		switch {
		case f.num == tensorDims && f.typ == protowire.VarintType:
			dims = append(dims, clampInt(f.varint))
		case f.num == tensorType && f.typ == protowire.VarintType:
			elem = f.varint
		case f.isMessage(tensorRaw):
			p.rows = f.value
		}
		return nil
	})
	if err != nil {
		return err
	}
	if elem != elemUint8 || len(dims) != 2 || dims[0] != p.vocab || dims[1] < 1 || len(p.rows)/dims[1] != p.vocab || len(p.rows)%dims[1] != 0 {
		return fmt.Errorf("%d bytes of type %d in shape %v, want bytes for %d tokens", len(p.rows), elem, dims, p.vocab)
	}
	p.dim = dims[1]
	return nil
}

// readFloat reads a tensor of one float.
func readFloat(tensor []byte) (float32, error) {
	value, err := first(tensor, tensorRaw)
	if err == nil && value == nil {
		value, err = first(tensor, tensorFloat)
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
	value, err := first(tensor, tensorRaw)
	if err == nil && value == nil {
		if value, err = first(tensor, tensorInt32); err == nil {
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
// matrix: "product" [2, vocab] int32 is ("bytes" [2, dim] uint8 - 128) times
// (matrix - zero).
func (p *projection) model() []byte {
	size := len(p.rows)
	var small []byte
	small = appendMessage(small, graphName, "head")
	multiply := []byte(nil)
	for _, name := range []string{"bytes", "matrix", "middle", "zero"} {
		multiply = appendMessage(multiply, nodeInput, name)
	}
	multiply = appendMessage(multiply, nodeOutput, "product")
	multiply = appendMessage(multiply, nodeOpType, "MatMulInteger")
	small = appendMessage(small, graphNode, multiply)
	small = appendValue(small, graphInput, "bytes", elemUint8, 2, p.dim)
	small = appendValue(small, graphOutput, "product", elemInt32, 2, p.vocab)
	for _, b := range []struct {
		name  string
		value uint8
	}{{"middle", middle}, {"zero", p.zero}} {
		small = appendMessage(small, graphInitializer, appendMessage(tensorHead(b.name), tensorRaw, []byte{b.value}))
	}
	matrix := protowire.AppendTag(tensorHead("matrix", p.dim, p.vocab), tensorRaw, protowire.BytesType)
	matrix = protowire.AppendVarint(matrix, uint64(size))
	small = protowire.AppendTag(small, graphInitializer, protowire.BytesType)
	small = protowire.AppendVarint(small, uint64(len(matrix)+size))
	small = append(small, matrix...)

	model := make([]byte, 0, size+len(small)+64)
	model = appendInt(model, modelIRVersion, 8)
	model = appendMessage(model, modelOpset, appendInt(nil, opsetVersion, 14))
	model = protowire.AppendTag(model, modelGraph, protowire.BytesType)
	model = protowire.AppendVarint(model, uint64(len(small)+size))
	model = append(model, small...)
	return p.appendColumns(model)
}

// tensorHead begins a tensor of bytes.
func tensorHead(name string, dims ...int) []byte {
	var t []byte
	for _, d := range dims {
		t = appendInt(t, tensorDims, uint64(d))
	}
	return appendMessage(appendInt(t, tensorType, elemUint8), tensorName, name)
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
