package blob

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

	"github.com/versity/versitygw/auth"
	"github.com/versity/versitygw/backend/posix"
	"github.com/versity/versitygw/s3api"
	"github.com/versity/versitygw/s3api/middlewares"

	"hark/storage/disk"
)

const (
	embeddedBucket   = "hark"
	embeddedRequests = 1024 // at a time; more are told to come again
	portTries        = 8
)

// Embedded is an S3 server over a folder of this machine, run by [Serve].
//
// The folder holds:
//
//	credentials.json   the access key and secret, made at the first start
//	lock               held while a process serves the folder
//	objects/hark/...   each object in a file named by its key
//	attributes/...     their media types and sums, where the file system
//	                   cannot keep them beside the file (extended attributes)
type Embedded struct {
	config  Config
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
func Serve(ctx context.Context, dir string, logger *slog.Logger) (_ *Embedded, err error) {
	dir, err = filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("serve objects: %w", err)
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("serve objects from %s: %w", dir, err)
		}
	}()
	if err := disk.MakeDir(dir); err != nil {
		return nil, err
	}
	lock, err := disk.Lock(filepath.Join(dir, "lock"))
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
	e := &Embedded{backend: backend, lock: lock}
	endpoint, err := e.listen(ctx, keys)
	if err != nil {
		backend.Shutdown()
		return nil, err
	}
	e.config = Config{
		Endpoint: endpoint, Region: defaultRegion, Bucket: embeddedBucket,
		AccessKey: keys.Access, SecretKey: keys.Secret, PathStyle: true, Logger: logger, client: newHTTPClient(),
	}
	return e, nil
}

// Config is what [Open] needs to reach the server.
func (e *Embedded) Config() Config { return e.config }

// Close stops taking requests, waits for those under way, and lets go of the
// folder. Closing again does nothing.
func (e *Embedded) Close() error {
	e.closeOnce.Do(func() {
		// A connection that was opened and never used is none under way, but
		// the gateway would wait for its first request: clients hang up first.
		e.config.client.CloseIdleConnections()
		e.closeErr = e.server.ShutDown()
		<-e.stopped
		e.backend.Shutdown()
		e.closeErr = errors.Join(e.closeErr, e.lock.Close())
	})
	return e.closeErr
}

// listen starts the gateway on a free port. The gateway opens its listener
// itself and does not say which port it got, so a port is picked beforehand;
// should somebody else take it in between, another is tried.
func (e *Embedded) listen(ctx context.Context, keys serverKeys) (endpoint string, err error) {
	for range portTries {
		address, err := freeAddress(ctx)
		if err != nil {
			return "", err
		}
		err = e.start(ctx, address, keys)
		if errors.Is(err, syscall.EADDRINUSE) {
			continue
		}
		return "http://" + address, err
	}
	return "", errors.New("no free port on the loopback interface")
}

func (e *Embedded) start(ctx context.Context, address string, keys serverKeys) error {
	listening, stopped := make(chan struct{}), make(chan struct{})
	root := middlewares.RootUserConfig{Access: keys.Access, Secret: keys.Secret}
	users := auth.NewIAMServiceSingle(auth.Account{Access: keys.Access, Secret: keys.Secret, Role: auth.RoleAdmin})
	server, err := s3api.New(e.backend, root, defaultRegion, users, nil, nil, nil, nil,
		s3api.WithQuiet(),
		s3api.WithKeepAlive(),
		s3api.WithMpMaxParts(maxParts),
		s3api.WithConcurrencyLimiter(2*embeddedRequests, embeddedRequests),
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
		e.server, e.stopped = server, stopped
		return nil
	case <-stopped:
		return fmt.Errorf("listen on %s: %w", address, err)
	case <-ctx.Done():
		err := errors.Join(context.Cause(ctx), server.ShutDown())
		<-stopped
		return err
	}
}

func freeAddress(ctx context.Context) (string, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	return l.Addr().String(), l.Close()
}

// newPosix makes the gateway's file backend over an absolute path. It changes
// the working directory to that path, because it looks buckets up relative to
// it; durable names them absolutely, so the directory is changed back.
func newPosix(root string, attributes metaStore) (_ *posix.Posix, err error) {
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
