package inspect

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"hark/media"
)

// SniffLen is how many bytes from the start of a clip [Sniff] wants. It makes
// do with fewer, and looks at no more.
const SniffLen = 64 << 10

// Sniff says what a clip is by its first bytes, whatever its name or header
// claimed. head is the first [SniffLen] bytes, or the whole clip if it is
// shorter. What is not taken is a [media.Refusal] that names what the bytes look
// like, so that somebody who picked the wrong file knows.
//
// Where the head is all tag or padding, the answer is MP3, which is what
// stands behind most of them; [Locate] and [Clip] see what really does.
func Sniff(head []byte) (media.Format, error) {
	head = head[:min(len(head), SniffLen)]
	if len(head) == 0 {
		return "", refuseEmpty()
	}
	found, err := search(head, len(head) < SniffLen, false)
	if err != nil {
		return "", err
	}
	if found.format == "" {
		return media.MP3, nil
	}
	return found.format, nil
}

func refuseEmpty() error {
	return media.Refuse(media.Empty, nil, "The recording is empty. Record it again or choose another file.")
}

func notAudio(what string) error {
	return media.Refuse(media.NotAudio, nil, "This is %s, not a recording.", what)
}

func refuseSilentVideo() error {
	return media.Refuse(media.NotAudio, nil, "This is a video without sound. Send a recording that can be heard.")
}

// isText reports whether b is text: UTF-8 with hardly a control character, or
// UTF-16 with its mark.
func isText(b []byte) bool {
	if bytes.HasPrefix(b, []byte("\xFF\xFE")) || bytes.HasPrefix(b, []byte("\xFE\xFF")) {
		return true
	}
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			return len(b)-i < utf8.UTFMax && !utf8.FullRune(b[i:])
		}
		if r < ' ' && !strings.ContainsRune("\t\n\v\f\r\x1B", r) {
			return false
		}
		i += n
	}
	return true
}
