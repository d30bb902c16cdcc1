package blob

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// deleteBatch is how many keys S3 takes in one call.
const deleteBatch = 1000

// Delete removes objects; a key that is not there counts as removed. When some
// cannot be removed the others still are, and the error names the first.
func (s *Store) Delete(ctx context.Context, keys ...string) error {
	var errs []error
	for batch := range slices.Chunk(keys, deleteBatch) {
		if err := s.deleteSome(ctx, batch); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func (s *Store) deleteSome(ctx context.Context, keys []string) error {
	ctx, cancel := context.WithTimeout(ctx, s.patience.part)
	defer cancel()
	doomed := make([]types.ObjectIdentifier, len(keys))
	for i, key := range keys {
		full, err := s.inBucket(key)
		if err != nil {
			return objectError("delete", key, err)
		}
		doomed[i] = types.ObjectIdentifier{Key: &full}
	}
	out, err := s.client.DeleteObjects(ctx, &s3.DeleteObjectsInput{
		Bucket: &s.bucket,
		Delete: &types.Delete{Objects: doomed, Quiet: aws.Bool(true)},
	}, withContentMD5)
	if err != nil {
		return fmt.Errorf("delete %d objects: %w", len(keys), err)
	}
	for _, e := range out.Errors {
		if code := aws.ToString(e.Code); code != "NoSuchKey" {
			return fmt.Errorf("delete object %s (and perhaps others of %d): %s: %s",
				aws.ToString(e.Key), len(keys), code, aws.ToString(e.Message))
		}
	}
	return nil
}

// withContentMD5 adds the header that stores older than flexible checksums
// insist on in a batch delete.
func withContentMD5(o *s3.Options) {
	o.APIOptions = append(o.APIOptions, smithyhttp.AddContentChecksumMiddleware)
}

// AbortStale throws away what is left of uploads under prefix that began
// before the given time and never ended, and tells how many there were. A
// process that was killed leaves such parts, and they take room unseen.
func (s *Store) AbortStale(ctx context.Context, prefix string, before time.Time) (int, error) {
	full := s.prefix + prefix
	pages := s3.NewListMultipartUploadsPaginator(s.client,
		&s3.ListMultipartUploadsInput{Bucket: &s.bucket, Prefix: &full})
	var aborted int
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return aborted, fmt.Errorf("list unfinished uploads: %w", err)
		}
		for _, u := range page.Uploads {
			if !strings.HasPrefix(aws.ToString(u.Key), full) || !aws.ToTime(u.Initiated).Before(before) {
				continue
			}
			if err := s.abort(ctx, aws.ToString(u.Key), aws.ToString(u.UploadId)); err != nil {
				return aborted, err
			}
			aborted++
		}
	}
	return aborted, nil
}

func (s *Store) abort(ctx context.Context, key, uploadID string) error {
	ctx, cancel := context.WithTimeout(ctx, s.patience.short)
	defer cancel()
	_, err := s.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{
		Bucket: &s.bucket, Key: &key, UploadId: &uploadID,
	})
	var gone *types.NoSuchUpload
	if err != nil && !errors.As(err, &gone) {
		return fmt.Errorf("abort upload of %s: %w", key, err)
	}
	return nil
}
