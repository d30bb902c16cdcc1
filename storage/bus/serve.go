package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"hark/storage/disk"
)

// Embedded is a NATS server in this process. It listens on no port: only the
// process itself can reach it.
type Embedded struct {
	server *server.Server
	lock   *os.File

	closeOnce sync.Once
	closeErr  error
}

const (
	startTime    = 30 * time.Second // reading back a long queue takes time
	syncInterval = 5 * time.Second
)

// Serve starts a NATS server with JetStream that keeps its queue in dir, and
// returns when it is ready. One process may use a folder at a time.
func Serve(dir string, logger *slog.Logger) (_ *Embedded, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("serve NATS from %s: %w", dir, err)
		}
	}()
	lock, err := disk.Claim(dir)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, lock.Close())
		}
	}()
	s, err := server.NewServer(&server.Options{
		ServerName:             "hark",
		DontListen:             true,
		NoSigs:                 true,
		JetStream:              true,
		StoreDir:               dir,
		SyncInterval:           syncInterval,
		DisableJetStreamBanner: true,
	})
	if err != nil {
		return nil, err
	}
	s.SetLogger(serverLog{logger}, false, false)
	s.Start()
	if !s.ReadyForConnections(startTime) {
		s.Shutdown()
		s.WaitForShutdown()
		return nil, fmt.Errorf("not ready after %s", startTime)
	}
	return &Embedded{server: s, lock: lock}, nil
}

// Close stops the server and writes the queue to disk. Closing again does
// nothing.
func (e *Embedded) Close() error {
	e.closeOnce.Do(func() {
		e.server.Shutdown()
		e.server.WaitForShutdown()
		e.closeErr = e.lock.Close()
	})
	return e.closeErr
}

// serverLog gives the server's log lines to slog. Its notices are about
// starting and stopping, which our own log tells already.
type serverLog struct{ logger *slog.Logger }

// Noticef implements server.Logger.
func (l serverLog) Noticef(format string, v ...any) { l.log(slog.LevelDebug, format, v...) }

// Warnf implements server.Logger.
func (l serverLog) Warnf(format string, v ...any) { l.log(slog.LevelWarn, format, v...) }

// Errorf implements server.Logger.
func (l serverLog) Errorf(format string, v ...any) { l.log(slog.LevelError, format, v...) }

// Fatalf implements server.Logger; the server goes on after it.
func (l serverLog) Fatalf(format string, v ...any) { l.log(slog.LevelError, format, v...) }

// Debugf implements server.Logger; it is never asked for.
func (l serverLog) Debugf(string, ...any) {}

// Tracef implements server.Logger; it is never asked for.
func (l serverLog) Tracef(string, ...any) {}

func (l serverLog) log(level slog.Level, format string, v ...any) {
	l.logger.Log(context.Background(), level, "embedded NATS server", "says", fmt.Sprintf(format, v...))
}
