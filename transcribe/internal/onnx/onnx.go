package onnx

import "google.golang.org/protobuf/encoding/protowire"

// Field numbers of onnx.proto (ONNX IR version 10), as far as they are used in Hark.
const (
	ModelIRVersion protowire.Number = 1
	ModelGraph     protowire.Number = 7
	ModelOpset     protowire.Number = 8
	OpsetVersion   protowire.Number = 2

	GraphNode        protowire.Number = 1
	GraphName        protowire.Number = 2
	GraphInitializer protowire.Number = 5
	GraphInput       protowire.Number = 11
	GraphOutput      protowire.Number = 12

	NodeInput     protowire.Number = 1
	NodeOutput    protowire.Number = 2
	NodeOpType    protowire.Number = 4
	NodeAttribute protowire.Number = 5

	AttributeName   protowire.Number = 1
	AttributeInt    protowire.Number = 3
	AttributeString protowire.Number = 4
	AttributeTensor protowire.Number = 5
	AttributeGraph  protowire.Number = 6
	AttributeInts   protowire.Number = 8
	AttributeType   protowire.Number = 20

	ValueName   protowire.Number = 1
	ValueType   protowire.Number = 2
	TypeTensor  protowire.Number = 1
	TypeElem    protowire.Number = 1
	TypeShape   protowire.Number = 2
	ShapeDim    protowire.Number = 1
	DimValue    protowire.Number = 1
	TensorDims  protowire.Number = 1
	TensorType  protowire.Number = 2
	TensorFloat protowire.Number = 4
	TensorInt32 protowire.Number = 5
	TensorName  protowire.Number = 8
	TensorRaw   protowire.Number = 9
)

// Numbers of TensorProto.DataType.
const (
	Float = 1
	Uint8 = 2
	Int32 = 6
	Int64 = 7
)

// Numbers of AttributeProto.AttributeType.
const (
	attributeIsInt    = 2
	attributeIsString = 3
)

// Node is an operation of a graph.
type Node struct {
	Op      string
	Inputs  []string
	Outputs []string
	Field
}

// ReadNode reads a node of a graph.
func ReadNode(f Field) (Node, error) {
	n := Node{Field: f}
	err := Each(f.Value, func(f Field) error {
		if f.Typ != protowire.BytesType {
			return nil
		}
		switch f.Num {
		case NodeOpType:
			n.Op = string(f.Value)
		case NodeInput:
			n.Inputs = append(n.Inputs, string(f.Value))
		case NodeOutput:
			n.Outputs = append(n.Outputs, string(f.Value))
		}
		return nil
	})
	return n, err
}

// AppendNode appends an operation to a graph.
func AppendNode(graph []byte, op string, inputs, outputs []string, attributes ...[]byte) []byte {
	var n []byte
	for _, in := range inputs {
		n = AppendMessage(n, NodeInput, in)
	}
	for _, out := range outputs {
		n = AppendMessage(n, NodeOutput, out)
	}
	n = AppendMessage(n, NodeOpType, op)
	for _, a := range attributes {
		n = AppendMessage(n, NodeAttribute, a)
	}
	return AppendMessage(graph, GraphNode, n)
}

// IntAttribute is an attribute of a node that is one integer, not below 0.
func IntAttribute(name string, n uint64) []byte {
	a := AppendInt(AppendMessage(nil, AttributeName, name), AttributeInt, n)
	return AppendInt(a, AttributeType, attributeIsInt)
}

// StringAttribute is an attribute of a node that is a string.
func StringAttribute(name, value string) []byte {
	a := AppendMessage(AppendMessage(nil, AttributeName, name), AttributeString, value)
	return AppendInt(a, AttributeType, attributeIsString)
}

// Value is an input or output of a graph; a dimension that is only known at
// run time is 0.
type Value struct {
	Name string
	Dims []int
}

// ReadValue reads an input or output of a graph.
func ReadValue(f Field) (Value, error) {
	name, err := First(f.Value, ValueName)
	if err != nil {
		return Value{}, err
	}
	v := Value{Name: string(name)}
	shape := f.Value
	for _, num := range []protowire.Number{ValueType, TypeTensor, TypeShape} {
		if shape, err = First(shape, num); err != nil {
			return v, err
		}
	}
	err = Each(shape, func(f Field) error {
		if !f.IsMessage(ShapeDim) {
			return nil
		}
		var dim int
		err := Each(f.Value, func(f Field) error {
			if f.Num == DimValue {
				dim = clampInt(f.Varint)
			}
			return nil
		})
		v.Dims = append(v.Dims, dim)
		return err
	})
	return v, err
}

// AppendValue appends an input or output of a graph, num being GraphInput or
// GraphOutput. A dimension of 0 is only known at run time; without dims all of
// its shape is.
func AppendValue(graph []byte, num protowire.Number, name string, elem uint64, dims ...int) []byte {
	tensor := AppendInt(nil, TypeElem, elem)
	if len(dims) > 0 {
		var shape []byte
		for _, d := range dims {
			var dim []byte
			if d > 0 {
				dim = AppendInt(nil, DimValue, uint64(d))
			}
			shape = AppendMessage(shape, ShapeDim, dim)
		}
		tensor = AppendMessage(tensor, TypeShape, shape)
	}
	v := AppendMessage(nil, ValueName, name)
	v = AppendMessage(v, ValueType, AppendMessage(nil, TypeTensor, tensor))
	return AppendMessage(graph, num, v)
}

// Tensor is a tensor of numbers as a model holds it.
type Tensor struct {
	Name string
	Elem uint64
	Dims []int
	Raw  []byte // little endian; nil when the file holds the numbers in another way
}

// ReadTensor reads a tensor. Whether it has as many bytes as its shape says is
// the caller's to check.
func ReadTensor(message []byte) (Tensor, error) {
	var t Tensor
	err := Each(message, func(f Field) error {
		switch {
		case f.Num == TensorDims && f.Typ == protowire.VarintType:
			t.Dims = append(t.Dims, clampInt(f.Varint))
		case f.Num == TensorType && f.Typ == protowire.VarintType:
			t.Elem = f.Varint
		case f.IsMessage(TensorName):
			t.Name = string(f.Value)
		case f.IsMessage(TensorRaw):
			t.Raw = f.Value
		}
		return nil
	})
	return t, err
}

// TensorHead begins a tensor: its numbers follow as TensorRaw.
func TensorHead(name string, elem uint64, dims ...int) []byte {
	var t []byte
	for _, d := range dims {
		t = AppendInt(t, TensorDims, uint64(d))
	}
	return AppendMessage(AppendInt(t, TensorType, elem), TensorName, name)
}

// ModelHead begins a model of the operator set that Hark writes: its graph
// follows as ModelGraph.
func ModelHead() []byte {
	model := AppendInt(nil, ModelIRVersion, 8)
	return AppendMessage(model, ModelOpset, AppendInt(nil, OpsetVersion, 14))
}

// clampInt turns what a file says into a number that arithmetic can bear.
func clampInt(n uint64) int { return int(min(n, 1<<31-1)) }
