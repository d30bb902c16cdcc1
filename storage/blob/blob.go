// Package blob keeps sound: clips as they were sent and what is rendered from
// them, in any store that speaks the S3 protocol.
//
// A [Store] is a client. It streams: an upload of unknown length passes
// through a few buffers of 5 MiB, and a download is read as it comes. There is
// one code path whether the store is a cloud's, a cluster's, or the server
// that package embedded runs inside this process over a plain folder.
//
// # What may be relied on
//
// An object exists whole or not at all. Put returns without error only after
// the store has answered that it keeps the object; when the reader fails
// midway, or its length is not what was promised, nothing is kept and the
// parts already sent are thrown away. What a crash leaves of an upload is
// thrown away by [Store.AbortStale].
//
// Every upload carries a Content-MD5, which every S3 server checks; the newer
// kinds of sum are refused by some of them, and in different ways. A download
// of a whole object is checked against the CRC that newer servers, the
// embedded one among them, keep of what they take: the last Read then returns
// an error instead of io.EOF.
//
// A store that is gone gives an error within seconds (a refused connection at
// once, a silent one after the times in transport.go), never a hang.
//
// A bucket may be shared. With [Config.Prefix] every key lies below that
// prefix, and a Store sees, lists and deletes nothing else.
//
// # Stores
//
// Stores speak S3 more or less. A [Store] signs no header that front ends
// change, sends no sums that some refuse, and takes batch deletes, copies,
// checksums of what is read, lists of unfinished uploads and versions for
// there until the store refuses them: then it does without, and logs once what
// that means (features.go). It needs permissions for objects only (open.go).
// In a bucket that keeps versions, what is deleted goes with all its versions
// (versions.go). Keys that are not set are the machine's, and are renewed as
// they expire (chain.go).
//
// # Limits
//
// Keys are slash-separated paths as [io/fs.ValidPath] has them, up to 1,024
// bytes with segments up to 255, because the embedded server keeps each object
// in a file of that name. A key may not be another key's folder. Objects hold
// up to 10,000 parts of 5 MiB, about 48 GiB.
package blob

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Config says where a store is and how to be let in.
type Config struct {
	Endpoint  string // base address, such as "https://s3.example.org"; empty means Amazon's for Region
	Region    string // empty means us-east-1
	Bucket    string // made by Open when it is missing
	Prefix    string // of every key in the bucket, such as "hark" or "team/hark"; empty means none. Callers do not see it
	PathStyle bool   // bucket in the path rather than in the host name; most stores that are not Amazon's want it

	AccessKey    string // empty, with SecretKey: what the machine offers; see chain.go
	SecretKey    string
	SessionToken string // of a temporary key; empty means none

	Encryption Encryption // of what is put; the zero value leaves it to the store
	Logger     *slog.Logger

	HTTPClient *http.Client // nil means one from NewHTTPClient
}

// Store keeps objects in one bucket, under one prefix of it. It is safe for concurrent use and holds
// no connection that needs closing.
type Store struct {
	client *s3.Client
	bucket string
	prefix string // empty, or ends with a slash
	region string
	logger *slog.Logger
	chunks chunkPool

	patience patience
	features features

	encryption Encryption
	versioned  atomic.Bool // the bucket keeps versions
	refusesPut atomic.Bool // the last put was refused
}

// Object describes a stored object.
type Object struct {
	Key       string
	Size      int64 // bytes
	ETag      string
	ModTime   time.Time
	MediaType string // empty in lists, which do not carry it
}

const defaultRegion = "us-east-1"

// Open connects to the store, makes the bucket if there is none, and tries
// what it is allowed to do there. A store that does not answer, or is not
// ready, is storage.ErrUnreachable; a refusal that another setting would mend
// is a [*SetupError].
func Open(ctx context.Context, cfg Config) (*Store, error) {
	if cfg.Bucket == "" {
		return nil, errors.New("open object store: no bucket named")
	}
	prefix, err := CleanPrefix(cfg.Prefix)
	if err != nil {
		return nil, fmt.Errorf("open object store: %w", err)
	}
	if prefix != "" {
		prefix += "/"
	}
	if cfg.Region == "" {
		cfg.Region = defaultRegion
	}
	if cfg.HTTPClient == nil {
		cfg.HTTPClient = NewHTTPClient()
	}
	keys, err := openKeys(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("open object store: %w", err)
	}
	s := &Store{
		client: newClient(cfg, keys), bucket: cfg.Bucket, prefix: prefix, region: cfg.Region,
		logger: cfg.Logger, patience: usualPatience(), encryption: cfg.Encryption,
	}
	if err := explain(s.check(ctx)); err != nil {
		return nil, fmt.Errorf("open object store: %w", err)
	}
	return s, nil
}

func newClient(cfg Config, keys keyring) *s3.Client {
	options := s3.Options{
		Region:       cfg.Region,
		Credentials:  keys,
		UsePathStyle: cfg.PathStyle,
		HTTPClient:   cfg.HTTPClient,
		Retryer:      newRetryer(keys),
		HTTPSignerV4: newSigner(),

		// Put sends its own sum in a header. The SDK would send one behind
		// the body, which old servers take for part of the object. Get asks
		// for sums by itself, and does without where the store refuses that.
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenRequired,
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenRequired,

		DisableLogOutputChecksumValidationSkipped: true,
	}
	if cfg.Endpoint != "" {
		options.BaseEndpoint = aws.String(cfg.Endpoint)
	}
	return s3.New(options)
}
