package inspect

import (
	"bytes"
	"strings"

	"hark/media"
)

// foreigners are files that people send by mistake, or in the hope that Hark
// takes them, each with the words for it.
var foreigners = []struct {
	at    int
	magic string
	kind  media.Kind
	what  string
}{
	{0, "\xFF\xD8\xFF", media.NotAudio, "a JPEG picture"},
	{0, "\x89PNG\r\n\x1A\n", media.NotAudio, "a PNG picture"},
	{0, "GIF8", media.NotAudio, "a GIF picture"},
	{8, "WEBP", media.NotAudio, "a WebP picture"},
	{0, "II*\x00", media.NotAudio, "a TIFF picture"},
	{0, "MM\x00*", media.NotAudio, "a TIFF picture"},
	{0, "%PDF", media.NotAudio, "a PDF document"},
	{0, "{\\rtf", media.NotAudio, "an RTF document"},
	{0, "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", media.NotAudio, "an Office document"},
	{0, "PK\x03\x04", media.NotAudio, "a ZIP archive (or an Office document)"},
	{0, "PK\x05\x06", media.NotAudio, "an empty ZIP archive"},
	{0, "\x1F\x8B", media.NotAudio, "a gzip archive"},
	{0, "BZh", media.NotAudio, "a bzip2 archive"},
	{0, "\xFD7zXZ\x00", media.NotAudio, "an xz archive"},
	{0, "\x28\xB5\x2F\xFD", media.NotAudio, "a zstd archive"},
	{0, "7z\xBC\xAF\x27\x1C", media.NotAudio, "a 7z archive"},
	{0, "Rar!\x1A\x07", media.NotAudio, "a RAR archive"},
	{257, "ustar", media.NotAudio, "a tar archive"},
	{0, "\x7FELF", media.NotAudio, "a program"},
	{0, "\xCF\xFA\xED\xFE", media.NotAudio, "a program"},
	{0, "SQLite format 3\x00", media.NotAudio, "a database"},
	{0, "MZ", media.NotAudio, "a program"},
	{0, "MThd", media.NotAudio, "a MIDI file (notes, and no sound)"},
	{8, "AVI ", media.Unsupported, "an AVI video"},
	{0, "FLV\x01", media.Unsupported, "a Flash video"},
	{0, "\x00\x00\x01\xBA", media.Unsupported, "an MPEG video"},
	{0, "\x00\x00\x01\xB3", media.Unsupported, "an MPEG video"},
	{0, "wvpk", media.Unsupported, "a WavPack recording"},
	{0, "MAC ", media.Unsupported, "a Monkey's Audio recording"},
	{0, "MPCK", media.Unsupported, "a Musepack recording"},
	{0, "MP+", media.Unsupported, "a Musepack recording"},
	{0, "TTA1", media.Unsupported, "a True Audio recording"},
	{0, "DSD ", media.Unsupported, "a DSD recording"},
	{0, "FRM8", media.Unsupported, "a DSD recording"},
	{0, "Creative Voice File", media.Unsupported, "a Creative Voice recording"},
	{0, ".ra\xFD", media.Unsupported, "a RealAudio recording"},
	{0, ".RMF", media.Unsupported, "a RealMedia recording"},
	{0, "RIFX", media.Unsupported, "a WAV file of big-endian samples"},
	{0, "NIST_1A", media.Unsupported, "a NIST Sphere recording"},
	{0, "ADIF", media.Unsupported, "an AAC file with one header for all frames"},
	{0, "\x0B\x77", media.Unsupported, "a bare stream of AC-3"},
	{0, "\x7F\xFE\x80\x01", media.Unsupported, "a bare stream of DTS"},
	{0, "#!SILK_V3", media.Unsupported, "a SILK voice message"},
	{0, "\x02#!SILK_V3", media.Unsupported, "a SILK voice message"},
}

// foreign refuses head when it is the beginning of a file that is known and
// not taken, and returns nil otherwise.
func foreign(head []byte) error {
	for _, f := range foreigners {
		if len(head) < f.at+len(f.magic) || string(head[f.at:f.at+len(f.magic)]) != f.magic {
			continue
		}
		if f.kind == media.Unsupported {
			return media.Refuse(media.Unsupported, nil, "This is %s, which Hark does not decode. Send it as MP3, M4A, WAV, FLAC or Opus.", f.what)
		}
		return notAudio(f.what)
	}
	if isTransportStream(head) {
		return media.Refuse(media.Unsupported, nil, "This is an MPEG transport stream, which Hark does not decode. Send it as MP4, MP3 or M4A.")
	}
	if isBareGSM(head) {
		return media.Refuse(media.Unsupported, nil, "This is a bare stream of GSM frames, which Hark does not decode. Send it in a WAV file, or as MP3 or Opus.")
	}
	start := strings.ToLower(string(bytes.TrimSpace(head[:min(len(head), 64)])))
	for _, tag := range []string{"<!doctype html", "<html", "<?xml", "<svg"} {
		if strings.HasPrefix(start, tag) {
			return notAudio("a web page or another text with markup")
		}
	}
	return nil
}

// isTransportStream reports whether head starts with packets of an MPEG
// transport stream (ISO 13818-1, 2.4.3.2): each is 188 bytes and begins with 0x47.
func isTransportStream(head []byte) bool { return repeats(head, 188, 4, 0xFF, 0x47) }

// repeats reports whether the first byte of so many pieces of head, each of a
// length, is want in the bits of mask.
func repeats(head []byte, length, pieces int, mask, want byte) bool {
	if len(head) < length*pieces {
		return false
	}
	for i := range pieces {
		if head[i*length]&mask != want {
			return false
		}
	}
	return true
}

// isBareGSM reports whether head starts with frames of GSM 06.10 as telephone
// systems store them, with nothing around: each is 33 bytes that begin with 1101.
func isBareGSM(head []byte) bool { return repeats(head, 33, 20, 0xF0, 0xD0) }
