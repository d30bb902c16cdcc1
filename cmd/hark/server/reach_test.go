package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"

	"hark/storage"
)

func TestReach(t *testing.T) {
	p := &Program{log: slog.New(slog.DiscardHandler)}
	away, no := fmt.Errorf("dial: %w", storage.ErrUnreachable), errors.New("wrong password")
	ended, end := context.WithCancelCause(t.Context())
	end(errShutdown)
	for name, c := range map[string]struct {
		ctx     context.Context
		answers []error
		want    error
	}{
		"there":            {t.Context(), []error{nil}, nil},
		"there in a while": {t.Context(), []error{away, nil}, nil},
		"says no":          {t.Context(), []error{no}, no},
		"says no later":    {t.Context(), []error{away, no}, no},
		"nobody waits":     {ended, []error{away}, errShutdown},
	} {
		tries := 0
		err := p.reach(c.ctx, "bus", func() error {
			tries++
			return c.answers[tries-1]
		})
		if !errors.Is(err, c.want) || tries != len(c.answers) {
			t.Errorf("%s: %v after %d tries", name, err, tries)
		}
	}
}
