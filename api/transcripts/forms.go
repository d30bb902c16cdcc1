package transcripts

import (
	"bytes"
	"io"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"hark/api/rest"
	"hark/media/transcript"
	"hark/storage"
)

// form is a form in which a transcript can be had.
type form struct {
	suffix, mediaType string
	write             func(io.Writer, storage.VersionedTranscript) error
}

// forms are the forms, the preferred first.
func forms() []form {
	return []form{
		{".json", "application/json", func(w io.Writer, t storage.VersionedTranscript) error {
			return rest.WriteJSON(w, view(t))
		}},
		{".vtt", "text/vtt", func(w io.Writer, t storage.VersionedTranscript) error {
			return transcript.WriteVTT(w, &t.Transcript, transcript.CaptionOptions{})
		}},
		{".srt", "application/x-subrip", func(w io.Writer, t storage.VersionedTranscript) error {
			return transcript.WriteSRT(w, &t.Transcript, transcript.CaptionOptions{})
		}},
		{".txt", "text/plain", func(w io.Writer, t storage.VersionedTranscript) error {
			return transcript.WriteText(w, &t.Transcript)
		}},
	}
}

func withCharset(mediaType string) string {
	if mediaType == "application/json" {
		return mediaType
	}
	return mediaType + "; charset=utf-8"
}

// document adds the forms, each with an example that its own
// printer made.
func document(forms ...form) func(*huma.Operation, huma.Registry) {
	return func(op *huma.Operation, schemas huma.Registry) {
		content := map[string]*huma.MediaType{}
		for _, form := range forms {
			var printed bytes.Buffer
			if err := form.write(&printed, exampleRecord()); err != nil {
				panic("an example cannot be printed: " + err.Error())
			}
			described := &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}, Example: printed.String()}
			if form.mediaType == "application/json" {
				described.Schema = schemas.Schema(reflect.TypeFor[Transcript](), true, "Transcript")
				described.Example = rest.AsJSON(view(exampleRecord()))
			}
			content[form.mediaType] = described
		}
		op.Responses["200"] = &huma.Response{Description: "The transcript", Content: content}
	}
}
