package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// Get opens an object for reading from its start and tells its size in bytes.
// The body ends with an error when the connection breaks, when ctx ends, or
// when the bytes do not match the sum that the server kept. The caller closes
// it. A missing object is storage.ErrNotFound.
func (s *Store) Get(ctx context.Context, key string) (body io.ReadCloser, size int64, err error) {
	return s.get(ctx, key, "")
}

// GetRange opens n bytes of an object from offset off; n below 0 means all
// from there on. An object that ends earlier gives fewer bytes; an offset at
// or past its end, or n of 0, gives none.
func (s *Store) GetRange(ctx context.Context, key string, off, n int64) (io.ReadCloser, error) {
	if off < 0 {
		return nil, fmt.Errorf("get object %s: negative offset %d", key, off)
	}
	if n == 0 {
		return io.NopCloser(strings.NewReader("")), nil
	}
	header := fmt.Sprintf("bytes=%d-", off)
	if n > 0 {
		header += fmt.Sprint(off + n - 1)
	}
	body, _, err := s.get(ctx, key, header)
	var status interface{ HTTPStatusCode() int }
	if errors.As(err, &status) && status.HTTPStatusCode() == http.StatusRequestedRangeNotSatisfiable {
		return io.NopCloser(strings.NewReader("")), nil
	}
	return body, err
}

func (s *Store) get(ctx context.Context, key, byteRange string) (io.ReadCloser, int64, error) {
	full, err := s.inBucket(key)
	if err != nil {
		return nil, 0, objectError("get", key, err)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	headers := time.AfterFunc(s.patience.short, func() { cancel(errSilent) })
	defer headers.Stop()
	in := &s3.GetObjectInput{Bucket: &s.bucket, Key: &full}
	if byteRange != "" {
		in.Range = &byteRange
	}
	out, err := s.getSummed(ctx, in)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		cancel(context.Canceled)
		return nil, 0, objectError("get", key, err)
	}
	return newWatchedBody(ctx, cancel, out.Body, s.patience.stall), aws.ToInt64(out.ContentLength), nil
}

// getSummed asks for an object with the sum that the store kept of it, where
// the store knows how to tell one.
func (s *Store) getSummed(ctx context.Context, in *s3.GetObjectInput) (*s3.GetObjectOutput, error) {
	if !s.features.noReadSums.Load() {
		in.ChecksumMode = types.ChecksumModeEnabled
	}
	out, err := s.client.GetObject(ctx, in)
	if err == nil || in.ChecksumMode == "" || !isRefusedHeader(err) {
		return out, err
	}
	in.ChecksumMode = ""
	refusal := err
	if out, err = s.client.GetObject(ctx, in); err == nil {
		s.lose(ctx, &s.features.noReadSums, "checksums of what is read are not to be had; a damaged object goes unnoticed", refusal)
	}
	return out, err
}

// Stat describes an object. A missing one is storage.ErrNotFound.
func (s *Store) Stat(ctx context.Context, key string) (Object, error) {
	full, err := s.inBucket(key)
	if err != nil {
		return Object{}, objectError("stat", key, err)
	}
	ctx, cancel := context.WithTimeout(ctx, s.patience.short)
	defer cancel()
	out, err := s.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &s.bucket, Key: &full})
	if err != nil {
		return Object{}, objectError("stat", key, err)
	}
	return Object{
		Key:       key,
		Size:      aws.ToInt64(out.ContentLength),
		ETag:      aws.ToString(out.ETag),
		ModTime:   aws.ToTime(out.LastModified),
		MediaType: aws.ToString(out.ContentType),
	}, nil
}

// List calls visit for each object whose key begins with prefix, in the order
// of keys, until visit returns an error, which List then returns as it is.
func (s *Store) List(ctx context.Context, prefix string, visit func(Object) error) error {
	full := s.prefix + prefix
	pages := s3.NewListObjectsV2Paginator(s.client, &s3.ListObjectsV2Input{Bucket: &s.bucket, Prefix: &full})
	for pages.HasMorePages() {
		page, err := s.nextPage(ctx, pages)
		if err != nil {
			return fmt.Errorf("list objects under %q: %w", prefix, err)
		}
		for _, o := range page.Contents {
			key, ours := s.fromBucket(aws.ToString(o.Key))
			if !ours {
				continue
			}
			err := visit(Object{
				Key:     key,
				Size:    aws.ToInt64(o.Size),
				ETag:    aws.ToString(o.ETag),
				ModTime: aws.ToTime(o.LastModified),
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Store) nextPage(ctx context.Context, pages *s3.ListObjectsV2Paginator) (*s3.ListObjectsV2Output, error) {
	ctx, cancel := context.WithTimeout(ctx, s.patience.short)
	defer cancel()
	return pages.NextPage(ctx)
}
