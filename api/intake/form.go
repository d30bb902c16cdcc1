package intake

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"slices"
	"strings"

	"hark/media"
	"hark/storage"
)

// FieldAudio is the form field that holds the clip, as the description of the
// API names it.
const FieldAudio = "audio"

// clipFields are the names under which a part is the clip even without a file
// name. Any other part with a file name is taken for it too.
var clipFields = []string{FieldAudio, "file", "recording"}

// wantedClip says what the form's clip is to be, to senders who name it
// otherwise or send several.
const wantedClip = "send one recording, as the file in the field " + FieldAudio + ", file or recording"

// Bounds of a form beside its clip.
const (
	maxFormParts = 8       // each field comes once, and the clip
	maxFieldSize = 8 << 10 // bytes of one value

	// MaxFormOverhead is how many bytes a form may have beside its clip.
	MaxFormOverhead = maxFormParts * (maxFieldSize + 8<<10)
)

// OpenForm reads a multipart form (RFC 7578) from body up to its clip, sets
// what it finds on meta, and returns the clip to be read. The clip is the field
// "audio", "file" or "recording", or the one file under any other name or none.
// Fields may stand before or behind the clip: meta.Rest reads those behind it.
// A field that is not known, or comes twice, is refused, and so is a second file.
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
	clip  string          // what the sender calls the clip
}

// seekClip sets the fields before the clip on meta and returns the clip.
func (f *form) seekClip(meta *Meta) (io.Reader, error) {
	for {
		part, err := f.next()
		if err != nil {
			return nil, err
		}
		if part == nil {
			return nil, &FieldError{Field: FieldAudio, Problem: "the form has no file; " + wantedClip}
		}
		clip, isFile, err := clipOf(part)
		switch {
		case clip != nil:
			if meta.Filename == "" {
				meta.Filename = part.FileName()
			}
			f.clip = partName(part)
			return clip, nil
		case err == nil && !isFile:
			err = f.setField(meta, part)
		}
		if err != nil {
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
		another, isFile, err := clipOf(part)
		switch {
		case another != nil:
			return &FieldError{Field: partName(part), Problem: fmt.Sprintf("is a second file of the form, after %s; send each recording by itself", f.clip)}
		case err == nil && !isFile:
			err = f.setField(meta, part)
		}
		if err != nil {
			return err
		}
	}
}

// clipOf tells files from fields, and returns the clip in a file: nil for the
// empty one that a browser sends where none was chosen.
func clipOf(part *multipart.Part) (clip io.Reader, isFile bool, err error) {
	disposition := part.Header.Get("Content-Disposition")
	_, params, err := mime.ParseMediaType(disposition)
	name, named := params["filename"]
	if err != nil { // such as a file name with spaces and no quotes
		named = strings.Contains(strings.ToLower(disposition), "filename")
	}
	known := slices.Contains(clipFields, part.FormName())
	switch {
	case !known && !named && !isSound(part):
		return nil, false, nil
	case name != "" || !named:
		return &clipPart{r: part}, true, nil
	}
	var first [1]byte
	n, err := io.ReadFull(part, first[:])
	if err == io.EOF { //nolint:errorlint // a wrapped EOF is a body that was cut off
		return nil, true, nil
	}
	if err != nil {
		return nil, false, formError(err)
	}
	return &clipPart{r: io.MultiReader(bytes.NewReader(first[:n]), part)}, true, nil
}

// isSound reports whether a part without a file name says that it is no text.
func isSound(part *multipart.Part) bool {
	mediaType, _, _ := strings.Cut(strings.ToLower(part.Header.Get("Content-Type")), "/")
	return mediaType == "audio" || mediaType == "video"
}

// partName is what the sender calls a part.
func partName(part *multipart.Part) string {
	for _, name := range []string{part.FormName(), part.FileName()} {
		if name = storage.CutBytes(storage.Printable(name), maxFieldName); name != "" {
			return name
		}
	}
	return "the file without a name"
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
	if name == "" {
		return &FieldError{Field: "form", Problem: "a part has neither a name nor a file name; " + wantedClip}
	}
	if f.names[name] {
		return &FieldError{Field: name, Problem: "is given more than once"}
	}
	value, err := io.ReadAll(io.LimitReader(part, maxFieldSize+1))
	if err != nil {
		return formError(err)
	}
	if len(value) > maxFieldSize {
		return &FieldError{Field: name, Problem: fmt.Sprintf("must be %s or shorter", media.FormatBytes(maxFieldSize))}
	}
	err = meta.Set(name, string(value))
	var field *FieldError
	if errors.As(err, &field) && field.Problem == notKnown && f.clip == "" {
		return &FieldError{Field: field.Field, Problem: notKnown + ", and has no file name, as the recording has; " + wantedClip}
	}
	if err == nil {
		f.names[name] = true
	}
	return err
}

// clipPart reads the clip's part and keeps apart the end of the part from the
// end of a body that was cut off.
type clipPart struct{ r io.Reader }

func (c *clipPart) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
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
	return ReadError(err)
}
