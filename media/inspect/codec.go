package inspect

import (
	"fmt"
	"strings"
)

// codec is an encoding of sound that a container can hold. The decoders that
// package decode may use make known which are decoded; a test holds both
// together.
type codec struct {
	name    string // for people; empty for one that is decoded
	decoded bool
}

var decoded = codec{decoded: true}

// framedAAC is AAC that is decoded where its frames have headers (ADTS).
var framedAAC = undecoded("AAC without headers")

func undecoded(name string) codec { return codec{name: name} }

// wavCodecs are the encodings by the format tag of WAV, Wave64 and ASF (RFC
// 2361 and its users since).
var wavCodecs = map[uint16]codec{
	0x0001: decoded, 0x0003: decoded, 0x0006: decoded, 0x0007: decoded, // PCM, floats, A-law, mu-law
	0x0002: decoded, 0x0011: decoded, 0x0069: decoded, 0x0020: decoded, // ADPCM of Microsoft, IMA and Yamaha
	0x0010: decoded, 0x0017: decoded, // Dialogic ADPCM
	0x0014: decoded, 0x0040: decoded, 0x0045: decoded, 0x0064: decoded, // G.726
	0x0061: decoded, 0x0062: decoded, 0x0200: decoded, // ADPCM of Duck and Creative
	0x0075: decoded, 0x0130: decoded, 0x0135: decoded, 0x028E: decoded, // MetaSound, Sipro, Siren
	0x0270: decoded, 0x0401: decoded, 0x0402: decoded, 0x2001: decoded, // ATRAC3, Indeo, DTS
	0x0065: decoded, 0x028F: decoded, // G.722
	0x0022: decoded, 0x1501: decoded, // TrueSpeech
	0x0031: decoded, 0x0032: decoded, 0x1500: decoded, // GSM 6.10
	0x0038: decoded, 0x0057: decoded, 0x0058: decoded, // AMR
	0x0042: decoded, 0x0111: decoded, 0xA100: decoded, // G.723.1
	0x0083: decoded, 0x2222: decoded, 0x729A: decoded, // G.729
	0x0050: decoded, 0x0055: decoded, // MPEG audio
	0x00FF: framedAAC, 0x1600: framedAAC, 0x1601: framedAAC, 0x1610: framedAAC, 0x706D: framedAAC, 0x4143: framedAAC, 0xA106: framedAAC,
	0x1602: decoded,                                                                     // AAC in LATM
	0x000A: decoded, 0x0160: decoded, 0x0161: decoded, 0x0162: decoded, 0x0163: decoded, // Windows Media Audio
	0x2000: decoded, 0xF1AC: decoded, 0x6C75: decoded, // AC-3, FLAC, mu-law
	0xA109: undecoded("Speex in WAV"),
	0x0008: undecoded("DTS"), 0x0009: undecoded("copy-protected sound"),
	0x0012: undecoded("MediaSpace ADPCM"), 0x0013: undecoded("Sierra ADPCM"), 0x0015: undecoded("DIGI STD"), 0x0016: undecoded("DIGI FIX"),
	0x0021: undecoded("Sonarc"), 0x0023: undecoded("Echo Speech"), 0x0030: undecoded("Dolby AC-2"), 0x0034: undecoded("VQLPC"),
	0x0036: undecoded("Antex ADPCME"), 0x0039: undecoded("Control Resources VQLPC"), 0x0041: undecoded("G.728 CELP"),
	0x0059: undecoded("G.728"),
	0x0070: undecoded("Lernout & Hauspie CELP"), 0x0092: undecoded("AC-3 over S/PDIF"),
	0x0165: undecoded("XMA"), 0x0166: undecoded("XMA2"),

	0x0500: undecoded("On2 AVC"),
	0x566F: undecoded("Vorbis"), 0x674F: undecoded("Ogg Vorbis"), 0x6750: undecoded("Ogg Vorbis"), 0x6751: undecoded("Ogg Vorbis"),
	0x676F: undecoded("Ogg Vorbis"), 0x6770: undecoded("Ogg Vorbis"), 0x6771: undecoded("Ogg Vorbis"), 0x704F: undecoded("Opus"),
}

// wavCodec is the encoding of a format tag.
func wavCodec(tag uint16) codec {
	if c, ok := wavCodecs[tag]; ok {
		return c
	}
	return undecoded(fmt.Sprintf("the WAV encoding 0x%04X", tag))
}

// fourCodecs are the encodings by the four letters of MP4, QuickTime, AIFF-C
// and CAF, in small letters.
var fourCodecs = map[string]codec{
	"mp4a": decoded, "aac ": decoded, "aacl": decoded, "alac": decoded, "flac": decoded, "opus": decoded,
	"ac-3": decoded, "sac3": decoded, "ec-3": decoded, "mlpa": decoded,
	"dtsc": decoded, "dtsh": decoded, "dtsl": decoded, "dtse": decoded, "dts ": decoded,
	"qdm2": decoded, "qdmc": decoded, "nmos": decoded, "nell": decoded,
	".mp1": decoded, ".mp2": decoded, ".mp3": decoded, "mp3 ": decoded,
	"samr": decoded, "sawb": decoded, "sevc": decoded, "sqcp": decoded, "qclp": decoded, "qclq": decoded,
	"agsm": decoded, "gsm ": decoded, "g722": decoded, "g726": decoded, "ilbc": decoded, "spex": decoded, "spxn": decoded,
	"ima4": decoded, "mac3": decoded, "mac6": decoded, "alaw": decoded, "ulaw": decoded,
	"none": decoded, "raw ": decoded, "twos": decoded, "sowt": decoded, "lpcm": decoded, "ipcm": decoded, "fpcm": decoded,
	"fl32": decoded, "fl64": decoded, "in24": decoded, "in32": decoded, "23ni": decoded,
	"apac": undecoded("Apple Positional Audio (APAC)"), "ac-4": undecoded("Dolby AC-4"),
	"mhm1": undecoded("MPEG-H 3D Audio"), "mha1": undecoded("MPEG-H 3D Audio"), "iamf": undecoded("Immersive Audio (IAMF)"),
	"ssmv": undecoded("SMV"),
	"vdva": undecoded("DV sound"), "dvca": undecoded("DV sound"), "sdx2": undecoded("SDX2"), "adp4": undecoded("ADP4"),
	"paac": undecoded("protected AAC"), "celp": undecoded("MPEG-4 CELP"), "hvxc": undecoded("MPEG-4 HVXC"), "usac": undecoded("xHE-AAC"),
}

// fourCodec is the encoding of four letters. Some are "ms" and a format tag.
func fourCodec(letters string) codec {
	if c, ok := fourCodecs[strings.ToLower(letters)]; ok {
		return c
	}
	if strings.HasPrefix(letters, "ms") && len(letters) == 4 {
		return wavCodec(uint16(letters[2])<<8 | uint16(letters[3]))
	}
	return undecoded(fmt.Sprintf("%q", letters))
}

// auCodecs are the encodings of Sun's and NeXT's format, with the bytes that a
// sample takes where that is a whole number.
var auCodecs = map[uint32]struct {
	codec
	bytes int64
}{
	1: {decoded, 1}, 27: {decoded, 1}, // mu-law, A-law
	2: {decoded, 1}, 3: {decoded, 2}, 4: {decoded, 3}, 5: {decoded, 4}, 6: {decoded, 4}, 7: {decoded, 8}, // integers, floats
	23: {decoded, 0}, 24: {decoded, 0}, 25: {decoded, 0}, 26: {decoded, 0}, // G.721, G.722, G.723
}

// mkvCodecs are the beginnings of the encodings' names in Matroska and WebM.
var mkvCodecs = []struct {
	prefix string
	codec
}{
	{"A_OPUS", decoded},
	{"A_VORBIS", decoded},
	{"A_FLAC", decoded},
	{"A_AAC", decoded},
	{"A_ALAC", decoded},
	{"A_MPEG/", decoded},
	{"A_PCM/", decoded},
	{"A_AC3", decoded},
	{"A_EAC3", decoded},
	{"A_DTS", decoded},
	{"A_TRUEHD", decoded},
	{"A_MLP", decoded},
	{"A_WAVPACK4", decoded},
	{"A_TTA1", decoded},
	{"A_QUICKTIME/QDM", decoded},
	{"A_REAL/", undecoded("RealAudio")},
	{"A_ATRAC", undecoded("ATRAC")},
}

// mkvCodec is the encoding of a name. private is its private data, in which
// encodings of Windows and QuickTime are named.
func mkvCodec(name string, private []byte) codec {
	for _, c := range mkvCodecs {
		if strings.HasPrefix(name, c.prefix) {
			return c.codec
		}
	}
	switch {
	case name == "A_MS/ACM" && len(private) >= 2:
		return wavCodec(uint16(private[0]) | uint16(private[1])<<8)
	case name == "A_QUICKTIME" && len(private) >= 8:
		return fourCodec(string(private[4:8]))
	case name == "":
		return decoded // the decoder will see
	}
	return undecoded(fmt.Sprintf("%q", name))
}

// judge says whether any of the encodings of a file's tracks is decoded, and
// refuses a file that has none that is, by name.
func judge(tracks []codec) error {
	for _, c := range tracks {
		if c.decoded {
			return nil
		}
	}
	if len(tracks) == 0 {
		return nil
	}
	return refuseCodec(tracks[0].name)
}
