package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"hark/cmd/hark/config"
	"hark/storage/keys"
	"hark/storage/reconcile"
	"hark/storage/sqldb"
)

// Stores are database and object store of a Hark, opened by a command.
type Stores struct {
	*reconcile.Stores
	Alone bool      // no server uses the data folder
	Now   time.Time // by which objects grow old: the earlier of the clocks

	close func() error
}

// OpenStores opens both for a command. What lies in the data folder is taken for this process:
// no server may use it at the same time.
func OpenStores(ctx context.Context, c *config.StoresConfig) (_ *Stores, err error) {
	if err := c.Resolve(); err != nil {
		return nil, err
	}
	p := &Program{
		cfg: config.Config{DatabaseConfig: c.DatabaseConfig, S3: c.S3},
		log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})),
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.Close())
		}
	}()
	alone := c.S3.Endpoint == "" || c.Embedded()
	if alone {
		if err := p.openData(ctx); err != nil {
			return nil, err
		}
	}
	if err := p.openObjects(ctx); err != nil {
		return nil, err
	}
	if p.db, err = OpenRecords(ctx, &c.DatabaseConfig); err != nil {
		return nil, err
	}
	p.closers = append(p.closers, p.db.Close)
	now, err := earlierClock(ctx, p.db)
	if err != nil {
		return nil, err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	return &Stores{
		Stores: &reconcile.Stores{Records: p.db, Objects: p.blobs, Logger: log}, Alone: alone, Now: now, close: p.Close,
	}, nil
}

// Close closes both.
func (s *Stores) Close() error { return s.close() }

// OpenRecords opens the records for a command, with this version's schema. The server's
// keys are not read: a command has keys of its own.
func OpenRecords(ctx context.Context, c *config.DatabaseConfig) (*sqldb.DB, error) {
	if err := c.Resolve(); err != nil {
		return nil, err
	}
	if _, err := c.MakeData(slog.New(slog.DiscardHandler)); err != nil {
		return nil, err
	}
	cfg := c.Records(slog.New(slog.DiscardHandler))
	cfg.Secrets = keys.Random()
	db, err := sqldb.Open(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("open records: %w", err)
	}
	if err := db.Migrate(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}
