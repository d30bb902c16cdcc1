package blob

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"golang.org/x/sync/errgroup"

	"hark/storage"
)

const (
	deleteBatch  = 1000 // keys that S3 takes in one call
	deleteAtOnce = 8    // single deletes under way at a time
)

// Delete removes objects; a key that is not there counts as removed. When some
// cannot be removed the others still are, and the error names the first. In a
// bucket that keeps versions all versions go, where the store lets them. A
// store that has no batch delete, or refuses it, is asked for one object after
// the other.
func (s *Store) Delete(ctx context.Context, keys ...string) error {
	objects := make([]types.ObjectIdentifier, len(keys))
	for i, key := range keys {
		full, err := s.inBucket(key)
		if err != nil {
			return objectError("delete", key, err)
		}
		objects[i] = types.ObjectIdentifier{Key: &full}
	}
	if s.versioned.Load() && !s.features.noVersions.Load() {
		return s.deleteVersions(ctx, objects)
	}
	return s.deleteAll(ctx, objects)
}

func (s *Store) deleteAll(ctx context.Context, objects []types.ObjectIdentifier) error {
	var errs []error
	for batch := range slices.Chunk(objects, deleteBatch) {
		if err := s.deleteSome(ctx, batch); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// deleteSome removes up to deleteBatch objects.
func (s *Store) deleteSome(ctx context.Context, objects []types.ObjectIdentifier) error {
	if len(objects) == 1 || s.features.noBatchDelete.Load() {
		return s.deleteSingly(ctx, objects)
	}
	left, err := s.deleteTogether(ctx, objects)
	switch {
	case err == nil:
		return s.deleteSingly(ctx, left)
	case !isBatchRefused(err):
		return fmt.Errorf("delete %d objects: %w", len(objects), err)
	}
	refusal := err
	if err := s.deleteSingly(ctx, objects); err != nil {
		return err
	}
	s.lose(ctx, &s.features.noBatchDelete, "objects are deleted one by one", refusal)
	return nil
}

// deleteTogether removes objects in one call, and returns those which the
// store says it could not remove.
func (s *Store) deleteTogether(ctx context.Context, objects []types.ObjectIdentifier) (left []types.ObjectIdentifier, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.patience.part)
	defer cancel()
	out, err := s.client.DeleteObjects(ctx, &s3.DeleteObjectsInput{
		Bucket: &s.bucket,
		Delete: &types.Delete{Objects: objects, Quiet: aws.Bool(true)},
	}, withContentMD5)
	if err != nil {
		return nil, err
	}
	for _, e := range out.Errors {
		if aws.ToString(e.Code) != "NoSuchKey" {
			left = append(left, types.ObjectIdentifier{Key: e.Key, VersionId: e.VersionId})
		}
	}
	return left, nil
}

func (s *Store) deleteSingly(ctx context.Context, objects []types.ObjectIdentifier) error {
	var group errgroup.Group // without a context: what can be removed is, whatever fails
	group.SetLimit(deleteAtOnce)
	for _, o := range objects {
		group.Go(func() error { return s.deleteOne(ctx, o) })
	}
	return group.Wait()
}

func (s *Store) deleteOne(ctx context.Context, o types.ObjectIdentifier) error {
	ctx, cancel := context.WithTimeout(ctx, s.patience.short)
	defer cancel()
	_, err := s.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &s.bucket, Key: o.Key, VersionId: o.VersionId})
	if err != nil {
		key, _ := s.fromBucket(*o.Key)
		if err = objectError("delete", key, err); errors.Is(err, storage.ErrNotFound) {
			return nil // Google's answer to the deletion of what is not there
		}
	}
	return err
}

// isBatchRefused tells whether a store does not want a batch delete, which it
// may still do one by one: it has none, wants other sums than it was sent, or
// leaves the call out of what a key may do.
func isBatchRefused(err error) bool {
	status := answerStatus(err)
	return status >= 400 && status < 500 && status != http.StatusNotFound && status != http.StatusTooManyRequests || isNotImplemented(err)
}

// withContentMD5 makes a batch delete carry its sum in Content-MD5, which
// every store takes and older ones insist on, in place of the SDK's CRC-32,
// which some refuse.
func withContentMD5(o *s3.Options) {
	o.APIOptions = append(o.APIOptions, smithyhttp.AddContentChecksumMiddleware, func(stack *middleware.Stack) error {
		_, err := stack.Initialize.Remove("AWSChecksum:SetupInputContext")
		return err
	})
}
