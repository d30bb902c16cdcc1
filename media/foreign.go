package media

import (
	"bytes"
	"strings"
)

// foreigners are files that people send by mistake, or in the hope that Hark
// takes them, each with the words for it.
var foreigners = []struct {
	at    int
	magic string
	kind  Kind
	what  string
}{
	{0, "\xFF\xD8\xFF", NotAudio, "a JPEG picture"},
	{0, "\x89PNG\r\n\x1A\n", NotAudio, "a PNG picture"},
	{0, "GIF8", NotAudio, "a GIF picture"},
	{8, "WEBP", NotAudio, "a WebP picture"},
	{0, "II*\x00", NotAudio, "a TIFF picture"},
	{0, "MM\x00*", NotAudio, "a TIFF picture"},
	{0, "%PDF", NotAudio, "a PDF document"},
	{0, "{\\rtf", NotAudio, "an RTF document"},
	{0, "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", NotAudio, "an Office document"},
	{0, "PK\x03\x04", NotAudio, "a ZIP archive (or an Office document)"},
	{0, "PK\x05\x06", NotAudio, "an empty ZIP archive"},
	{0, "\x1F\x8B", NotAudio, "a gzip archive"},
	{0, "BZh", NotAudio, "a bzip2 archive"},
	{0, "\xFD7zXZ\x00", NotAudio, "an xz archive"},
	{0, "\x28\xB5\x2F\xFD", NotAudio, "a zstd archive"},
	{0, "7z\xBC\xAF\x27\x1C", NotAudio, "a 7z archive"},
	{0, "Rar!\x1A\x07", NotAudio, "a RAR archive"},
	{257, "ustar", NotAudio, "a tar archive"},
	{0, "\x7FELF", NotAudio, "a program"},
	{0, "\xCF\xFA\xED\xFE", NotAudio, "a program"},
	{0, "SQLite format 3\x00", NotAudio, "a database"},
	{0, "MThd", NotAudio, "a MIDI file (notes, and no sound)"},
	{8, "AVI ", Unsupported, "an AVI video"},
	{0, "FLV\x01", Unsupported, "a Flash video"},
	{0, "\x00\x00\x01\xBA", Unsupported, "an MPEG video"},
	{0, "\x00\x00\x01\xB3", Unsupported, "an MPEG video"},
	{0, "wvpk", Unsupported, "a WavPack recording"},
	{0, "MAC ", Unsupported, "a Monkey's Audio recording"},
	{0, "MPCK", Unsupported, "a Musepack recording"},
	{0, "MP+", Unsupported, "a Musepack recording"},
	{0, "TTA1", Unsupported, "a True Audio recording"},
	{0, "DSD ", Unsupported, "a DSD recording"},
	{0, "FRM8", Unsupported, "a DSD recording"},
	{0, "Creative Voice File", Unsupported, "a Creative Voice recording"},
	{0, ".ra\xFD", Unsupported, "a RealAudio recording"},
	{0, ".RMF", Unsupported, "a RealMedia recording"},
	{0, "#!SILK_V3", Unsupported, "a SILK voice message"},
	{0, "\x02#!SILK_V3", Unsupported, "a SILK voice message"},
}

// foreign refuses head when it is the beginning of a file that is known and
// not taken, and returns nil otherwise.
func foreign(head []byte) error {
	for _, f := range foreigners {
		if len(head) < f.at+len(f.magic) || string(head[f.at:f.at+len(f.magic)]) != f.magic {
			continue
		}
		if f.kind == Unsupported {
			return Refuse(Unsupported, nil, "This is %s, which Hark does not decode. Send it as MP3, M4A, WAV, FLAC or Opus.", f.what)
		}
		return notAudio(f.what)
	}
	start := strings.ToLower(string(bytes.TrimSpace(head[:min(len(head), 64)])))
	for _, tag := range []string{"<!doctype html", "<html", "<?xml", "<svg"} {
		if strings.HasPrefix(start, tag) {
			return notAudio("a web page or another text with markup")
		}
	}
	return nil
}
