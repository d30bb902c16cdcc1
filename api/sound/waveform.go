package sound

import (
	"context"
	"math"

	"hark/api/problem"
	"hark/api/rest"
	"hark/storage"
)

// Waveform is the shape of a message's sound.
type Waveform struct {
	DurationMS int64     `json:"duration_ms" doc:"Length of the sound" example:"5230"`
	Peaks      []float64 `json:"peaks" nullable:"false" minItems:"100" maxItems:"100" doc:"The loudest moment of each hundredth of the sound, 0 to 1"`
}

type messageInput struct {
	ID string `path:"id" doc:"Id of the message"`
}

type waveformOutput struct{ Body Waveform }

// GetWaveform answers the shape of the sound of a message.
func (e *Endpoints) GetWaveform() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "get-waveform", Scope: storage.ScopeRead, Cacheable: true, Summary: "Get waveform",
		Problems: []problem.Kind{problem.NotFound, problem.NoWaveform}, Example: waveformExample(),
	}, e.getWaveform)
}

func (e *Endpoints) getWaveform(ctx context.Context, principal storage.Principal, in *messageInput) (*waveformOutput, error) {
	msg, err := e.deps.Records.Message(ctx, principal, in.ID)
	if err != nil {
		return nil, err
	}
	if len(msg.Waveform) == 0 {
		return nil, problem.NotMade(problem.NoWaveform, msg, nil)
	}
	return &waveformOutput{Body: Waveform{DurationMS: msg.DurationMS, Peaks: msg.Waveform}}, nil
}

func waveformExample() Waveform {
	peaks := make([]float64, 100)
	for i := range peaks {
		peaks[i] = math.Round(500+400*math.Sin(float64(i)/7)) / 1000
	}
	return Waveform{DurationMS: 5230, Peaks: peaks}
}
