package sherpa

import (
	"fmt"

	ort "github.com/yalue/onnxruntime_go"

	"hark/transcribe/moonshine"
)

// Silero VAD v5 hears 512 samples (32 ms) at a time, with the 64 before them.
const (
	windowSamples  = 512
	contextSamples = 64
)

// vadModel is Silero's voice activity detector, loaded once and shared.
//
// It runs on ONNX Runtime directly and not through sherpa's own detector,
// because that one gives only finished segments: choosing a good place to cut
// takes the probability of speech in every window.
type vadModel struct {
	session *ort.DynamicAdvancedSession
}

func openVAD(path, library string) (*vadModel, error) {
	if err := moonshine.OpenRuntime(library); err != nil {
		return nil, fmt.Errorf("open voice activity detector: %w", err)
	}
	options, err := ort.NewSessionOptions()
	if err != nil {
		return nil, fmt.Errorf("open voice activity detector: %w", err)
	}
	defer func() { _ = options.Destroy() }()
	if err := options.SetIntraOpNumThreads(1); err != nil {
		return nil, fmt.Errorf("open voice activity detector: %w", err)
	}
	if err := options.SetInterOpNumThreads(1); err != nil {
		return nil, fmt.Errorf("open voice activity detector: %w", err)
	}
	session, err := ort.NewDynamicAdvancedSession(path,
		[]string{"input", "state", "sr"}, []string{"output", "stateN"}, options)
	if err != nil {
		return nil, fmt.Errorf("open voice activity detector: %w", err)
	}
	return &vadModel{session: session}, nil
}

func (m *vadModel) close() { _ = m.session.Destroy() }

// detector follows one clip through the shared model. Not safe for concurrent
// use. close frees it.
type detector struct {
	model   *vadModel
	input   *ort.Tensor[float32] // context, then window
	state   *ort.Tensor[float32]
	rate    *ort.Tensor[int64]
	output  *ort.Tensor[float32]
	next    *ort.Tensor[float32] // the state that the model hands back
	inputs  []ort.Value
	outputs []ort.Value
}

func (m *vadModel) newDetector() (*detector, error) {
	d := &detector{model: m}
	err := d.allocate()
	if err != nil {
		d.close()
		return nil, fmt.Errorf("start voice activity detector: %w", err)
	}
	d.inputs = []ort.Value{d.input, d.state, d.rate}
	d.outputs = []ort.Value{d.output, d.next}
	return d, nil
}

func (d *detector) allocate() (err error) {
	if d.input, err = ort.NewEmptyTensor[float32](ort.NewShape(1, contextSamples+windowSamples)); err != nil {
		return err
	}
	if d.state, err = ort.NewEmptyTensor[float32](ort.NewShape(2, 1, 128)); err != nil {
		return err
	}
	if d.rate, err = ort.NewTensor(ort.NewShape(1), []int64{sampleRate}); err != nil {
		return err
	}
	if d.output, err = ort.NewEmptyTensor[float32](ort.NewShape(1, 1)); err != nil {
		return err
	}
	d.next, err = ort.NewEmptyTensor[float32](ort.NewShape(2, 1, 128))
	return err
}

// speech returns the probability that somebody speaks in the next window of
// the clip, which has windowSamples samples. gain scales what the model hears.
func (d *detector) speech(window []float32, gain float32) (float32, error) {
	input := d.input.GetData()
	copy(input, input[windowSamples:])
	for i, s := range window {
		input[contextSamples+i] = min(max(s*gain, -1), 1)
	}
	if err := d.model.session.Run(d.inputs, d.outputs); err != nil {
		return 0, fmt.Errorf("detect voice activity: %w", err)
	}
	copy(d.state.GetData(), d.next.GetData())
	return d.output.GetData()[0], nil
}

func (d *detector) close() {
	for _, t := range []*ort.Tensor[float32]{d.input, d.state, d.output, d.next} {
		if t != nil {
			_ = t.Destroy()
		}
	}
	if d.rate != nil {
		_ = d.rate.Destroy()
	}
}
