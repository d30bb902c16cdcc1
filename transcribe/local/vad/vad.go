// Package vad tells where somebody speaks: Silero's voice activity detector, at a
// loudness that follows the voice.
//
// A [Model] is loaded once and shared. Each clip has a [Detector], which answers
// for every window of [WindowSamples] how probable it is that somebody speaks in
// it, however many windows it is given at a time.
package vad

import (
	"errors"
	"fmt"
	"os"

	ort "github.com/yalue/onnxruntime_go"

	"hark/transcribe/internal/onnx"
)

const (
	// WindowSamples is how many samples the model hears at a time: 32 ms.
	WindowSamples = 512
	// contextSamples is how many before them it hears with them.
	contextSamples = 64
)

// Sure is the probability of speech in a window of which the detector is sure.
const Sure = 0.5

// MostWindows is how many windows the model is given at once: half a second.
// Together they take a sixth of the time of the file's own graph, one alone
// less than half.
const MostWindows = 16

// Model is Silero's voice activity detector, loaded once and shared.
//
// It runs on ONNX Runtime directly and not through sherpa-onnx's own detector,
// because that one gives only finished segments: choosing a good place to cut
// takes the probability of speech in every window. Of the model's file only
// the weights are used (silero.go), in a graph that hears many windows at once
// (batch.go).
type Model struct {
	session *ort.DynamicAdvancedSession
}

// Open loads the model in the file at path, and ONNX Runtime from library; empty
// means the usual one.
func Open(path, library string) (*Model, error) {
	file, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("open voice activity detector: %w", err)
	}
	weights, err := readSilero(file)
	if err != nil {
		return nil, fmt.Errorf("open voice activity detector: %s: %w", path, err)
	}
	if err := onnx.OpenRuntime(library); err != nil {
		return nil, fmt.Errorf("open voice activity detector: %w", err)
	}
	session, err := openSession(weights.model())
	if err != nil {
		return nil, fmt.Errorf("open voice activity detector: %w", err)
	}
	return &Model{session: session}, nil
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

// Close frees the model. Its detectors are closed before.
func (m *Model) Close() { _ = m.session.Destroy() }

// Detector follows one clip through the shared model, by any number of windows
// at a time. Not safe for concurrent use; detectors of one model are
// independent of each other.
type Detector struct {
	model  *Model
	volume volume
	heard  []float32 // what the model hears: context and window for as many as were ever heard at once
	said   []float32 // what it answers for them
	answer []float32 // what a call returns

	heardWindows int  // since the clip began
	spoken       bool // in those since the last of MostWindows

	windows int                  // that sound and speech are for
	sound   *ort.Tensor[float32] // of heard
	speech  *ort.Tensor[float32] // of said
	state   [2]*ort.Tensor[float32]
	next    [2]*ort.Tensor[float32] // the state that the model hands back
}

// NewDetector begins to follow a clip. The caller closes it.
func (m *Model) NewDetector() (*Detector, error) {
	d := &Detector{model: m, heard: make([]float32, contextSamples)}
	for _, t := range []**ort.Tensor[float32]{&d.state[0], &d.state[1], &d.next[0], &d.next[1]} {
		var err error
		if *t, err = ort.NewEmptyTensor[float32](ort.NewShape(1, 1, hidden)); err != nil {
			d.Close()
			return nil, fmt.Errorf("start voice activity detector: %w", err)
		}
	}
	return d, nil
}

// Probabilities returns, for each of the next windows of the clip, how
// probable it is that somebody speaks in it. samples are whole windows of
// WindowSamples. The answer is valid until the next call.
func (d *Detector) Probabilities(samples []float32) ([]float32, error) {
	if len(samples)%WindowSamples != 0 {
		return nil, errors.New("detect voice activity: samples are not whole windows")
	}
	d.answer = d.answer[:0]
	for len(samples) > 0 {
		n := min(len(samples), (MostWindows-d.heardWindows%MostWindows)*WindowSamples)
		if err := d.run(samples[:n]); err != nil {
			return nil, fmt.Errorf("detect voice activity: %w", err)
		}
		d.answer = append(d.answer, d.said[:n/WindowSamples]...)
		d.wake(n / WindowSamples)
		samples = samples[n:]
	}
	return d.answer, nil
}

// quietWindow is the probability below which nobody speaks in a window.
const quietWindow = 0.1

// wake counts the windows that were heard. At every MostWindows of them, if
// nobody spoke in those, the model forgets what it heard: a beep or a chord can
// keep it from detecting speech for ten seconds and more. That it is always at the same windows
// makes the answers independent of how many windows are given at a time.
func (d *Detector) wake(windows int) {
	for _, p := range d.said[:windows] {
		d.spoken = d.spoken || p >= quietWindow
	}
	if d.heardWindows += windows; d.heardWindows%MostWindows != 0 {
		return
	}
	if !d.spoken {
		clear(d.state[0].GetData())
		clear(d.state[1].GetData())
	}
	d.spoken = false
}

// row is how many samples stand together in heard.
const row = contextSamples + WindowSamples

// run hears up to MostWindows windows.
func (d *Detector) run(samples []float32) error {
	n := len(samples) / WindowSamples
	if err := d.resize(n); err != nil {
		return err
	}
	for i := range n {
		window := samples[i*WindowSamples:][:WindowSamples]
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
	d.volume.answer(d.said[:n])
	d.state, d.next = d.next, d.state
	copy(d.heard, d.heard[n*row-contextSamples:n*row])
	return nil
}

// resize makes the tensors ones of n windows.
func (d *Detector) resize(n int) (err error) {
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

func (d *Detector) forget() {
	d.windows = 0
	destroy(&d.sound)
	destroy(&d.speech)
}

// Close frees the detector.
func (d *Detector) Close() {
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
