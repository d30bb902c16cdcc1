// Package embedded is an S3 server over a folder of this machine, for those who
// have no object store: [Serve] runs the versity gateway in this process, on
// the loopback interface, and package blob reaches it as it does any other
// store.
//
// It adds to the gateway what a power cut asks for: what was acknowledged has
// been synced (durable.go). Media types and sums are kept as extended
// attributes, or in files where the file system has none (attributes.go).
package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/versity/versitygw/auth"
	"github.com/versity/versitygw/backend/posix"
	"github.com/versity/versitygw/s3api"
	"github.com/versity/versitygw/s3api/middlewares"

	"hark/storage/blob"
	"hark/storage/disk"
)

const (
	bucket    = "hark"
	region    = "us-east-1"
	requests  = 1024 // at a time; more get 503 Slow Down
	portTries = 8
)

// Server is an S3 server over a folder, run by [Serve].
//
// The folder holds:
//
//	credentials.json   the access key and secret, made at the first start
//	lock               held while a process serves the folder
//	objects/hark/...   each object in a file named by its key
//	attributes/...     their media types and sums, where the file system
//	                   cannot keep them beside the file (extended attributes)
type Server struct {
	config  blob.Config
	backend *durable
	server  *s3api.S3ApiServer
	stopped chan struct{} // closed when the server no longer listens
	lock    *os.File

	closeOnce sync.Once
	closeErr  error
}

// Serve starts an S3 server over dir, which it makes if need be, on a free
// port of the loopback interface, and returns when it answers. What the
// server acknowledges it has synced: see durable.go. Every request needs the
// credentials, which other users of this machine cannot read.
//
// The gateway changes the process's working directory for a moment while it
// starts and Serve changes it back, so nothing else should look up relative
// paths meanwhile: call it early, and not twice at once.
func Serve(ctx context.Context, dir string, logger *slog.Logger) (_ *Server, err error) {
	dir, err = filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("serve objects: %w", err)
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("serve objects from %s: %w", dir, err)
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
	keys, err := loadCredentials(dir)
	if err != nil {
		return nil, err
	}
	backend, err := newDurable(dir, logger)
	if err != nil {
		return nil, err
	}
	s := &Server{backend: backend, lock: lock}
	endpoint, err := s.listen(ctx, keys)
	if err != nil {
		backend.Shutdown()
		return nil, err
	}
	s.config = blob.Config{
		Endpoint: endpoint, Region: region, Bucket: bucket,
		AccessKey: keys.Access, SecretKey: keys.Secret, PathStyle: true, Logger: logger, HTTPClient: blob.NewHTTPClient(),
	}
	return s, nil
}

// Config is what [blob.Open] needs to reach the server.
func (s *Server) Config() blob.Config { return s.config }

// Close stops taking requests, waits for those under way, and lets go of the
// folder. Closing again does nothing.
func (s *Server) Close() error {
	s.closeOnce.Do(func() {
		// A connection that was opened and never used is none under way, but
		// the gateway would wait for its first request: clients hang up first.
		s.config.HTTPClient.CloseIdleConnections()
		s.closeErr = shutDown(s.server, s.stopped)
		s.backend.Shutdown()
		s.closeErr = errors.Join(s.closeErr, s.lock.Close())
	})
	return s.closeErr
}

// listen starts the gateway on a free port. The gateway opens its listener
// itself and does not say which port it got, so a port is picked beforehand;
// should somebody else take it in between, another is tried.
func (s *Server) listen(ctx context.Context, keys serverKeys) (endpoint string, err error) {
	for range portTries {
		address, err := freeAddress(ctx)
		if err != nil {
			return "", err
		}
		err = s.start(ctx, address, keys)
		if errors.Is(err, syscall.EADDRINUSE) {
			continue
		}
		return "http://" + address, err
	}
	return "", errors.New("no free port on the loopback interface")
}

func (s *Server) start(ctx context.Context, address string, keys serverKeys) error {
	listening, stopped := make(chan struct{}), make(chan struct{})
	root := middlewares.RootUserConfig{Access: keys.Access, Secret: keys.Secret}
	users := auth.NewIAMServiceSingle(auth.Account{Access: keys.Access, Secret: keys.Secret, Role: auth.RoleAdmin})
	server, err := s3api.New(s.backend, root, region, users, nil, nil, nil, nil,
		s3api.WithQuiet(),
		s3api.WithKeepAlive(),
		s3api.WithMpMaxParts(blob.MaxParts),
		s3api.WithConcurrencyLimiter(2*requests, requests),
		s3api.WithOnListen(func() { close(listening) }),
	)
	if err != nil {
		return fmt.Errorf("set up gateway: %w", err)
	}
	go func() {
		defer close(stopped)
		err = server.ServeMultiPort([]string{address})
	}()
	select {
	case <-listening:
		s.server, s.stopped = server, stopped
		return nil
	case <-stopped:
		return fmt.Errorf("listen on %s: %w", address, err)
	case <-ctx.Done():
		return errors.Join(context.Cause(ctx), shutDown(server, stopped))
	}
}

// shutDown ends the gateway and waits for its end. The gateway says that it
// listens a moment before it takes connections; a shutdown that comes in between
// does nothing, so it is asked again until it has ended.
func shutDown(server *s3api.S3ApiServer, stopped <-chan struct{}) error {
	for {
		err := server.ShutDown()
		select {
		case <-stopped:
			return err
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func freeAddress(ctx context.Context) (string, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	return l.Addr().String(), l.Close()
}

// workingDirectory is the process's own, which one server at a time may change.
var workingDirectory sync.Mutex

// newPosix makes the gateway's file backend over an absolute path. It changes
// the working directory to that path, because it looks buckets up relative to
// it; durable names them absolutely, so the directory is changed back.
func newPosix(root string, attributes metaStore) (_ *posix.Posix, err error) {
	workingDirectory.Lock()
	defer workingDirectory.Unlock()
	before, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.Chdir(before)) }()
	opts := posix.PosixOpts{
		CopyObjectThreshold: 5 << 30,
		ForceNoObjLockFile:  true, // the lock on the folder keeps other processes out
		IOBufferSize:        256 << 10,
	}
	opts.SetNewDirPerm(0o700)
	opts.SetNewFilePerm(0o600)
	return posix.New(root, attributes, opts)
}
