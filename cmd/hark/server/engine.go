package server

import (
	"context"
	"log/slog"

	"hark/cmd/hark/config"
	"hark/transcribe"
	"hark/transcribe/local"
	"hark/transcribe/openai"
)

// openEngine opens the engine that c asks for, and the function that closes it.
func openEngine(_ context.Context, c config.TranscriberConfig, log *slog.Logger) (transcribe.Engine, func() error, error) {
	log = log.With("part", "engine", "engine", c.Engine)
	if c.Engine == "openai" {
		e, err := openai.New(openai.Config{
			BaseURL: c.OpenAIURL, APIKey: string(c.OpenAIKey), Model: c.OpenAIModel,
			Language: c.Language, Timeout: c.OpenAIWait, Logger: log,
		})
		if err != nil {
			return nil, nil, err
		}
		return e, func() error { return nil }, nil
	}
	e, err := local.Open(local.Config{Models: c.Models, Model: c.Model, Recognisers: c.Recognisers, Logger: log})
	if err != nil {
		return nil, nil, err
	}
	return e, e.Close, nil
}
