package api

import (
	"context"
	"net/http"

	"hark/storage"
)

// Waveform is the shape of a message's sound.
type Waveform struct {
	DurationMS int64     `json:"duration_ms" doc:"Length of the sound" example:"5230"`
	Peaks      []float64 `json:"peaks" nullable:"false" minItems:"100" maxItems:"100" doc:"The loudest moment of each hundredth of the sound, 0 to 1"`
}

type waveformOutput struct{ Body Waveform }

func (s *Server) routeWaveform() {
	handle(s, operation{
		id: "get-waveform", method: http.MethodGet, cacheable: true, path: "/v1/messages/{id}/waveform", tag: tagSound, summary: "100 peaks to draw",
		problems: []kind{kindNotFound, kindNoWaveform}, example: exampleWaveform(),
	}, s.getWaveform)
}

func (s *Server) getWaveform(ctx context.Context, actor storage.Actor, in *messageInput) (*waveformOutput, error) {
	msg, err := s.DB.Message(ctx, actor, in.ID)
	if err != nil {
		return nil, err
	}
	if len(msg.Waveform) == 0 {
		return nil, notReady(kindNoWaveform, msg, nil)
	}
	return &waveformOutput{Body: Waveform{DurationMS: msg.DurationMS, Peaks: msg.Waveform}}, nil
}
