package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"hark/storage/reconcile"
)

// StoresConfig says where records and objects are, for the commands that
// compare the two.
type StoresConfig struct {
	DatabaseConfig `group:"Records"`

	S3 S3Config `embed:"" prefix:"s3-" envprefix:"HARK_S3_" group:"Objects"`
}

// openedStores are database and object store of a Hark, opened by a command.
type openedStores struct {
	*reconcile.Stores
	alone bool      // no server uses the data folder
	now   time.Time // by which objects grow old; see earlierClock
	close func() error
}

// open opens both. What lies in the data folder is taken for this process:
// no server may use it at the same time.
func (c *StoresConfig) open(ctx context.Context) (_ *openedStores, err error) {
	if err := c.resolve(); err != nil {
		return nil, err
	}
	p := &Program{
		cfg: Config{DatabaseConfig: c.DatabaseConfig, S3: c.S3},
		log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})),
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.Close())
		}
	}()
	alone := c.S3.Endpoint == "" || c.embeddedDatabase()
	if alone {
		if err := p.openData(ctx); err != nil {
			return nil, err
		}
	}
	if err := p.openObjects(ctx); err != nil {
		return nil, err
	}
	if p.db, err = c.openRecords(ctx); err != nil {
		return nil, err
	}
	p.closers = append(p.closers, p.db.Close)
	now, err := earlierClock(ctx, p.db)
	if err != nil {
		return nil, err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	return &openedStores{
		Stores: &reconcile.Stores{Records: p.db, Objects: p.blobs, Logger: log}, alone: alone, now: now, close: p.Close,
	}, nil
}

// resolve checks what can be checked before anything opens, and keeps a folder
// that was mistyped from becoming an empty Hark.
func (c *StoresConfig) resolve() error {
	if err := c.DatabaseConfig.resolve(); err != nil {
		return err
	}
	var errs []error
	c.S3.check(func(key, format string, args ...any) {
		errs = append(errs, fmt.Errorf("%s: %s", key, fmt.Sprintf(format, args...)))
	})
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("configuration:\n%w", err)
	}
	if c.S3.Endpoint != "" {
		return nil
	}
	if _, err := os.Stat(filepath.Join(c.Data, "objects")); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there are no recordings in %s; set HARK_DATA to Hark's folder, or HARK_S3_ENDPOINT to its object store", c.Data)
	}
	return nil
}
