package inspect

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"hark/media"
	"hark/media/internal/mpeg"
	"hark/media/internal/ogg"
	"hark/media/internal/riff"
)

// magics are the formats that their first bytes give away.
var magics = []struct {
	magic  string
	format media.Format
}{
	{"fLaC", media.FLAC},
	{"#!AMR\n", media.AMR},
	{"#!AMR-WB\n", media.AMRWB},
	{"caff\x00\x01", media.CAF},
	{"\x30\x26\xB2\x75\x8E\x66\xCF\x11\xA6\xD9\x00\xAA\x00\x62\xCE\x6C", media.ASF},
	{"riff\x2E\x91\xCF\x11\xA5\xD6\x28\xDB\x04\xC1\x00\x00", media.Wave64},
	{".snd\x00\x00", media.AU},
}

// begins says of which format head is the beginning, with no byte before it:
// "" when it is of none, and a refusal when it is a container of something else.
func begins(head []byte, whole bool) (media.Format, error) {
	if format, ok := sniffMagic(head); ok {
		return format, nil
	}
	if format, ok, err := sniffContainer(head); ok || err != nil {
		return format, err
	}
	return sniffFrames(head, mpeg.AtOnce, whole), nil
}

func sniffMagic(head []byte) (media.Format, bool) {
	for _, m := range magics {
		if bytes.HasPrefix(head, []byte(m.magic)) {
			return m.format, true
		}
	}
	if riff.Is(head) {
		return media.WAV, true
	}
	if len(head) >= 12 && string(head[:4]) == "FORM" && (string(head[8:12]) == "AIFF" || string(head[8:12]) == "AIFC") {
		return media.AIFF, true
	}
	return "", false
}

func sniffContainer(head []byte) (media.Format, bool, error) {
	switch {
	case bytes.HasPrefix(head, []byte("OggS")):
		format, err := sniffOgg(head)
		return format, err == nil, err
	case bytes.HasPrefix(head, []byte("\x1A\x45\xDF\xA3")):
		return media.WebM, true, nil
	case len(head) >= 8 && string(head[4:8]) == "ftyp":
		format, err := sniffBrand(head)
		return format, err == nil, err
	case len(head) >= 8 && head[0] < ' ' && slices.Contains([]string{"moov", "mdat", "wide", "free", "skip", "pnot"}, string(head[4:8])):
		return media.MP4, true, nil // QuickTime from before there were brands
	}
	return "", false, nil
}

// oggCodecs are the beginnings of the first packets of what may be in an Ogg
// file, each with the format, or where there is none the name of the codec.
var oggCodecs = []struct {
	magic  string
	format media.Format
	name   string
}{
	{"OpusHead", media.OggOpus, ""},
	{"\x01vorbis", media.OggVorbis, ""},
	{"\x7FFLAC", media.OggFLAC, ""},
	{"fLaC", media.OggFLAC, ""},
	{"Speex   ", media.OggSpeex, ""},
	{"CELT    ", "", "CELT"},
	{"PCM     ", "", "OggPCM"},
	{"OggMIDI\x00", "", "MIDI"},
}

// oggVideos are the beginnings of the first packets of pictures.
var oggVideos = []string{"\x80theora", "BBCD", "OVP80", "\x01video"}

// oggCodec tells the codec of a stream by its first packet: its format, or for
// one that is not taken its name; neither when it is not known.
func oggCodec(first []byte) (format media.Format, name string) {
	for _, c := range oggCodecs {
		if bytes.HasPrefix(first, []byte(c.magic)) {
			return c.format, c.name
		}
	}
	return "", ""
}

// sniffOgg looks at the first packet of each stream: they stand on the first
// pages, before anything else (RFC 3533, section 4).
func sniffOgg(head []byte) (media.Format, error) {
	video, other := false, ""
	for len(head) > 0 {
		page, size, err := ogg.ParseUnchecked(head)
		if err != nil || !page.First {
			break
		}
		head = head[size:]
		format, name := oggCodec(page.Body)
		if format != "" {
			return format, nil
		}
		other = cmp.Or(name, other)
		video = video || slices.ContainsFunc(oggVideos, func(magic string) bool { return bytes.HasPrefix(page.Body, []byte(magic)) })
	}
	switch {
	case other != "":
		return "", refuseCodec(other)
	case video:
		return "", refuseSilentVideo()
	}
	return "", media.Refuse(media.Unsupported, nil, "This Ogg file holds no Opus, Vorbis, FLAC or Speex sound. Send it in one of those forms.")
}

// pictureBrands are the brands of the MP4 family that mean still pictures.
var pictureBrands = []string{"heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1", "avif", "avis", "crx ", "jp2 ", "jpx "}

// sniffBrand tells the members of the MP4 family apart by their major brand.
func sniffBrand(head []byte) (media.Format, error) {
	if len(head) < 12 {
		return media.MP4, nil
	}
	brand := string(head[8:12])
	switch {
	case slices.Contains(pictureBrands, brand):
		return "", notAudio("a picture")
	case strings.HasPrefix(brand, "3gp"), strings.HasPrefix(brand, "3g2"), strings.HasPrefix(brand, "3ge"), strings.HasPrefix(brand, "3gg"):
		return media.ThreeGP, nil
	}
	return media.MP4, nil
}

// sniffFrames tells the formats that have no header of their own but their
// frames, of which it wants so many in a row; "" for none.
func sniffFrames(head []byte, want int, whole bool) media.Format {
	switch {
	case len(head) == 0 || head[0] != 0xFF:
		return ""
	case mpeg.ADTSStarts(head, want, whole):
		return media.AAC
	case mpeg.Starts(head, want, whole):
		return media.MP3
	}
	return ""
}
