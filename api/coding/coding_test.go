package coding

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

func TestChoose(t *testing.T) {
	for accept, want := range map[string]string{
		"":                              "",
		"gzip":                          Gzip,
		"x-gzip":                        Gzip,
		"GZIP":                          Gzip,
		"gzip, deflate, br, zstd":       Zstd,
		"gzip;q=1.0, zstd;q=0.5":        Gzip,
		"zstd;q=0, gzip;q=0.001":        Gzip,
		"zstd ; q = 0.0 , gzip ; q=0.3": Gzip,
		"gzip;q=0":                      "",
		"*":                             Zstd,
		"*;q=0":                         "",
		"*;q=0.5, zstd;q=0":             Gzip,
		"identity":                      "",
		"identity;q=0":                  "",
		"identity;q=0, gzip":            Gzip,
		"gzip;q=0.5, identity":          "",
		"gzip;q=0.5, identity;q=0.5":    Gzip,
		"gzip;q=2":                      "",
		"gzip;q=NaN":                    "",
		"gzip;level=9":                  "",
		"deflate, br":                   "",
		"gzipped":                       "",
		",,;q=1,gzip":                   Gzip,
	} {
		if got := Choose(accept, Zstd, Gzip); got != want {
			t.Errorf("%q: %q; want %q", accept, got, want)
		}
	}
	if got := Choose("gzip, br"); got != "" {
		t.Errorf("of nothing it chose %q", got)
	}
}

func TestPack(t *testing.T) {
	p, err := NewPacker()
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{0, 1, 5000, 3 << 20} {
		body := []byte(strings.Repeat("Ask not what your country can do. ", size/34+1)[:size])
		for range 2 { // tables that were used before
			z, err := gzip.NewReader(bytes.NewReader(p.Pack(Gzip, body)))
			if err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(z); err != nil || !bytes.Equal(got, body) {
				t.Fatalf("gzip of %d bytes: %d, %v", size, len(got), err)
			}
			d, err := zstd.NewReader(bytes.NewReader(p.Pack(Zstd, body)), zstd.WithDecoderMaxWindow(8<<20))
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(d)
			d.Close()
			if err != nil || !bytes.Equal(got, body) {
				t.Fatalf("zstd of %d bytes: %d, %v", size, len(got), err)
			}
		}
		if got := p.Pack("", body); !bytes.Equal(got, body) {
			t.Errorf("%d bytes without a coding: %d", size, len(got))
		}
	}
}

func FuzzChoose(f *testing.F) {
	for _, seed := range []string{"", "gzip", "*;q=0.5, zstd;q=0", "identity;q=0,gzip;q=1e-9", ";;,=,q=q", "gzip;q=-0"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, accept string) {
		got := Choose(accept, Zstd, Gzip)
		if got != "" && got != Zstd && got != Gzip {
			t.Fatalf("%q chose %q", accept, got)
		}
		if got != "" && !strings.Contains(accept, "*") && !strings.Contains(strings.ToLower(accept), got) {
			t.Fatalf("%q chose %q, which it does not name", accept, got)
		}
	})
}
