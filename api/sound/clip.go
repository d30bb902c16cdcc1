package sound

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"hark/api/download"
	"hark/api/problem"
	"hark/storage"
)

// The forms of a message's sound, by which addresses name them.
const (
	formOriginal  = "original"
	formRendition = "rendition"
)

// clip is one representation of a message's sound. Its address names its form
// and version, so that the bytes behind an address never change: a player that
// has the head of one clip is never answered with a part of another.
type clip struct {
	form, version            string
	key, mediaType, filename string
	bytes                    int64
	modified                 time.Time
}

// etag is the strong entity tag of the clip.
func (c clip) etag() string {
	if c.form == formRendition {
		return `"r` + c.version + `"`
	}
	return `"` + c.version + `"`
}

// query names the clip in an address. An original has no version there: a
// message has only ever one.
func (c clip) query() url.Values {
	q := url.Values{paramFormat: {c.form}}
	if c.form == formRendition {
		q.Set(paramVersion, c.version)
	}
	return q
}

// originalClip is the sound of a message as it was sent.
func originalClip(m storage.Message) clip {
	return clip{
		form: formOriginal, version: m.Original.SHA256,
		key: m.Original.Key, mediaType: m.Original.Format.MediaType(), filename: download.Name(m, m.Original.Format.Extension()),
		bytes: m.Original.Bytes, modified: m.CreatedAt,
	}
}

// renditionClip is the rendition of a message that has one. The time of the
// message does for all clips, as the bytes behind an address never change.
func renditionClip(m storage.Message) clip {
	return clip{
		form: formRendition, version: renditionVersion(m),
		key: m.Rendition.Key, mediaType: m.Rendition.MediaType, filename: download.Name(m, ".m4a"),
		bytes: m.Rendition.Bytes, modified: m.CreatedAt,
	}
}

// renditionVersion tells renditions of one message apart without reading them.
// The key, which is a secret, cannot be computed from it.
func renditionVersion(m storage.Message) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%d\n%s\n%s", m.Rendition.Key, m.Rendition.Bytes, m.Rendition.MediaType, m.Original.SHA256))
	return hex.EncodeToString(sum[:8])
}

// bestClip is what plays best now: the rendition or, until there is one, the
// original.
func bestClip(m storage.Message) clip {
	if m.Rendition != nil {
		return renditionClip(m)
	}
	return originalClip(m)
}

// clipOf finds the clip of a form; without a form, the one that plays best.
func clipOf(m storage.Message, form string) (clip, error) {
	switch {
	case m.State == storage.Recording:
		return clip{}, problem.NotFound.Saying("The message has no sound yet: it is being recorded.", nil)
	case form == formOriginal:
		return originalClip(m), nil
	case form == formRendition && m.Rendition == nil:
		return clip{}, problem.NotMade(problem.NoRendition, m, nil)
	}
	return bestClip(m), nil
}

// setClipHeaders sets what goes with every answer about a clip. Somebody uploaded
// its bytes: no browser may take them for a page, or run them.
func setClipHeaders(header http.Header, c clip, save bool) {
	disposition := "inline"
	if save {
		disposition = "attachment"
	}
	header.Set("Content-Disposition", download.Disposition(disposition, c.filename))
	header.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	header.Set("Cache-Control", "private, max-age=0, must-revalidate")
	header.Set("Accept-Ranges", "bytes")
	header.Set("ETag", c.etag())
	header.Set("Last-Modified", c.modified.UTC().Format(http.TimeFormat))
	header.Set("Vary", "Authorization, Cookie")
}

// BestAddress is where a message plays as it plays best now, with base before the
// path.
func BestAddress(base string, m storage.Message) string {
	return path(base, m.ID) + "?" + bestClip(m).query().Encode()
}

// OriginalAddress is where a message plays as it was sent, with base before the
// path.
func OriginalAddress(base string, m storage.Message) string {
	return path(base, m.ID) + "?" + originalClip(m).query().Encode()
}

// path is the path of a message's sound.
func path(base, messageID string) string { return base + "/v1/messages/" + messageID + "/audio" }
