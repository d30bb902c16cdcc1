package download

import (
	"mime"
	"strings"
	"testing"
)

func TestContentDisposition(t *testing.T) {
	for _, c := range []struct{ name, want string }{
		{"", "inline"},
		{"bridge.mp3", `inline; filename="bridge.mp3"`},
		{"Brücke am Mittag.mp3", `inline; filename="Br_cke am Mittag.mp3"; filename*=UTF-8''Br%C3%BCcke%20am%20Mittag.mp3`},
		{`say "hi".wav`, `inline; filename="say _hi_.wav"; filename*=UTF-8''say%20%22hi%22.wav`},
		{"🎙.m4a", `inline; filename="_.m4a"; filename*=UTF-8''%F0%9F%8E%99.m4a`},
		{"100%.wav", `inline; filename="100_.wav"; filename*=UTF-8''100%25.wav`},
		{"a\r\nSet-Cookie: x=1", `inline; filename="a__Set-Cookie_ x=1"; filename*=UTF-8''a%0D%0ASet-Cookie%3A%20x%3D1`},
	} {
		if got := Disposition("inline", c.name); got != c.want {
			t.Errorf("Disposition(%q) = %s; want %s", c.name, got, c.want)
		}
	}
}

func FuzzContentDisposition(f *testing.F) {
	for _, seed := range []string{"a.mp3", "", "ü", "\"", "a\\b", "a\nb", "%41", "💬.ogg", "\xff\xfe"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		header := Disposition("attachment", name)
		for i := range len(header) {
			if header[i] < 0x20 || header[i] > 0x7e {
				t.Fatalf("header holds byte %#x: %q", header[i], header)
			}
		}
		kind, params, err := mime.ParseMediaType(header)
		if err != nil || kind != "attachment" {
			t.Fatalf("%q is not read back: %v", header, err)
		}
		if got := params["filename"]; strings.ToValidUTF8(got, "") == got && strings.ContainsAny(got, "\"\\/") && !strings.ContainsAny(name, "\"\\/") {
			t.Fatalf("name %q became %q", name, got)
		}
	})
}
