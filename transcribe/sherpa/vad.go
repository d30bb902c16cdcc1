package sherpa

import (
	"errors"
	"fmt"
	"os"

	ort "github.com/yalue/onnxruntime_go"

	"hark/transcribe/moonshine"
)

// Silero VAD v5 hears 512 samples (32 ms) at a time, with the 64 before them.
const (
	windowSamples  = 512
	contextSamples = 64
)

// mostWindows is how many windows the model is given at once: about a second.
// Together they take a sixth of the time of the file's own graph, one alone
// less than half.
const mostWindows = 32

// vadModel is Silero's voice activity detector, loaded once and shared.
//
// It runs on ONNX Runtime directly and not through sherpa's own detector,
// because that one gives only finished segments: choosing a good place to cut
// takes the probability of speech in every window. Of the model's file only
// the weights are used (silero.go), in a graph that hears many windows at once
// (batch.go).
type vadModel struct {
	session *ort.DynamicAdvancedSession
}

func openVAD(path, library string) (*vadModel, error) {
	file, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("open voice activity detector: %w", err)
	}
	weights, err := readSilero(file)
	if err != nil {
		return nil, fmt.Errorf("open voice activity detector: %s: %w", path, err)
	}
	if err := moonshine.OpenRuntime(library); err != nil {
		return nil, fmt.Errorf("open voice activity detector: %w", err)
	}
	session, err := openSession(weights.model())
	if err != nil {
		return nil, fmt.Errorf("open voice activity detector: %w", err)
	}
	return &vadModel{session: session}, nil
}

func openSession(model []byte) (*ort.DynamicAdvancedSession, error) {
	options, err := ort.NewSessionOptions()
	if err != nil {
		return nil, err
	}
	defer func() { _ = options.Destroy() }()
	if err := options.SetIntraOpNumThreads(1); err != nil {
		return nil, err
	}
	if err := options.SetInterOpNumThreads(1); err != nil {
		return nil, err
	}
	return ort.NewDynamicAdvancedSessionWithONNXData(model, batchInputs, batchOutputs, options)
}

func (m *vadModel) close() { _ = m.session.Destroy() }

// detector follows one clip through the shared model, by any number of windows
// at a time. Not safe for concurrent use; detectors of one model are
// independent of each other. close frees it.
type detector struct {
	model  *vadModel
	volume volume
	heard  []float32 // what the model hears: context and window for as many as were ever heard at once
	said   []float32 // what it answers for them
	answer []float32 // what a call returns

	windows int                  // that sound and speech are for
	sound   *ort.Tensor[float32] // of heard
	speech  *ort.Tensor[float32] // of said
	state   [2]*ort.Tensor[float32]
	next    [2]*ort.Tensor[float32] // the state that the model hands back
}

func (m *vadModel) newDetector() (*detector, error) {
	d := &detector{model: m, heard: make([]float32, contextSamples)}
	for _, t := range []**ort.Tensor[float32]{&d.state[0], &d.state[1], &d.next[0], &d.next[1]} {
		var err error
		if *t, err = ort.NewEmptyTensor[float32](ort.NewShape(1, 1, hidden)); err != nil {
			d.close()
			return nil, fmt.Errorf("start voice activity detector: %w", err)
		}
	}
	return d, nil
}

// probabilities returns, for each of the next windows of the clip, how
// probable it is that somebody speaks in it. samples are whole windows of
// windowSamples. The answer is valid until the next call.
func (d *detector) probabilities(samples []float32) ([]float32, error) {
	if len(samples)%windowSamples != 0 {
		return nil, errors.New("detect voice activity: sound is no whole windows")
	}
	d.answer = d.answer[:0]
	for len(samples) > 0 {
		n := min(len(samples), mostWindows*windowSamples)
		if err := d.run(samples[:n]); err != nil {
			return nil, fmt.Errorf("detect voice activity: %w", err)
		}
		d.answer = append(d.answer, d.said[:n/windowSamples]...)
		samples = samples[n:]
	}
	return d.answer, nil
}

// row is how many samples stand together in heard.
const row = contextSamples + windowSamples

// run hears up to mostWindows windows.
func (d *detector) run(samples []float32) error {
	n := len(samples) / windowSamples
	if err := d.resize(n); err != nil {
		return err
	}
	for i := range n {
		window := samples[i*windowSamples:][:windowSamples]
		gain := d.volume.follow(window)
		heard := d.heard[i*row:][:row]
		if i > 0 {
			copy(heard, d.heard[i*row-contextSamples:i*row])
		}
		for k, s := range window {
			heard[contextSamples+k] = min(max(s*gain, -1), 1)
		}
	}
	inputs := []ort.Value{d.sound, d.state[0], d.state[1]}
	if err := d.model.session.Run(inputs, []ort.Value{d.speech, d.next[0], d.next[1]}); err != nil {
		return err
	}
	d.state, d.next = d.next, d.state
	copy(d.heard, d.heard[n*row-contextSamples:n*row])
	return nil
}

// resize makes the tensors ones of n windows.
func (d *detector) resize(n int) (err error) {
	if n == d.windows {
		return nil
	}
	d.forget()
	if n > len(d.said) {
		heard := make([]float32, n*row)
		copy(heard, d.heard[:contextSamples])
		d.heard, d.said = heard, make([]float32, n)
	}
	if d.sound, err = ort.NewTensor(ort.NewShape(int64(n), row), d.heard); err != nil {
		return err
	}
	if d.speech, err = ort.NewTensor(ort.NewShape(int64(n), 1), d.said); err != nil {
		return err
	}
	d.windows = n
	return nil
}

func (d *detector) forget() {
	d.windows = 0
	destroy(&d.sound)
	destroy(&d.speech)
}

func (d *detector) close() {
	d.forget()
	for i := range d.state {
		destroy(&d.state[i])
		destroy(&d.next[i])
	}
}

func destroy(t **ort.Tensor[float32]) {
	if *t != nil {
		_ = (*t).Destroy()
		*t = nil
	}
}
