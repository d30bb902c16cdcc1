package blob

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"hark/storage"
)

// probeFolder is where the objects lie that Open and Ping write, read and
// delete.
const probeFolder = "probe/"

const listRefused = "objects cannot be listed (s3:ListBucket): live recordings of a dead node are not recovered, " +
	"deleted recordings and orphans are not cleaned up"

// check finds out whether the store can be worked with: it lists, makes the
// bucket when there is none, and keeps, reads and deletes a small object. A
// store that refuses to list does for the rest.
func (s *Store) check(ctx context.Context) error {
	listing := s.tryList(ctx)
	switch {
	case errorCode(listing) == "NoSuchBucket":
		if err := s.makeBucket(ctx); err != nil {
			return err
		}
		listing = nil
	case listing != nil && answerStatus(listing) != http.StatusForbidden:
		return fmt.Errorf("list bucket %s: %w", s.bucket, listing)
	}
	if err := s.probe(ctx); err != nil {
		return err
	}
	if listing != nil {
		s.lose(ctx, &s.features.noList, listRefused, listing)
	}
	return nil
}

// tryList asks for one key below the prefix.
func (s *Store) tryList(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.patience.short)
	defer cancel()
	_, err := s.client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: &s.bucket, Prefix: &s.prefix, MaxKeys: aws.Int32(1)})
	return err
}

func (s *Store) makeBucket(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.patience.short)
	defer cancel()
	in := &s3.CreateBucketInput{Bucket: &s.bucket}
	if s.region != defaultRegion { // Amazon wants the region said, except for the first
		in.CreateBucketConfiguration = &types.CreateBucketConfiguration{
			LocationConstraint: types.BucketLocationConstraint(s.region),
		}
	}
	_, err := s.client.CreateBucket(ctx, in)
	var ours *types.BucketAlreadyOwnedByYou // another node was faster
	switch {
	case err == nil || errors.As(err, &ours):
		return nil
	case answerStatus(err) == http.StatusForbidden:
		return &SetupError{Settings: noBucket.settings, Hint: "there is no bucket " + s.bucket + ", and the access key may not make it", Err: err}
	}
	return fmt.Errorf("make bucket %s: %w", s.bucket, err)
}

// probe keeps, reads and deletes a small object.
func (s *Store) probe(ctx context.Context) error {
	key, want := probeFolder+rand.Text(), []byte("Hark was here to see whether it may write, read and delete.\n")
	if _, err := s.Put(ctx, key, "text/plain", bytes.NewReader(want), int64(len(want))); err != nil {
		return fmt.Errorf("write (s3:PutObject): %w", err)
	}
	got, err := s.readAll(ctx, key)
	if err != nil {
		err = fmt.Errorf("read (s3:GetObject): %w", err)
	} else if !bytes.Equal(got, want) {
		err = &SetupError{Settings: noStore.settings, Hint: noStore.hint, Err: fmt.Errorf("read object %s: other bytes than were written", key)}
	}
	if gone := s.Delete(ctx, key); gone != nil {
		err = errors.Join(err, fmt.Errorf("delete (s3:DeleteObject): %w", gone))
	}
	return err
}

func (s *Store) readAll(ctx context.Context, key string) (_ []byte, err error) {
	body, _, err := s.Get(ctx, key)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, body.Close()) }()
	return io.ReadAll(body)
}

// Ping asks whether the store answers and lets this client in. After a Put
// that was refused, it tries whether the store keeps objects again.
func (s *Store) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.patience.short)
	defer cancel()
	if err := explain(s.ping(ctx)); err != nil {
		return fmt.Errorf("ask for bucket %s: %w", s.bucket, err)
	}
	return nil
}

func (s *Store) ping(ctx context.Context) error {
	switch {
	case s.refusesPut.Load():
		return s.probe(ctx)
	case !s.features.noList.Load():
		return s.tryList(ctx)
	}
	// To who may not list, Amazon denies what is missing as well.
	body, _, err := s.Get(ctx, probeFolder+"none")
	switch {
	case err == nil:
		return body.Close()
	case errors.Is(err, storage.ErrNotFound), errorCode(err) == "AccessDenied":
		return nil
	}
	return err
}

// notePut keeps in mind whether the store refuses to keep objects.
func (s *Store) notePut(ctx context.Context, err error) {
	switch {
	case err == nil:
		if s.refusesPut.Load() && s.refusesPut.CompareAndSwap(true, false) {
			s.logger.InfoContext(ctx, "object store accepts writes again", "bucket", s.bucket)
		}
	case answerStatus(err)/100 == 4:
		if !s.refusesPut.Swap(true) {
			s.logger.ErrorContext(ctx, "object store rejects writes", "bucket", s.bucket, "error", explain(err))
		}
	}
}
