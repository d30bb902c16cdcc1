package models

// npmPackage is a package at an exact version.
type npmPackage struct {
	name, version string
	integrity     string // SHA-512 of the tarball, as npm writes it in a lockfile
	bytes         int64  // of the tarball
}

func (p npmPackage) spec() string { return p.name + "@" + p.version }

var (
	moonshinePackage = npmPackage{
		name: "@usefulsensors/moonshine-js", version: "0.1.7", bytes: 73015501,
		integrity: "sha512-AbAofugAtKkX0almpurr7Vmc4/gHGKTZvflsablyAxpKPY+LwfSv+gTANla8yVEQRADZF90Ak8kiNlhgKy0TRw==",
	}
	llamaTokenizerPackage = npmPackage{
		name: "llama-tokenizer-js", version: "1.2.2", bytes: 388950,
		integrity: "sha512-Wmth393dc3odWU3IzARJ3r2oIfWgw9GdJ5Gm+hGhfECNO18UHLRqEFSf511jn4E9KcQGzuuKw4Wl08pHAemLAw==",
	}
	sileroPackage = npmPackage{
		name: "@ricky0123/vad-web", version: "0.0.24", bytes: 3495213,
		integrity: "sha512-uv6GWW/kq8BkVErMQzXp3uwSyYMT3w/3QJiUerVaaKp7EwhOTIRY+96EoyFdG2WOFU5RkLk/2CVGbI7nDlxhEg==",
	}
)

// llamaTokenizerScript holds the vocabulary that Moonshine shares with Llama.
const llamaTokenizerScript = "package/llama-tokenizer.js"

var catalogue = []Model{
	moonshine("moonshine-base-en", "base", 63518855, "Moonshine base, quantized: the default; 8 to 21 times real time a core"),
	moonshine("moonshine-tiny-en", "tiny", 28687869, "Moonshine tiny, quantized: lighter and less exact"),
	{
		ID: Detector, Kind: VAD, Licence: "MIT", Bytes: 2327524,
		Description: "Silero v5, voice activity detector",
		Files:       []File{{Role: RoleModel, Name: "silero_vad_v5.onnx", from: "package/dist/silero_vad_v5.onnx"}},
		packages:    []npmPackage{sileroPackage},
	},
	whisper("whisper-base-en", "base.en", 161e6, "Whisper base for English, 8 bit", "en"),
	whisper("whisper-small", "small", 375e6, "Whisper small, 8 bit: about a hundred languages"),
	whisper("whisper-turbo", "turbo", 1037e6, "Whisper large-v3 turbo, 8 bit: about a hundred languages; slow on a CPU"),
	parakeet("parakeet-tdt-0.6b-v2", "NVIDIA Parakeet TDT 0.6b v2, 8 bit", "en"),
	parakeet("parakeet-tdt-0.6b-v3", "NVIDIA Parakeet TDT 0.6b v3, 8 bit: 25 European languages",
		"bg", "hr", "cs", "da", "nl", "en", "et", "fi", "fr", "de", "el", "hu", "it",
		"lv", "lt", "mt", "pl", "pt", "ro", "ru", "sk", "sl", "es", "sv", "uk"),
	{
		ID: "sense-voice", Kind: SenseVoice, Licence: "FunASR Model Licence", Bytes: 239e6,
		Description: "SenseVoice small, 8 bit (sherpa-onnx-sense-voice-zh-en-ja-ko-yue)",
		Languages:   []string{"zh", "en", "ja", "ko", "yue"},
		Files:       []File{{Role: RoleModel, Name: "model.int8.onnx"}, {Role: RoleTokens, Name: "tokens.txt"}},
	},
}

func moonshine(id, size string, bytes int64, description string) Model {
	folder := "package/dist/model/" + size + "/quantized/"
	return Model{
		ID: id, Kind: Moonshine, Description: description, Licence: "MIT", Languages: []string{"en"}, Bytes: bytes,
		Files: []File{
			{Role: RoleEncoder, Name: "encoder_model.onnx", from: folder + "encoder_model.onnx"},
			{Role: RoleDecoder, Name: "decoder_model_merged.onnx", from: folder + "decoder_model_merged.onnx"},
			{Role: RoleTokens, Name: "tokens.txt"},
		},
		packages: []npmPackage{moonshinePackage, llamaTokenizerPackage},
	}
}

// whisper is a model of the archive sherpa-onnx-whisper-SIZE.
func whisper(id, size string, bytes int64, description string, languages ...string) Model {
	return Model{
		ID: id, Kind: Whisper, Licence: "MIT", Bytes: bytes, Languages: languages,
		Description: description + " (sherpa-onnx-whisper-" + size + ")",
		Files: []File{
			{Role: RoleEncoder, Name: size + "-encoder.int8.onnx"},
			{Role: RoleDecoder, Name: size + "-decoder.int8.onnx"},
			{Role: RoleTokens, Name: size + "-tokens.txt"},
		},
	}
}

// parakeet is a model of the archive sherpa-onnx-nemo-ID-int8.
func parakeet(id, description string, languages ...string) Model {
	return Model{
		ID: id, Kind: Transducer, Licence: "CC-BY-4.0", Bytes: 661e6, Languages: languages,
		Description: description + " (sherpa-onnx-nemo-" + id + "-int8)",
		Files: []File{
			{Role: RoleEncoder, Name: "encoder.int8.onnx"},
			{Role: RoleDecoder, Name: "decoder.int8.onnx"},
			{Role: RoleJoiner, Name: "joiner.int8.onnx"},
			{Role: RoleTokens, Name: "tokens.txt"},
		},
	}
}
