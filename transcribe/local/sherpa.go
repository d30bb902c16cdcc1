package local

import (
	"context"
	"fmt"
	"sync"

	sherpa "github.com/k2-fsa/sherpa-onnx-go/sherpa_onnx"

	"hark/transcribe"
	"hark/transcribe/lang"
	"hark/transcribe/models"
)

// sherpaRecogniser runs the models of the sherpa-onnx project. sherpa-onnx
// doesn't promise that a recogniser may decode two streams at once, so one
// piece goes at a time, with all the cores that the engine may use.
type sherpaRecogniser struct {
	oneLanguage bool

	mu     sync.Mutex
	config sherpa.OfflineRecognizerConfig
	engine *sherpa.OfflineRecognizer // nil once closed
}

func loadSherpa(found models.Installed, threads int) (*sherpaRecogniser, error) {
	config, err := sherpaConfig(found, threads)
	if err != nil {
		return nil, err
	}
	engine := sherpa.NewOfflineRecognizer(&config)
	if engine == nil {
		return nil, fmt.Errorf("load %s: sherpa-onnx refuses its files in %s", found.Model.ID, found.Dir)
	}
	return &sherpaRecogniser{oneLanguage: len(found.Model.Languages) == 1, config: config, engine: engine}, nil
}

func sherpaConfig(found models.Installed, threads int) (sherpa.OfflineRecognizerConfig, error) {
	config := sherpa.OfflineRecognizerConfig{
		FeatConfig:     sherpa.FeatureConfig{SampleRate: sampleRate, FeatureDim: 80},
		DecodingMethod: "greedy_search",
	}
	m := &config.ModelConfig
	m.NumThreads = threads
	m.Provider = "cpu"
	m.Tokens = found.Path(models.RoleTokens)
	switch found.Model.Kind {
	case models.Whisper:
		m.Whisper = sherpa.OfflineWhisperModelConfig{
			Encoder: found.Path(models.RoleEncoder), Decoder: found.Path(models.RoleDecoder), Task: "transcribe",
			// Word times, where the model was exported with its attention.
			EnableTokenTimestamps: 1,
		}
		if len(found.Model.Languages) == 1 {
			m.Whisper.Language = found.Model.Languages[0]
		}
	case models.Transducer:
		m.ModelType = "nemo_transducer"
		m.Transducer = sherpa.OfflineTransducerModelConfig{
			Encoder: found.Path(models.RoleEncoder), Decoder: found.Path(models.RoleDecoder), Joiner: found.Path(models.RoleJoiner),
		}
	case models.SenseVoice:
		m.SenseVoice = sherpa.OfflineSenseVoiceModelConfig{Model: found.Path(models.RoleModel), UseInverseTextNormalization: 1}
	default:
		return config, fmt.Errorf("load %s: sherpa-onnx runs no %s models", found.Model.ID, found.Model.Kind)
	}
	return config, nil
}

func (r *sherpaRecogniser) recognise(_ context.Context, samples []float32, language string, _ hints) (heard, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.engine == nil {
		return heard{}, transcribe.ErrClosed
	}
	if len(samples) == 0 {
		return heard{}, nil
	}
	r.speak(lang.Primary(language))
	stream := sherpa.NewOfflineStream(r.engine)
	defer sherpa.DeleteOfflineStream(stream)
	stream.AcceptWaveform(sampleRate, samples)
	r.engine.Decode(stream)
	result := stream.GetResult()
	return heard{
		words:    tokenWords(result, int64(len(samples))*1000/sampleRate),
		language: plainLanguage(result.Lang),
		logProb:  mean(result.YsLogProbs),
	}, nil
}

// speak sets the language of a Whisper model of many languages; empty lets
// the model find out.
func (r *sherpaRecogniser) speak(language string) {
	whisper := &r.config.ModelConfig.Whisper
	if whisper.Encoder == "" || r.oneLanguage || whisper.Language == language {
		return
	}
	whisper.Language = language
	r.engine.SetConfig(&r.config)
}

func (r *sherpaRecogniser) close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.engine != nil {
		sherpa.DeleteOfflineRecognizer(r.engine)
		r.engine = nil
	}
	return nil
}

func mean(values []float32) float64 {
	var sum float64
	for _, v := range values {
		sum += float64(v)
	}
	return sum / float64(max(len(values), 1))
}
