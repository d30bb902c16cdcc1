package onnx

import (
	"reflect"
	"testing"
)

func TestWhatIsWrittenIsRead(t *testing.T) {
	node := AppendNode(nil, "LSTM", []string{"x", "", "w"}, []string{"y", "z"}, IntAttribute("hidden_size", 128), StringAttribute("direction", "forward"))
	f, err := Only(node, GraphNode)
	if err != nil {
		t.Fatal(err)
	}
	n, err := ReadNode(f)
	if err != nil || n.Op != "LSTM" || !reflect.DeepEqual(n.Inputs, []string{"x", "", "w"}) || !reflect.DeepEqual(n.Outputs, []string{"y", "z"}) {
		t.Errorf("node %+v, %v", n, err)
	}
	value := AppendValue(nil, GraphInput, "x", Float, 0, 1, 128)
	if f, err = Only(value, GraphInput); err != nil {
		t.Fatal(err)
	}
	if v, err := ReadValue(f); err != nil || !reflect.DeepEqual(v, Value{"x", []int{0, 1, 128}}) {
		t.Errorf("value %+v, %v", v, err)
	}
	want := Tensor{"w", Uint8, []int{2, 3}, []byte{1, 2, 3, 4, 5, 6}}
	message := AppendMessage(TensorHead("w", Uint8, 2, 3), TensorRaw, want.Raw)
	if got, err := ReadTensor(message); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("tensor %+v, %v", got, err)
	}
	if _, err := ReadTensor(message[:len(message)-1]); err == nil {
		t.Error("a tensor that is cut short was read")
	}
}

func TestSurgery(t *testing.T) {
	message := AppendInt(AppendMessage(AppendInt(nil, 1, 7), 2, "two"), 3, 9)
	two, err := Only(message, 2)
	if err != nil || string(two.Value) != "two" {
		t.Fatalf("%q, %v", two.Value, err)
	}
	if _, err := Only(message, 4); err == nil {
		t.Error("a field that is not there was found")
	}
	if got, want := Without(nil, message, two), AppendInt(AppendInt(nil, 1, 7), 3, 9); !reflect.DeepEqual(got, want) {
		t.Errorf("without the field: %x, want %x", got, want)
	}
	got, err := Rewrite(message, func(out []byte, f Field) ([]byte, error) {
		if f.IsMessage(2) {
			return AppendMessage(out, 2, "2"), nil
		}
		return append(out, f.Raw...), nil
	})
	if want := AppendInt(AppendMessage(AppendInt(nil, 1, 7), 2, "2"), 3, 9); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("rewritten: %x, want %x, %v", got, want, err)
	}
}
