package moonshine

import (
	"context"
	"fmt"

	ort "github.com/yalue/onnxruntime_go"
)

// frameSamples is how far one of the encoder's frames is from the next: 24 ms.
// Its three convolutions (kernels of 127, 7 and 3, no padding) go in strides of
// 64, 3 and 2. A frame sees 895 samples, 56 ms.
const frameSamples = 64 * 3 * 2

// encoder is the half of the model that listens. It is safe for concurrent use.
type encoder struct {
	session *ort.DynamicAdvancedSession
}

func openEncoder(path string, threads int) (*encoder, error) {
	options, err := sessionOptions(threads)
	if err != nil {
		return nil, err
	}
	defer func() { _ = options.Destroy() }()
	session, err := ort.NewDynamicAdvancedSession(path, []string{"input_values"}, []string{"last_hidden_state"}, options)
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", path, err)
	}
	return &encoder{session: session}, nil
}

// close frees the encoder, if there is one.
func (e *encoder) close() error {
	if e == nil {
		return nil
	}
	return e.session.Destroy()
}

// listen runs the encoder, which is stopped when ctx ends: it is the longest
// step there is. The caller destroys what it returns.
func (e *encoder) listen(ctx context.Context, samples []float32) (ort.Value, error) {
	input, err := ort.NewTensor(ort.NewShape(1, int64(len(samples))), samples)
	if err != nil {
		return nil, fmt.Errorf("make tensor: %w", err)
	}
	defer func() { _ = input.Destroy() }()
	options, free, err := runUntil(ctx)
	if err != nil {
		return nil, err
	}
	defer free()
	output := []ort.Value{nil}
	if err := e.session.RunWithOptions([]ort.Value{input}, output, options); err != nil {
		if ended := context.Cause(ctx); ended != nil {
			return nil, ended
		}
		return nil, fmt.Errorf("run encoder: %w", err)
	}
	if shape := output[0].GetShape(); len(shape) != 3 || shape[1] < 1 {
		_ = output[0].Destroy()
		return nil, fmt.Errorf("encoder answers a tensor of shape %v", shape)
	}
	return output[0], nil
}

// runUntil makes options of one run that end it when ctx ends. The caller
// frees them after the run.
func runUntil(ctx context.Context) (options *ort.RunOptions, free func(), err error) {
	if options, err = ort.NewRunOptions(); err != nil {
		return nil, nil, fmt.Errorf("make options of a run: %w", err)
	}
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		_ = options.Terminate()
		close(ended)
	})
	return options, func() {
		if !stop() {
			<-ended
		}
		_ = options.Destroy()
	}, nil
}

// sessionOptions are those of every session. The caller destroys them.
//
// Memory patterns are off: they are remembered for every length of sound,
// and no two are alike. The arena is on: without it the system's allocator
// has to find room for large tensors a hundred times a second, and what it
// leaves between them grows.
func sessionOptions(threads int) (*ort.SessionOptions, error) {
	options, err := ort.NewSessionOptions()
	if err != nil {
		return nil, err
	}
	for _, set := range []func() error{
		func() error { return options.SetIntraOpNumThreads(threads) },
		func() error { return options.SetInterOpNumThreads(1) },
		func() error { return options.SetMemPattern(false) },
	} {
		if err := set(); err != nil {
			_ = options.Destroy()
			return nil, err
		}
	}
	return options, nil
}
