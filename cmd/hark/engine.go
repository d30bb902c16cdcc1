package main

import (
	"context"
	"log/slog"

	"hark/transcribe"
	"hark/transcribe/openai"
	"hark/transcribe/sherpa"
)

// openEngine opens the engine that c asks for, and the function that closes it.
func openEngine(_ context.Context, c TranscriberConfig, log *slog.Logger) (transcribe.Engine, func() error, error) {
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
	e, err := sherpa.Open(sherpa.Config{Models: c.Models, Model: c.Model, Recognisers: c.Recognisers, Logger: log})
	if err != nil {
		return nil, nil, err
	}
	return e, e.Close, nil
}
