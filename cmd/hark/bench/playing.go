package bench

import (
	"context"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"strings"

	"hark/media"
)

// playing times how soon a message plays: as it is, while it is recorded who plays
// it for the first time in an hour, and again.
func (b *peopleBench) playing(ctx context.Context, dir string) error {
	clip := filepath.Join(dir, "clip.wav")
	if err := WriteWAV(clip, 2*media.SampleRate, func(i int64) float64 { return 0.3 * math.Sin(float64(i)/7) }); err != nil {
		return err
	}
	talk, err := b.client.FindConversation(ctx, "")
	if err != nil {
		return err
	}
	var ids []string
	for range b.Clips {
		m, err := b.client.Upload(ctx, talk.ID, clip)
		if err != nil {
			return err
		}
		ids = append(ids, m.ID)
	}
	fmt.Fprintln(b.out, "playing\tp50\tp99\t")
	for _, one := range []struct {
		name   string
		record string // what is set before; empty to leave it
	}{
		{"for the first time", ""}, {"not recorded", ""}, {"recorded", "true"}, {"recorded before in the hour", ""}, {"not recorded again", "false"},
	} {
		if one.record != "" {
			resp, err := b.request(ctx, "PATCH", "/audit/settings", strings.NewReader(`{"listening": `+one.record+`}`))
			if err != nil {
				return err
			}
			resp.Body.Close()
		}
		err := b.time(one.name, len(ids), func(i int) error {
			resp, err := b.request(ctx, "GET", "/messages/"+ids[i]+"/audio?format=original", nil)
			if err != nil {
				return err
			}
			defer resp.Body.Close()
			_, err = io.CopyN(io.Discard, resp.Body, media.SampleRate)
			return err
		})
		if err != nil {
			return fmt.Errorf("play, %s: %w", one.name, err)
		}
	}
	return b.out.Flush()
}
