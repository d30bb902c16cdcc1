// Package server is the wiring of a running Hark: it opens the engines that the
// settings ask for (database, objects, bus, decoder, recogniser, recorder), hands
// each to those who ask for it, serves, and ends them in order. [Program] is
// that; commands that need some of the engines open those alone.
package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"hark/api"
	"hark/api/health"
	"hark/api/mail"
	"hark/api/recorder"
	"hark/cmd/hark/config"
	"hark/media/decode"
	"hark/media/whip"
	"hark/storage/blob"
	"hark/storage/blob/embedded"
	"hark/storage/bus"
	"hark/storage/disk"
	"hark/storage/reconcile"
	"hark/storage/sqldb"
	"hark/storage/work"
	"hark/transcribe"
)

// Program is a running Hark: its engines, its API and its workers. Open it,
// Serve it, Close it; Close may be called at any time and more than once.
type Program struct {
	cfg     config.Config
	version string // of the program
	log     *slog.Logger
	metrics *prometheus.Registry

	db     *sqldb.DB
	blobs  *blob.Store
	stores *reconcile.Stores // db and blobs

	storeMetrics *storeMetrics

	bus      *bus.Bus
	jobs     *work.Publisher
	mail     *mail.Sender       // nil where no SMTP server is configured
	decoder  *decode.Decoder    // nil in a role that does not work
	engine   transcribe.Engine  // nil in a role that neither works nor captions
	webrtc   *whip.Server       // nil where nobody can speak
	recorder *recorder.Recorder // nil in a role without an API
	api      *api.Server        // nil in a role without an API, and before it serves
	listener net.Listener

	operations  health.Endpoints
	operatorsOn net.Listener // nil where operators have no listener of their own
	exposed     []string     // files of the data folder that others could read until now

	closers   []func() error // in the order of opening
	closeOnce sync.Once
	closeErr  error
}

// Open opens every engine that cfg asks for and starts listening, but answers
// nothing yet. cfg must have been resolved; version is the program's, for the
// API description. On error everything that was
// opened is closed.
func Open(ctx context.Context, cfg config.Config, version string, log *slog.Logger) (_ *Program, err error) {
	p := &Program{cfg: cfg, version: version, log: log, metrics: prometheus.NewRegistry()}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.Close())
		}
	}()
	p.metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	for _, step := range []func(context.Context) error{
		p.openData, p.openScratch, p.openDecoder, p.openRecords, p.openObjects, p.pairStores, p.openBus, p.openMail, p.openEngine, p.openRecorder, p.listen, p.listenForOperators,
	} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// openData makes the data folder, shuts others out of it, and takes it for this
// process.
func (p *Program) openData(context.Context) error {
	exposed, err := p.cfg.MakeData(p.log)
	if err != nil {
		return err
	}
	p.exposed = exposed
	lock, err := disk.Lock(filepath.Join(p.cfg.Data, "hark.lock"))
	if errors.Is(err, disk.ErrLocked) {
		return fmt.Errorf("another Hark is using %s; stop it, or set HARK_DATA to another folder", p.cfg.Data)
	}
	if err != nil {
		return fmt.Errorf("take the data folder: %w", err)
	}
	p.closers = append(p.closers, lock.Close)
	return nil
}

func (p *Program) openScratch(context.Context) error {
	if err := os.MkdirAll(p.cfg.ScratchDir, 0o700); err != nil {
		return fmt.Errorf("make scratch folder: %w", err)
	}
	return nil
}

func (p *Program) openObjects(ctx context.Context) error {
	log := p.log.With("part", "objects")
	c, err := p.cfg.S3.Store(log)
	if err != nil {
		return err
	}
	if c.Endpoint == "" {
		server, err := embedded.Serve(ctx, filepath.Join(p.cfg.Data, "objects"), log)
		if err != nil {
			return fmt.Errorf("start object store: %w", err)
		}
		p.closers = append(p.closers, server.Close)
		c = server.Config()
		c.Prefix = p.cfg.S3.Prefix
	}
	return p.reach(ctx, "objects", func() (err error) {
		p.blobs, err = blob.Open(ctx, c)
		return p.cfg.S3.Explain(err)
	})
}

func (p *Program) openRecords(ctx context.Context) error {
	keys, err := p.openKeys(ctx)
	if err != nil {
		return err
	}
	c := p.cfg.Records(p.log.With("part", "records"))
	c.OnCommit, c.OnJobs, c.Secrets = p.publishEvents, p.publishJobs, keys.source
	err = p.reach(ctx, "records", func() error {
		db, err := sqldb.Open(ctx, c)
		if err != nil {
			return err
		}
		if err := db.Migrate(ctx); err != nil {
			return errors.Join(err, db.Close())
		}
		p.db = db
		return nil
	})
	if err != nil {
		return err
	}
	p.closers = append(p.closers, p.db.Close)
	return keys.move(ctx, p.db)
}

// pairStores makes sure that database and object store belong together. With a
// store that the database does not belong to, nothing starts; with a database
// that the store does not belong to, recordings are taken and none is removed.
func (p *Program) pairStores(ctx context.Context) error {
	p.storeMetrics = newStoreMetrics(p.metrics)
	p.stores = &reconcile.Stores{Records: p.db, Objects: p.blobs, Logger: p.log.With("part", "store")}
	err := p.stores.Pair(ctx)
	var d *reconcile.Disagreement
	if errors.As(err, &d) && !d.OtherStore {
		p.log.WarnContext(ctx, "database and object store do not belong together", "part", "store", "reason", d.Reason())
		return nil
	}
	if err != nil {
		return fmt.Errorf("compare database and object store: %w", err)
	}
	return nil
}

func (p *Program) openEngine(ctx context.Context) error {
	if !p.works() && !p.cfg.Hears() {
		return nil
	}
	engine, closer, err := openEngine(ctx, p.cfg.Transcriber, p.log)
	if err != nil {
		return err
	}
	p.engine = engine
	p.closers = append(p.closers, closer)
	return nil
}

// PublicURL is where people reach this Hark.
func (p *Program) PublicURL() string { return p.cfg.PublicURL }

// works reports whether this process takes jobs.
func (p *Program) works() bool { return p.cfg.Role != "api" }

// Addr is the address that is listened on, with the port that was given.
func (p *Program) Addr() string { return p.listener.Addr().String() }

// Serve answers and works until ctx ends, then stops: no new work is taken,
// live recordings end, requests, jobs and the finishing of recordings get the
// grace that is configured, jobs that do not finish in it are handed back, and
// recordings are left to the next start. It returns the first failure, or nil after an
// orderly stop.
func (p *Program) Serve(ctx context.Context) error {
	server, err := p.server(ctx)
	if err != nil {
		return err
	}
	// What is under way outlives ctx by the grace.
	work, endWork := context.WithCancelCause(context.WithoutCancel(ctx))
	defer endWork(nil)
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)

	defer p.runPublisher(ctx)() // until all have stopped that may have work for it
	var group sync.WaitGroup
	group.Go(func() {
		if err := server.Serve(p.listener); !errors.Is(err, http.ErrServerClosed) {
			stop(fmt.Errorf("serve: %w", err))
		}
	})
	group.Go(func() { p.serveOperators(ctx, stop) })
	group.Go(func() { p.maintain(ctx) })
	if p.recorder != nil {
		group.Go(func() { p.recorder.Run(ctx) })
	}
	if p.works() {
		group.Go(func() {
			if err := p.work(ctx, work); err != nil {
				stop(fmt.Errorf("work: %w", err))
			}
		})
	}

	<-ctx.Done()
	p.log.InfoContext(ctx, "stopping", "grace", p.cfg.ShutdownGrace.String())
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), p.cfg.ShutdownGrace)
	defer cancel()
	context.AfterFunc(grace, func() { endWork(errShutdown) })
	if p.recorder != nil {
		group.Go(func() { p.endRecordings(grace) })
	}
	if err := server.Shutdown(grace); err != nil {
		_ = server.Close() // the grace is over; whoever is left loses the connection
	}
	if p.api != nil {
		if err := p.api.Finish(grace); err != nil {
			p.log.WarnContext(grace, "not every failed sign-in is recorded, or link mailed", "error", err)
		}
	}
	group.Wait()
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		return cause
	}
	return nil
}

// runPublisher has jobs published until what it returns is called.
func (p *Program) runPublisher(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	running.Go(func() { p.jobs.Run(ctx) })
	return func() {
		cancel()
		running.Wait()
	}
}

// Close closes the engines, the last opened first.
func (p *Program) Close() error {
	p.closeOnce.Do(func() {
		for i := len(p.closers) - 1; i >= 0; i-- {
			p.closeErr = errors.Join(p.closeErr, p.closers[i]())
		}
	})
	return p.closeErr
}
