package api

import (
	"encoding/json"
	"io"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"hark/api/strictjson"
)

// A key is what it is called, to the letter. huma has this for all APIs of a
// program alike; without it "KIND" is decoded and not checked.
func init() { huma.ValidateStrictCasing = true }

var problemType = reflect.TypeFor[Problem]()

// The groups of calls in the description.
const (
	tagYou           = "You"
	tagConversations = "Conversations"
	tagMessages      = "Messages"
	tagLive          = "Live recording"
	tagSound         = "Sound and text"
	tagSearch        = "Search"
	tagEvents        = "Events"
)

// about opens the description.
const about = `Hark keeps voice messages: send a recording into a conversation, and it is stored, made playable,
transcribed and searchable.

Ids are UUIDs. Times are RFC 3339 in UTC. Places in sound are whole milliseconds, in fields that end in ` + "`_ms`" + `.
Lists come newest first in pages: follow ` + "`next_cursor`" + `, or the ` + "`Link`" + ` header with ` + "`rel=\"next\"`" + `.
Errors are problem details (RFC 9457): ` + "`code`" + ` is for programs, ` + "`detail`" + ` for people, ` + "`request_id`" + ` for the log.
What you may not see is answered exactly as what is not there: 404.

HEAD is answered wherever GET is. Lists, messages, transcripts and waveforms have an ` + "`ETag`" + `: send it as ` + "`If-None-Match`" + ` and get 304 while
nothing has changed. Text is compressed with zstd or gzip, by ` + "`Accept-Encoding`" + `.`

// description configures huma: what it says about the API as a whole, and how
// it prints. Its own pages are left out; ours ask nothing of other hosts.
func (s *Server) description() huma.Config {
	return huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title:       "Hark",
				Version:     s.cfg.Version,
				Description: about,
				License:     &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"},
			},
			Servers: []*huma.Server{{URL: s.cfg.PublicURL}},
			Tags: []*huma.Tag{
				{Name: tagYou, Description: "Who you are, who else is here, and your tokens."},
				{Name: tagConversations, Description: "Conversations and who is in them."},
				{Name: tagMessages, Description: "Voice messages, from a recording to its place in a conversation."},
				{Name: tagLive, Description: "Speak a message into a conversation over WebRTC, with captions while you speak."},
				{Name: tagSound, Description: "What a message sounds like and what it says."},
				{Name: tagSearch, Description: "Find what was said, and the moment at which it was."},
				{Name: tagEvents, Description: "What happens, as it happens."},
			},
			Components: &huma.Components{
				Schemas:  huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer),
				Examples: problemExamples(),
				SecuritySchemes: map[string]*huma.SecurityScheme{
					"token":   {Type: "http", Scheme: "bearer", Description: "An API token, from `POST /v1/tokens` or the command line."},
					"session": {Type: "apiKey", In: "cookie", Name: s.cookieName(), Description: "The session of a browser that has signed in. Changes are taken from Hark's own pages only."},
					"signed":  {Type: "apiKey", In: "query", Name: paramSignature, Description: "A short-lived address, from `GET /v1/messages/{id}/audio-url`."},
				},
			},
		},
		Formats: map[string]huma.Format{
			"application/json": {Marshal: marshalJSON, Unmarshal: strictjson.Unmarshal},
			"json":             {Marshal: marshalJSON, Unmarshal: strictjson.Unmarshal},
		},
		DefaultFormat: "application/json",
		Transformers:  []huma.Transformer{asProblem},
	}
}

// problemExamples holds an example of each kind of problem, for all calls.
func problemExamples() map[string]*huma.Example {
	examples := map[string]*huma.Example{}
	for _, k := range kinds() {
		examples[k.code] = &huma.Example{Summary: k.title, Value: asJSON(exampleProblem(k))}
	}
	return examples
}

func marshalJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// asProblem gives every error that huma answers our form and the request's id.
func asProblem(ctx huma.Context, _ string, v any) (any, error) {
	if err, ok := v.(error); ok {
		return problemOf(err).stamped(ctx.Context()), nil
	}
	return v, nil
}
