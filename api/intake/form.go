package intake

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"strings"
)

// FieldAudio is the form field that holds the clip.
const FieldAudio = "audio"

// Bounds of a form beside its clip.
const (
	maxFormParts = 8       // each field comes once, and the clip
	maxFieldSize = 8 << 10 // bytes of one value

	// MaxFormOverhead is how many bytes a form may have beside its clip.
	MaxFormOverhead = maxFormParts * (maxFieldSize + 8<<10)
)

// OpenForm reads a multipart form (RFC 7578) from body up to its clip, the
// field "audio", sets what it finds on meta, and returns the clip to be read.
// Fields may stand before or behind the clip: meta.Rest reads those behind it.
// A field that is not known, or comes twice, is refused.
// Nothing is buffered but the small fields.
func OpenForm(contentType string, body io.Reader, meta *Meta) (io.Reader, error) {
	mediaType, params, err := mime.ParseMediaType(contentType)
	if err != nil || !strings.EqualFold(mediaType, "multipart/form-data") || params["boundary"] == "" {
		return nil, fmt.Errorf("%w: content type has no boundary", ErrMalformedForm)
	}
	form := &form{parts: multipart.NewReader(body, params["boundary"]), names: map[string]bool{}}
	clip, err := form.seekClip(meta)
	if err != nil {
		return nil, err
	}
	meta.Rest = form.readRest
	return clip, nil
}

// IsForm reports whether a content type is that of a multipart form.
func IsForm(contentType string) bool {
	mediaType, _, _ := strings.Cut(contentType, ";")
	return strings.EqualFold(strings.TrimSpace(mediaType), "multipart/form-data")
}

type form struct {
	parts *multipart.Reader
	names map[string]bool // of the fields that were set
}

// seekClip sets the fields before the clip on meta and returns the clip.
func (f *form) seekClip(meta *Meta) (io.Reader, error) {
	for {
		part, err := f.next()
		if err != nil {
			return nil, err
		}
		if part == nil {
			return nil, &FieldError{Field: FieldAudio, Problem: "the form has no such field; it is the recording"}
		}
		if part.FormName() == FieldAudio {
			if meta.Filename == "" {
				meta.Filename = part.FileName()
			}
			return &clipPart{part: part}, nil
		}
		if err := f.setField(meta, part); err != nil {
			return nil, err
		}
	}
}

// readRest sets the fields behind the clip on meta, to the end of the form.
func (f *form) readRest(meta *Meta) error {
	for {
		part, err := f.next()
		if err != nil || part == nil {
			return err
		}
		if part.FormName() == FieldAudio {
			return &FieldError{Field: FieldAudio, Problem: "the form has it twice; send each recording by itself"}
		}
		if err := f.setField(meta, part); err != nil {
			return err
		}
	}
}

// next returns the next part; nil behind the last.
func (f *form) next() (*multipart.Part, error) {
	part, err := f.parts.NextPart()
	if err == io.EOF { //nolint:errorlint // bare at the end of a form; wrapped when the body broke off
		return nil, nil
	}
	if err != nil {
		return nil, formError(err)
	}
	return part, nil
}

func (f *form) setField(meta *Meta, part *multipart.Part) error {
	name := part.FormName()
	if f.names[name] {
		return &FieldError{Field: name, Problem: "is given more than once"}
	}
	value, err := io.ReadAll(io.LimitReader(part, maxFieldSize+1))
	if err != nil {
		return formError(err)
	}
	if len(value) > maxFieldSize {
		return &FieldError{Field: name, Problem: fmt.Sprintf("must be %s or shorter", humanBytes(maxFieldSize))}
	}
	if err := meta.Set(name, string(value)); err != nil {
		return err
	}
	f.names[name] = true
	return nil
}

// clipPart reads the clip's part and keeps apart the end of the part from the
// end of a body that was cut off.
type clipPart struct{ part *multipart.Part }

func (c *clipPart) Read(p []byte) (int, error) {
	n, err := c.part.Read(p)
	if err != nil && err != io.EOF { //nolint:errorlint // a wrapped EOF is a body that was cut off
		err = formError(err)
	}
	return n, err
}

// formError tells a form that was cut off or came too slowly from one that is
// wrong.
func formError(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: %w", ErrIncomplete, err)
	}
	if strings.HasPrefix(err.Error(), "multipart:") || strings.HasPrefix(err.Error(), "malformed") {
		return fmt.Errorf("%w: %w", ErrMalformedForm, err)
	}
	return readError(err)
}
