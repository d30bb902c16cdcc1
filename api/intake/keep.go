package intake

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"

	"hark/media"
	"hark/media/inspect"
	"hark/storage"
)

// keep streams a clip to the object store and looks at what was stored. When
// it fails, nothing is left there.
func (in *Intake) keep(ctx context.Context, key string, body io.Reader, size int64, room room) (kept, error) {
	src := &source{r: body, left: room.bytes, full: room.full}
	head, format, err := sniff(src)
	if err != nil {
		return kept{}, err
	}
	sum := sha256.New()
	whole := io.TeeReader(io.MultiReader(bytes.NewReader(head), src), sum)
	stored, err := in.Objects.Put(ctx, key, format.MediaType(), whole, size)
	if err == nil && !src.ended() {
		err = fmt.Errorf("object store stored only %d bytes", stored)
	}
	if err != nil {
		in.remove(ctx, key)
		return kept{}, src.blame(err)
	}
	info, err := inspect.Clip(in.Objects.ReaderAt(ctx, key, stored), stored, in.limits)
	if err != nil {
		in.remove(ctx, key)
		return kept{}, inspectError(ctx, err)
	}
	return kept{
		declared: info.Duration,
		original: storage.Original{
			Key:    key,
			Format: info.Format,
			Bytes:  stored,
			SHA256: hex.EncodeToString(sum.Sum(nil)),
		},
	}, nil
}

// sniff reads the head of a clip and says what it is, so that a wrong file is
// refused before it is read.
func sniff(src *source) ([]byte, media.Format, error) {
	head := make([]byte, inspect.SniffLen)
	n, _ := io.ReadFull(src, head) // a clip shorter than this is whole
	if src.failed() {
		return nil, "", src.err
	}
	format, err := inspect.Sniff(head[:n])
	return head[:n], format, err
}

func inspectError(ctx context.Context, err error) error {
	if _, ok := media.AsRefusal(err); ok {
		return err
	}
	if ctx.Err() != nil {
		return fmt.Errorf("%w: %w", ErrIncomplete, err)
	}
	return fmt.Errorf("inspect clip: %w: %w", ErrUnavailable, err)
}
