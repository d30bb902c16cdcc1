package media

// Format names the container and, where that decides how it is decoded, the
// codec of a clip. It is stored with messages: never change a value.
type Format string

// The formats that Hark takes.
const (
	MP3       Format = "mp3"        // MPEG-1, 2 and 2.5 audio, layers II and III
	WAV       Format = "wav"        // RIFF, RF64 and BW64, any codec
	Wave64    Format = "w64"        // Sony Wave64
	OggOpus   Format = "ogg_opus"   // RFC 7845
	OggVorbis Format = "ogg_vorbis" //
	OggFLAC   Format = "ogg_flac"   //
	OggSpeex  Format = "ogg_speex"  //
	FLAC      Format = "flac"       // RFC 9639
	MP4       Format = "mp4"        // m4a, mp4 and QuickTime mov: AAC, ALAC, ...
	ThreeGP   Format = "3gp"        // 3GPP and 3GPP2: AMR or AAC
	WebM      Format = "webm"       // Matroska too
	AMR       Format = "amr"        // AMR-NB, RFC 4867
	AMRWB     Format = "amr_wb"     // AMR-WB, RFC 4867
	CAF       Format = "caf"        // Apple Core Audio
	AIFF      Format = "aiff"       // AIFF-C too
	ASF       Format = "asf"        // wma, wmv
	AAC       Format = "aac"        // AAC in ADTS
	AU        Format = "au"         // Sun and NeXT
)

type formatInfo struct{ mediaType, extension string }

var formats = map[Format]formatInfo{
	MP3:       {"audio/mpeg", ".mp3"},
	WAV:       {"audio/wav", ".wav"},
	Wave64:    {"audio/x-w64", ".w64"},
	OggOpus:   {"audio/ogg; codecs=opus", ".opus"},
	OggVorbis: {"audio/ogg; codecs=vorbis", ".ogg"},
	OggFLAC:   {"audio/ogg; codecs=flac", ".oga"},
	OggSpeex:  {"audio/ogg; codecs=speex", ".spx"},
	FLAC:      {"audio/flac", ".flac"},
	MP4:       {"audio/mp4", ".m4a"},
	ThreeGP:   {"audio/3gpp", ".3gp"},
	WebM:      {"audio/webm", ".webm"},
	AMR:       {"audio/amr", ".amr"},
	AMRWB:     {"audio/amr-wb", ".awb"},
	CAF:       {"audio/x-caf", ".caf"},
	AIFF:      {"audio/aiff", ".aiff"},
	ASF:       {"audio/x-ms-wma", ".wma"},
	AAC:       {"audio/aac", ".aac"},
	AU:        {"audio/basic", ".au"},
}

// MediaType returns the media type to serve a clip of the format with, or
// application/octet-stream for a format that is not known.
func (f Format) MediaType() string {
	if info, ok := formats[f]; ok {
		return info.mediaType
	}
	return "application/octet-stream"
}

// Extension returns the usual ending of a file of the format, with its dot, or
// ".bin" for a format that is not known.
func (f Format) Extension() string {
	if info, ok := formats[f]; ok {
		return info.extension
	}
	return ".bin"
}
