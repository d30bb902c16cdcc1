package media

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"

	"hark/media/internal/mpeg"
	"hark/media/internal/ogg"
	"hark/media/internal/riff"
)

// SniffLen is how many bytes from the start of a clip [Sniff] wants. It makes
// do with fewer, and looks at no more.
const SniffLen = 4096

// Sniff says what a clip is by its first bytes, whatever its name or header
// claimed. head is the first [SniffLen] bytes, or the whole clip if it is
// shorter. What is not taken is a [Refusal] that names what the bytes look
// like, so that somebody who picked the wrong file knows.
func Sniff(head []byte) (Format, error) {
	head = head[:min(len(head), SniffLen)]
	if len(head) == 0 {
		return "", Refuse(Empty, nil, "The recording is empty. Record it again or choose another file.")
	}
	if format, ok := sniffMagic(head); ok {
		return format, nil
	}
	if format, ok, err := sniffContainer(head); ok || err != nil {
		return format, err
	}
	if err := foreign(head); err != nil {
		return "", err
	}
	if format, ok := sniffFrames(head); ok {
		return format, nil
	}
	if isText(head) {
		return "", Refuse(NotAudio, nil, "This is a text file, not a recording.")
	}
	return "", Refuse(NotAudio, nil, "This is not a recording in a form that Hark knows.")
}

// magics are the formats that their first bytes give away.
var magics = []struct {
	magic  string
	format Format
}{
	{"fLaC", FLAC},
	{"#!AMR\n", AMR},
	{"#!AMR-WB\n", AMRWB},
	{"caff\x00\x01", CAF},
	{"\x30\x26\xB2\x75\x8E\x66\xCF\x11\xA6\xD9\x00\xAA\x00\x62\xCE\x6C", ASF},
	{"riff\x2E\x91\xCF\x11\xA5\xD6\x28\xDB\x04\xC1\x00\x00", Wave64},
	{".snd\x00\x00", AU},
}

func sniffMagic(head []byte) (Format, bool) {
	for _, m := range magics {
		if bytes.HasPrefix(head, []byte(m.magic)) {
			return m.format, true
		}
	}
	if riff.Is(head) {
		return WAV, true
	}
	if len(head) >= 12 && string(head[:4]) == "FORM" && (string(head[8:12]) == "AIFF" || string(head[8:12]) == "AIFC") {
		return AIFF, true
	}
	return "", false
}

func sniffContainer(head []byte) (Format, bool, error) {
	switch {
	case bytes.HasPrefix(head, []byte("OggS")):
		format, err := sniffOgg(head)
		return format, err == nil, err
	case bytes.HasPrefix(head, []byte("\x1A\x45\xDF\xA3")):
		return WebM, true, nil
	case len(head) >= 8 && string(head[4:8]) == "ftyp":
		format, err := sniffBrand(head)
		return format, err == nil, err
	case len(head) >= 8 && head[0] < ' ' && slices.Contains([]string{"moov", "mdat", "wide", "free", "skip", "pnot"}, string(head[4:8])):
		return MP4, true, nil // QuickTime from before there were brands
	}
	return "", false, nil
}

// sniffOgg looks at the first packet of each stream: they stand on the first
// pages, before anything else (RFC 3533, section 4).
func sniffOgg(head []byte) (Format, error) {
	video := false
	for len(head) > 0 {
		page, size, err := ogg.ParseUnchecked(head)
		if err != nil || !page.First {
			break
		}
		head = head[size:]
		switch codec := page.Body; {
		case bytes.HasPrefix(codec, []byte("OpusHead")):
			return OggOpus, nil
		case bytes.HasPrefix(codec, []byte("\x01vorbis")):
			return OggVorbis, nil
		case bytes.HasPrefix(codec, []byte("\x7FFLAC")), bytes.HasPrefix(codec, []byte("fLaC")):
			return OggFLAC, nil
		case bytes.HasPrefix(codec, []byte("Speex   ")):
			return OggSpeex, nil
		case bytes.HasPrefix(codec, []byte("\x80theora")):
			video = true
		}
	}
	if video {
		return "", refuseSilentVideo()
	}
	return "", Refuse(Unsupported, nil, "This Ogg file holds no Opus, Vorbis, FLAC or Speex sound. Send it in one of those forms.")
}

// pictureBrands are the brands of the MP4 family that mean still pictures.
var pictureBrands = []string{"heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1", "avif", "avis", "crx ", "jp2 ", "jpx "}

// sniffBrand tells the members of the MP4 family apart by their major brand.
func sniffBrand(head []byte) (Format, error) {
	if len(head) < 12 {
		return MP4, nil
	}
	brand := string(head[8:12])
	switch {
	case slices.Contains(pictureBrands, brand):
		return "", notAudio("a picture")
	case strings.HasPrefix(brand, "3gp"), strings.HasPrefix(brand, "3g2"), strings.HasPrefix(brand, "3ge"), strings.HasPrefix(brand, "3gg"):
		return ThreeGP, nil
	}
	return MP4, nil
}

// sniffFrames finds formats that have no header of their own but their frames.
func sniffFrames(head []byte) (Format, bool) {
	if tag := mpeg.ID3Size(head); tag > 0 {
		if tag >= int64(len(head)) {
			return MP3, true // Inspect sees what really follows the tag
		}
		head = head[tag:]
		if format, ok := sniffMagic(head); ok {
			return format, true
		}
		if mpeg.IsADTS(head) {
			return AAC, true
		}
		return MP3, true
	}
	if mpeg.IsADTS(head) {
		return AAC, true
	}
	if at, _ := mpeg.Find(head, len(head) < SniffLen); at >= 0 {
		return MP3, true
	}
	return "", false
}

func notAudio(what string) error {
	return Refuse(NotAudio, nil, "This is %s, not a recording.", what)
}

func refuseSilentVideo() error {
	return Refuse(NotAudio, nil, "This is a video without sound. Send a recording that can be heard.")
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
