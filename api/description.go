package api

import (
	"github.com/danielgtaylor/huma/v2"

	"hark/api/rest"
	"hark/api/signin"
)

// about opens the description.
const about = `Hark keeps voice messages: send a recording into a conversation, and it is stored, made playable,
transcribed and searchable.

Ids are UUIDs. Times are RFC 3339 in UTC. Places in sound are whole milliseconds, in fields that end in ` + "`_ms`" + `.
Lists come newest first in pages: follow ` + "`next_cursor`" + `, or the ` + "`Link`" + ` header with ` + "`rel=\"next\"`" + `.
Errors are problem details (RFC 9457): ` + "`code`" + ` is for programs, ` + "`detail`" + ` for people, ` + "`request_id`" + ` for the log.
What you may not see is answered exactly as what is not there: 404.

A token may be held to scopes: ` + "`read`" + ` (see, hear, search), ` + "`write`" + ` (change, delete), ` + "`record`" + ` (record messages, send and discard drafts),
` + "`admin`" + ` (tokens, the workspace), and ` + "`conversation:ID`" + `, once or more, which holds these to conversations. Each call says which it needs; without it
the answer is 403 with ` + "`insufficient_scope`" + `. A signed-in browser has all scopes of its user. Roles bound what a user may do, whatever the scopes.

HEAD is answered wherever GET is. Lists, messages, transcripts and waveforms have an ` + "`ETag`" + `: send it as ` + "`If-None-Match`" + ` and get 304 while
nothing has changed. Text is compressed with zstd or gzip, by ` + "`Accept-Encoding`" + `.`

// description is what is said of the API beside its groups and calls.
func description(cfg Config, public rest.PublicURL) *huma.OpenAPI {
	return &huma.OpenAPI{
		Info: &huma.Info{
			Title:       "Hark",
			Version:     cfg.Version,
			Description: about,
			License:     &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"},
		},
		Servers: []*huma.Server{{URL: cfg.PublicURL}},
		Components: &huma.Components{
			SecuritySchemes: map[string]*huma.SecurityScheme{
				"token":   {Type: "http", Scheme: "bearer", Description: "An API token, from `POST /v1/tokens` or the command line."},
				"session": {Type: "apiKey", In: "cookie", Name: signin.CookieName(public), Description: "The session of a browser that has signed in. Changes are taken from Hark's own pages only."},
				"signed":  {Type: "apiKey", In: "query", Name: rest.ParamSignature, Description: "A short-lived address, from `GET /v1/messages/{id}/audio-url`."},
			},
		},
	}
}
