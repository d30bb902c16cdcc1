package api

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"

	"hark/api/intake"
	"hark/storage"
	"hark/storage/blob"
)

// watchedObjects knows which objects are there, and can be told to fail.
type watchedObjects struct {
	*blob.Store
	mu   sync.Mutex
	keys map[string]bool
	fail error
}

func (o *watchedObjects) Put(ctx context.Context, key, mediaType string, r io.Reader, size int64) (int64, error) {
	o.mu.Lock()
	fail := o.fail
	o.mu.Unlock()
	if fail != nil {
		return 0, fail
	}
	n, err := o.Store.Put(ctx, key, mediaType, r, size)
	o.mu.Lock()
	defer o.mu.Unlock()
	if err == nil {
		if o.keys == nil {
			o.keys = map[string]bool{}
		}
		o.keys[key] = true
	}
	return n, err
}

func (o *watchedObjects) Delete(ctx context.Context, keys ...string) error {
	err := o.Store.Delete(ctx, keys...)
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, key := range keys {
		delete(o.keys, key)
	}
	return err
}

// count is how many originals are kept.
func (o *watchedObjects) count() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.keys)
}

var errStoreAway = errors.New("dial tcp 10.0.0.7: connection refused")

// unsure does not say whether it recorded a message.
type unsure struct{ intake.Records }

var errConnectionLost = errors.New("connection lost while committing")

func (unsure) Accept(context.Context, storage.Principal, storage.NewMessage) (storage.Message, bool, error) {
	return storage.Message{}, false, errConnectionLost
}

// lockedBuffer collects the log.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
