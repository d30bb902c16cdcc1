package blob

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"golang.org/x/sync/errgroup"
)

// uploadsAtOnce is how many parts of one Put are on their way at a time, while
// one more fills: a Put holds at most (uploadsAtOnce+1) * partSize bytes.
const uploadsAtOnce = 2

// Put keeps all of r under key and returns how many bytes it kept. Size is
// the length that r must have, or -1 when nobody knows. Put reads r in one
// go and does not close it. When it returns an error the object is not there,
// with one exception: an error from the very last answer of the store leaves
// open whether it is, so callers give each attempt a key of its own.
func (s *Store) Put(ctx context.Context, key, mediaType string, r io.Reader, size int64) (int64, error) {
	full, err := s.inBucket(key)
	if err != nil {
		return 0, fmt.Errorf("put object %q: %w", key, err)
	}
	p := &part{pool: &s.chunks}
	more, err := p.fill(r)
	if err == nil && !more {
		err = checkSize(int64(p.size), size)
	}
	if err != nil {
		return 0, fmt.Errorf("put object %s: %w", key, err)
	}
	var n int64
	if more {
		n, err = s.putParts(ctx, full, mediaType, p, r, size)
	} else {
		n, err = s.putWhole(ctx, full, mediaType, p)
	}
	s.notePut(ctx, err)
	if err != nil {
		return 0, objectError("put", key, err)
	}
	return n, nil
}

func (s *Store) putWhole(ctx context.Context, key, mediaType string, p *part) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, s.patience.part)
	defer cancel()
	sum, size := p.md5(), int64(p.size)
	out, err := s.client.PutObject(ctx, &s3.PutObjectInput{
		Bucket: &s.bucket, Key: &key, ContentType: &mediaType,
		Body: p.reader(), ContentLength: &size, ContentMD5: &sum,
		ServerSideEncryption: s.encryption.mode, SSEKMSKeyId: s.encryption.key,
	})
	if err != nil {
		return 0, err
	}
	s.noteVersion(out.VersionId)
	p.release()
	return size, nil
}

// putParts sends an object that does not fit in its first part.
func (s *Store) putParts(ctx context.Context, key, mediaType string, first *part, r io.Reader, size int64) (n int64, err error) {
	id, err := s.beginUpload(ctx, key, mediaType)
	if err != nil {
		return 0, err
	}
	defer func() {
		if err == nil {
			return
		}
		// The caller may be gone, but the parts must not stay.
		if abortErr := s.abort(context.WithoutCancel(ctx), key, id); abortErr != nil {
			s.logger.WarnContext(ctx, "aborting multipart upload failed; its parts remain until they expire", "key", key, "error", abortErr)
		}
	}()
	parts, n, err := s.sendParts(ctx, key, id, first, r)
	if err == nil {
		err = checkSize(n, size)
	}
	if err != nil {
		return 0, err
	}
	return n, s.completeUpload(ctx, key, id, parts)
}

func (s *Store) beginUpload(ctx context.Context, key, mediaType string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, s.patience.short)
	defer cancel()
	out, err := s.client.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{
		Bucket: &s.bucket, Key: &key, ContentType: &mediaType,
		ServerSideEncryption: s.encryption.mode, SSEKMSKeyId: s.encryption.key,
	})
	if err != nil {
		return "", err
	}
	return *out.UploadId, nil
}

// sendParts sends first and the rest of r, and returns when no part is on its
// way any more.
func (s *Store) sendParts(ctx context.Context, key, id string, first *part, r io.Reader) ([]types.CompletedPart, int64, error) {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(uploadsAtOnce)
	var sent []*types.CompletedPart
	var total int64
	var readErr error
	for p, more := first, true; p.size > 0; {
		if len(sent) == MaxParts {
			readErr = fmt.Errorf("longer than %d parts", MaxParts)
			break
		}
		total += int64(p.size)
		done := new(types.CompletedPart)
		sent = append(sent, done)
		number, full := int32(len(sent)), p
		group.Go(func() (err error) {
			*done, err = s.sendPart(ctx, key, id, number, full)
			return err
		})
		if !more || ctx.Err() != nil {
			break
		}
		p = &part{pool: &s.chunks}
		if more, readErr = p.fill(r); readErr != nil {
			break
		}
	}
	if err := errors.Join(readErr, group.Wait()); err != nil {
		return nil, 0, err
	}
	parts := make([]types.CompletedPart, len(sent))
	for i, done := range sent {
		parts[i] = *done
	}
	return parts, total, nil
}

func (s *Store) sendPart(ctx context.Context, key, id string, number int32, p *part) (types.CompletedPart, error) {
	ctx, cancel := context.WithTimeout(ctx, s.patience.part)
	defer cancel()
	sum, size := p.md5(), int64(p.size)
	out, err := s.client.UploadPart(ctx, &s3.UploadPartInput{
		Bucket: &s.bucket, Key: &key, UploadId: &id, PartNumber: &number,
		Body: p.reader(), ContentLength: &size, ContentMD5: &sum,
	})
	if err != nil {
		return types.CompletedPart{}, fmt.Errorf("part %d: %w", number, err)
	}
	p.release()
	return types.CompletedPart{PartNumber: &number, ETag: out.ETag}, nil
}

func (s *Store) completeUpload(ctx context.Context, key, id string, parts []types.CompletedPart) error {
	ctx, cancel := context.WithTimeout(ctx, s.patience.complete)
	defer cancel()
	_, err := s.client.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
		Bucket: &s.bucket, Key: &key, UploadId: &id,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: parts},
	})
	return err
}

func checkSize(got, want int64) error {
	switch {
	case want < 0 || got == want:
		return nil
	case got < want:
		return fmt.Errorf("%d bytes where %d were promised: %w", got, want, io.ErrUnexpectedEOF)
	}
	return fmt.Errorf("%d bytes where %d were promised", got, want)
}
