package ebml

import "testing"

func TestHead(t *testing.T) {
	for name, c := range map[string]struct {
		b      string
		id     uint32
		size   int64
		length int
	}{
		"short":              {"\xA3\x84....", SimpleBlock, 4, 2},
		"long":               {"\x1F\x43\xB6\x75\x01\x00\x00\x00\x00\x00\x00\x09", Cluster, 9, 12},
		"of unknown size":    {"\x18\x53\x80\x67\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFF", Segment, -1, 12},
		"of a byte, unknown": {"\xA0\xFF", BlockGroup, -1, 2},
		"nothing":            {"", 0, 0, 0},
		"half an ID":         {"\x1F\x43", 0, 0, 0},
		"without its size":   {"\xA3", 0, 0, 0},
		"half a size":        {"\xA3\x40", 0, 0, 0},
		"no ID":              {"\x01\x00\x00\x00\x00\x00", 0, 0, -1},
		"no size":            {"\xA3\x00\x00", 0, 0, -1},
	} {
		if id, size, length := Head([]byte(c.b)); id != c.id || size != c.size || length != c.length {
			t.Errorf("%s: %#x of %d bytes, head of %d; want %#x, %d, %d", name, id, size, length, c.id, c.size, c.length)
		}
	}
}

func FuzzHead(f *testing.F) {
	f.Add([]byte("\xA3\x84...."))
	f.Add([]byte("\x18\x53\x80\x67\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFF"))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, size, length := Head(b)
		if length > min(len(b), MaxHead) || length < -1 || size < -1 || size >= 1<<56 {
			t.Errorf("a head of %d bytes of an element of %d in %d", length, size, len(b))
		}
	})
}
