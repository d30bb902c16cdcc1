package intake

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"hark/media"
)

const boundary = "xyz"

// formOf writes a form; a name that begins with @ is the clip.
func formOf(fields ...string) string {
	var b strings.Builder
	for i := 0; i+1 < len(fields); i += 2 {
		b.WriteString("--" + boundary + "\r\nContent-Disposition: form-data; name=\"" + strings.TrimPrefix(fields[i], "@") + "\"")
		if strings.HasPrefix(fields[i], "@") {
			b.WriteString("; filename=\"dir/clip.mp3\"\r\nContent-Type: audio/mpeg")
		}
		b.WriteString("\r\n\r\n" + fields[i+1] + "\r\n")
	}
	return b.String() + "--" + boundary + "--\r\n"
}

// readForm reads a whole form as Accept does.
func readForm(contentType string, body io.Reader) (clip []byte, meta Meta, err error) {
	r, err := OpenForm(contentType, body, &meta)
	if err != nil {
		return nil, meta, err
	}
	src := &source{r: r, left: 1 << 20, full: tooLarge(1 << 20)}
	if clip, err = io.ReadAll(src); err != nil {
		return nil, meta, err
	}
	return clip, meta, meta.Rest(&meta)
}

const formType = "multipart/form-data; boundary=" + boundary

func TestForm(t *testing.T) {
	for name, c := range map[string]struct {
		body     string
		wantClip string
		title    string
	}{
		"fields before":   {formOf("title", "Noon", "@audio", "sound"), "sound", "Noon"},
		"fields behind":   {formOf("@audio", "sound", "title", "Noon"), "sound", "Noon"},
		"empty clip":      {formOf("@audio", ""), "", ""},
		"binary clip":     {formOf("@audio", "\r\n--xy\r\n\x00"), "\r\n--xy\r\n\x00", ""},
		"preamble":        {"hello\r\n" + formOf("@audio", "sound"), "sound", ""},
		"no file name":    {formOf("audio", "sound"), "sound", ""},
		"with epilogue":   {formOf("@audio", "sound") + "bye", "sound", ""},
		"clip of 100 kB ": {formOf("@audio", strings.Repeat("ab", 50_000), "title", "t"), strings.Repeat("ab", 50_000), "t"},
	} {
		t.Run(name, func(t *testing.T) {
			clip, meta, err := readForm(formType, iotest.HalfReader(strings.NewReader(c.body)))
			if err != nil {
				t.Fatal(err)
			}
			if string(clip) != c.wantClip || meta.Title != c.title {
				t.Errorf("clip of %d bytes, title %q", len(clip), meta.Title)
			}
		})
	}
}

// formPart writes one part with a disposition and headers of its own.
func formPart(disposition, value string) string {
	if disposition != "" {
		disposition = "Content-Disposition: form-data" + disposition + "\r\n"
	}
	return "--" + boundary + "\r\n" + disposition + "\r\n" + value + "\r\n"
}

// TestFormClip finds the recording under the names that clients give it.
func TestFormClip(t *testing.T) {
	const title = "; name=title"
	for name, parts := range map[string][]string{
		"file":                     {formPart(`; name="file"; filename="a.mp3"`, "sound")},
		"file without a file name": {formPart(`; name="file"`, "sound")},
		"recording":                {formPart(`; name="recording"; filename="a.mp3"`, "sound")},
		"another name":             {formPart(`; name="voice_note[]"; filename="a.mp3"`, "sound")},
		"no name":                  {formPart(`; filename="a.mp3"`, "sound")},
		"encoded file name":        {formPart(`; name="upload"; filename*=UTF-8''%C3%BC.mp3`, "sound")},
		"file name of two words":   {formPart(`; name="upload"; filename=my voice.mp3`, "sound")},
		"empty file name":          {formPart(`; name="upload"; filename=""`, "sound")},
		"a type and no file name":  {"--" + boundary + "\r\nContent-Disposition: form-data; name=blob\r\nContent-Type: audio/webm\r\n\r\nsound\r\n"},
		"before its title":         {formPart(`; name="upload"; filename="a.mp3"`, "sound"), formPart(title, "Noon")},
		"an input left empty":      {formPart(`; name="photo"; filename=""`, ""), formPart(`; name="file"; filename="a.mp3"`, "sound"), formPart(`; name="audio"; filename=""`, "")},
	} {
		t.Run(name, func(t *testing.T) {
			body := strings.Join(parts, "") + "--" + boundary + "--\r\n"
			clip, _, err := readForm(formType, iotest.OneByteReader(strings.NewReader(body)))
			if err != nil || string(clip) != "sound" {
				t.Errorf("got %q, %v", clip, err)
			}
		})
	}
}

// TestFormSaysWhatIsWanted refuses forms that leave open what the recording is.
func TestFormSaysWhatIsWanted(t *testing.T) {
	for name, c := range map[string]struct {
		parts []string
		field string
		words []string
	}{
		"two files":              {[]string{formPart(`; name="a"; filename="a.mp3"`, "sound"), formPart(`; name="b"; filename="b.mp3"`, "sound")}, "b", []string{"second file", "after a"}},
		"a picture beside it":    {[]string{formPart(`; name="cover"; filename="a.png"`, "png"), formPart(`; name="audio"; filename="b.mp3"`, "sound")}, "audio", []string{"second file", "after cover"}},
		"two without names":      {[]string{formPart(`; filename="a.mp3"`, "sound"), formPart(`; filename="b.mp3"`, "sound")}, "b.mp3", []string{"after a.mp3"}},
		"no file":                {[]string{formPart(`; name="title"`, "Noon")}, "audio", []string{"no file", "audio, file or recording"}},
		"only an empty input":    {[]string{formPart(`; name="upload"; filename=""`, "")}, "audio", []string{"no file"}},
		"a field of other names": {[]string{formPart(`; name="voice"`, "sound")}, "voice", []string{"not known", "no file name", "audio, file or recording"}},
		"no name at all":         {[]string{formPart("", "sound")}, "form", []string{"neither a name nor a file name"}},
	} {
		t.Run(name, func(t *testing.T) {
			body := strings.Join(c.parts, "") + "--" + boundary + "--\r\n"
			_, _, err := readForm(formType, strings.NewReader(body))
			var field *FieldError
			if !errors.As(err, &field) || field.Field != c.field {
				t.Fatalf("got %v, want a problem of %s", err, c.field)
			}
			for _, w := range c.words {
				if !strings.Contains(field.Problem, w) {
					t.Errorf("%q does not say %q", field.Problem, w)
				}
			}
		})
	}
}

func TestFormFilename(t *testing.T) {
	_, meta, err := readForm(formType, strings.NewReader(formOf("@audio", "x")))
	if err != nil || meta.Filename != "clip.mp3" {
		t.Errorf("name %q, %v", meta.Filename, err)
	}
	_, meta, err = readForm(formType, strings.NewReader(formOf("filename", "mine.mp3", "@audio", "x")))
	if err != nil || meta.Filename != "mine.mp3" {
		t.Errorf("name %q, %v", meta.Filename, err)
	}
}

func TestFormRefusals(t *testing.T) {
	whole := formOf("title", "Noon", "@audio", "sound", "priority", "bulk")
	var field *FieldError
	isField := func(err error) bool { return errors.As(err, &field) }
	is := func(target error) func(error) bool {
		return func(err error) bool { return errors.Is(err, target) }
	}
	for name, c := range map[string]struct {
		contentType, body string
		ok                func(error) bool
	}{
		"no boundary":     {"multipart/form-data", whole, is(ErrMalformedForm)},
		"no clip":         {formType, formOf("title", "Noon"), isField},
		"two clips":       {formType, formOf("@audio", "a", "@audio", "b"), isField},
		"bad field":       {formType, formOf("priority", "x", "@audio", "a"), isField},
		"bad field after": {formType, formOf("@audio", "a", "priority", "x"), isField},
		"unknown field":   {formType, formOf("csrf", "x", "@audio", "sound"), isField},
		"another case":    {formType, formOf("Title", "x", "@audio", "sound"), isField},
		"field twice":     {formType, formOf("title", "x", "title", "x", "@audio", "a"), isField},
		"again behind":    {formType, formOf("title", "Morning", "@audio", "sound", "title", "Noon"), isField},
		"large field":     {formType, formOf("title", strings.Repeat("x", maxFieldSize+1), "@audio", "a"), isField},
		"cut in a field":  {formType, whole[:60], is(ErrIncomplete)},
		"cut in the clip": {formType, whole[:strings.Index(whole, "sound")+3], is(ErrIncomplete)},
		"cut behind":      {formType, whole[:len(whole)-20], is(ErrIncomplete)},
		"nothing":         {formType, "", is(ErrIncomplete)},
	} {
		t.Run(name, func(t *testing.T) {
			// A body that is cut off ends as net/http ends it.
			body := io.Reader(strings.NewReader(c.body))
			if !strings.HasSuffix(c.body, "--\r\n") {
				body = io.MultiReader(body, iotest.ErrReader(io.ErrUnexpectedEOF))
			}
			if _, _, err := readForm(c.contentType, body); err == nil || !c.ok(err) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func FuzzForm(f *testing.F) {
	for _, seed := range []string{
		formOf("title", "Noon", "@audio", "sound"), formOf("@audio", "sound", "reply_at_ms", "12"),
		formPart("; filename=a", "s") + formPart(`; name="b"; filename=""`, ""), formPart("", ""), formPart("; name=x; filename=a b", "s"),
		formOf("priority", "x"), "--xyz", "--xyz\r\n\r\n", formOf("@audio", "s")[:40], formOf("recorded_at", "2026-03-01T00:00:00Z", "@audio", ""),
	} {
		f.Add(formType, []byte(seed))
	}
	f.Add("multipart/form-data; boundary=\"a b\"", []byte("--a b\r\n"))
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		clip, meta, err := readForm(contentType, bytes.NewReader(body))
		if err == nil && len(clip) > len(body) {
			t.Fatal("a clip longer than its form")
		}
		if err != nil {
			return
		}
		var field *FieldError
		if err := meta.clean(); err != nil && !errors.As(err, &field) {
			t.Fatalf("cleaning failed with %v", err)
		}
	})
}

func TestSourceLimit(t *testing.T) {
	for size, whole := range map[int]bool{0: true, 9: true, 10: true, 11: false, 5000: false} {
		src := &source{r: iotest.OneByteReader(bytes.NewReader(make([]byte, size))), left: 10, full: tooLarge(10)}
		got, err := io.ReadAll(src)
		if whole && (err != nil || len(got) != size || !src.ended()) {
			t.Errorf("%d bytes: %d came, %v", size, len(got), err)
		}
		refusal, refused := media.AsRefusal(err)
		if !whole && (!refused || refusal.Kind != media.TooLarge || src.ended() || len(got) > 10) {
			t.Errorf("%d bytes: %d came, %v", size, len(got), err)
		}
	}
}

func TestSourceBlame(t *testing.T) {
	broken := &source{r: iotest.ErrReader(errors.New("connection reset")), left: 10, full: tooLarge(10)}
	_, err := io.ReadAll(broken)
	if !errors.Is(err, ErrIncomplete) || !errors.Is(broken.blame(errors.New("upload failed")), ErrIncomplete) {
		t.Errorf("a broken sender: %v", err)
	}
	good := &source{r: strings.NewReader("abc"), left: 10, full: tooLarge(10)}
	if err := good.blame(errors.New("upload failed")); !errors.Is(err, ErrUnavailable) {
		t.Errorf("a broken store: %v", err)
	}
}
