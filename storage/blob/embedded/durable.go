package embedded

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/versity/versitygw/backend"
	"github.com/versity/versitygw/backend/posix"
	"github.com/versity/versitygw/s3err"
	"github.com/versity/versitygw/s3response"

	"hark/storage/disk"
)

// durable is the file backend of the embedded server. It mends three things
// of the gateway's own, which it wraps:
//
//   - That one never syncs, so that a power cut takes what was acknowledged.
//     Here a finished put, part or multipart upload syncs the object's file,
//     its attributes, and each folder from the file up to the bucket before
//     the answer goes out. The gateway writes an object to an unnamed or
//     temporary file and links it to bucket/key when it is whole, so there is
//     one path to sync, and what a crash leaves unsynced was never answered.
//     Parts are synced too: a client that resumes an upload after a crash asks
//     how much is there, and relies on it. Removals are synced, so that what
//     was deleted stays so.
//   - That one looks buckets up in the process's working directory. Here each
//     bucket is named by its absolute path on the way in and by its own name
//     on the way out.
//   - That one prints what goes wrong inside. Here it is logged.
//
// What Hark does not use (copies of parts, versions, policies, tags, a list of the
// buckets) is answered with "not implemented".
type durable struct {
	backend.BackendUnsupported

	files      *posix.Posix
	root       string // absolute; a bucket is a folder in it
	attributes metaStore
	logger     *slog.Logger
}

var _ backend.Backend = (*durable)(nil)

func newDurable(dir string, logger *slog.Logger) (*durable, error) {
	root := filepath.Join(dir, "objects")
	if err := disk.MakeDir(root); err != nil {
		return nil, err
	}
	attributes, err := openMetaStore(root, filepath.Join(dir, "attributes"))
	if err != nil {
		return nil, err
	}
	files, err := newPosix(root, attributes)
	if err != nil {
		return nil, fmt.Errorf("open file backend: %w", err)
	}
	return &durable{files: files, root: root, attributes: attributes, logger: logger}, nil
}

func (d *durable) String() string { return "Hark" }

// Shutdown closes the file backend.
func (d *durable) Shutdown() { d.files.Shutdown() }

// NormalizeObjectKey returns the key as it is: the gateway has refused those
// with dots and empty segments before.
func (d *durable) NormalizeObjectKey(_, key string) string { return key }

// folder is the absolute path of a bucket, by which the file backend is to
// know it. The gateway has checked the name against the rules for buckets,
// which leave no way out of root.
func (d *durable) folder(bucket *string) *string {
	path := filepath.Join(d.root, *bucket)
	return &path
}

// keep syncs a path in a bucket with its attributes and all folders above it.
func (d *durable) keep(bucket, path string) error {
	folder := *d.folder(&bucket)
	if err := d.attributes.syncObject(folder, path); err != nil {
		return fmt.Errorf("sync attributes of %s: %w", path, err)
	}
	if err := disk.SyncChain(folder, filepath.Join(folder, path)); err != nil {
		return fmt.Errorf("sync %s: %w", path, err)
	}
	return nil
}

// forget syncs the removal of a path from a bucket.
func (d *durable) forget(bucket, path string) error {
	folder := *d.folder(&bucket)
	if err := d.attributes.syncRemoved(folder, path); err != nil {
		return fmt.Errorf("sync removal of attributes of %s: %w", path, err)
	}
	if err := disk.SyncNearest(folder, filepath.Join(folder, path)); err != nil {
		return fmt.Errorf("sync removal of %s: %w", path, err)
	}
	return nil
}

// fault passes on an error that S3 has a word for. Any other is logged, and
// the client learns no more than that there was one.
func (d *durable) fault(op, key string, err error) error {
	var known s3err.S3Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	if errors.Is(err, context.Canceled) {
		d.logger.Debug("client disconnected", "op", op, "key", key)
	} else {
		d.logger.Error("embedded object store failed", "op", op, "key", key, "error", err)
	}
	return s3err.GetAPIError(s3err.ErrInternalError)
}

// uploadPath is where the file backend keeps a multipart upload, below the bucket.
func uploadPath(key, uploadID string) string {
	sum := sha256.Sum256([]byte(key))
	return filepath.Join(posix.MetaTmpMultipartDir, hex.EncodeToString(sum[:]), uploadID)
}

// PutObject keeps an object and syncs it.
func (d *durable) PutObject(ctx context.Context, in s3response.PutObjectInput) (s3response.PutObjectOutput, error) {
	bucket, key := *in.Bucket, *in.Key
	in.Bucket = d.folder(in.Bucket)
	out, err := d.files.PutObject(ctx, in)
	if err == nil {
		err = d.keep(bucket, key)
	}
	return out, d.fault("put", key, err)
}

// CopyObject keeps the bytes and the media type of an object under a second
// key and syncs it.
func (d *durable) CopyObject(ctx context.Context, in s3response.CopyObjectInput) (out s3response.CopyObjectOutput, err error) {
	defer func() { err = d.fault("copy", *in.Key, err) }()
	bucket, key, _, err := backend.ParseCopySource(*in.CopySource)
	if err != nil {
		return out, err
	}
	source, err := d.files.GetObject(ctx, &s3.GetObjectInput{Bucket: d.folder(&bucket), Key: &key})
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, source.Body.Close()) }()
	kept, err := d.PutObject(ctx, s3response.PutObjectInput{
		Bucket: in.Bucket, Key: in.Key, ContentType: source.ContentType,
		ContentLength: source.ContentLength, Body: source.Body,
	})
	if err != nil {
		return out, err
	}
	now := time.Now()
	out.CopyObjectResult = &s3response.CopyObjectResult{ETag: &kept.ETag, LastModified: &now}
	return out, nil
}

// CreateMultipartUpload begins an upload in parts and syncs its folder.
func (d *durable) CreateMultipartUpload(ctx context.Context, in s3response.CreateMultipartUploadInput) (s3response.InitiateMultipartUploadResult, error) {
	bucket, key := *in.Bucket, *in.Key
	in.Bucket = d.folder(in.Bucket)
	out, err := d.files.CreateMultipartUpload(ctx, in)
	if err == nil {
		upload := uploadPath(key, out.UploadId)
		// The folder of all uploads for a key says which key that is.
		err = errors.Join(d.keep(bucket, upload), d.attributes.syncObject(*in.Bucket, filepath.Dir(upload)))
	}
	out.Bucket = bucket
	return out, d.fault("begin upload", key, err)
}

// UploadPart keeps a part and syncs it.
func (d *durable) UploadPart(ctx context.Context, in *s3.UploadPartInput) (*s3.UploadPartOutput, error) {
	bucket, key := *in.Bucket, *in.Key
	in.Bucket = d.folder(in.Bucket)
	out, err := d.files.UploadPart(ctx, in)
	if err == nil {
		number := strconv.Itoa(int(*in.PartNumber))
		err = d.keep(bucket, filepath.Join(uploadPath(key, *in.UploadId), number))
	}
	return out, d.fault("upload part", key, err)
}

// CompleteMultipartUpload makes an object of the parts and syncs it.
func (d *durable) CompleteMultipartUpload(ctx context.Context, in *s3.CompleteMultipartUploadInput) (s3response.CompleteMultipartUploadResult, string, error) {
	bucket, key := *in.Bucket, *in.Key
	in.Bucket = d.folder(in.Bucket)
	out, version, err := d.files.CompleteMultipartUpload(ctx, in)
	if err == nil {
		// Should another request be completing the same upload, there is
		// nothing to sync yet: that is an error, and the client asks again.
		err = d.keep(bucket, key)
	}
	out.Bucket = &bucket
	return out, version, d.fault("complete upload", key, err)
}

// AbortMultipartUpload throws the parts away.
func (d *durable) AbortMultipartUpload(ctx context.Context, in *s3.AbortMultipartUploadInput) error {
	in.Bucket = d.folder(in.Bucket)
	return d.fault("abort upload", *in.Key, d.files.AbortMultipartUpload(ctx, in))
}

// ListMultipartUploads lists the uploads that have not ended.
func (d *durable) ListMultipartUploads(ctx context.Context, in *s3.ListMultipartUploadsInput) (s3response.ListMultipartUploadsResult, error) {
	bucket := *in.Bucket
	in.Bucket = d.folder(in.Bucket)
	out, err := d.files.ListMultipartUploads(ctx, in)
	out.Bucket = bucket
	return out, d.fault("list uploads", "", err)
}

// ListParts lists what is there of an upload.
func (d *durable) ListParts(ctx context.Context, in *s3.ListPartsInput) (s3response.ListPartsResult, error) {
	bucket := *in.Bucket
	in.Bucket = d.folder(in.Bucket)
	out, err := d.files.ListParts(ctx, in)
	out.Bucket = bucket
	return out, d.fault("list parts", *in.Key, err)
}

// HeadObject describes an object.
func (d *durable) HeadObject(ctx context.Context, in *s3.HeadObjectInput) (*s3.HeadObjectOutput, error) {
	in.Bucket = d.folder(in.Bucket)
	out, err := d.files.HeadObject(ctx, in)
	return out, d.fault("head", *in.Key, err)
}

// GetObject opens an object or a range of it.
func (d *durable) GetObject(ctx context.Context, in *s3.GetObjectInput) (*s3.GetObjectOutput, error) {
	in.Bucket = d.folder(in.Bucket)
	out, err := d.files.GetObject(ctx, in)
	return out, d.fault("get", *in.Key, err)
}

// ListObjectsV2 lists objects by prefix.
func (d *durable) ListObjectsV2(ctx context.Context, in *s3.ListObjectsV2Input) (s3response.ListObjectsV2Result, error) {
	bucket := *in.Bucket
	in.Bucket = d.folder(in.Bucket)
	out, err := d.files.ListObjectsV2(ctx, in)
	out.Name = &bucket
	return out, d.fault("list", "", err)
}

// DeleteObject removes an object and syncs the removal.
func (d *durable) DeleteObject(ctx context.Context, in *s3.DeleteObjectInput) (*s3.DeleteObjectOutput, error) {
	bucket, key := *in.Bucket, *in.Key
	in.Bucket = d.folder(in.Bucket)
	out, err := d.files.DeleteObject(ctx, in)
	if err == nil {
		err = d.forget(bucket, key)
	}
	return out, d.fault("delete", key, err)
}

// DeleteObjects removes objects and syncs their removal.
func (d *durable) DeleteObjects(ctx context.Context, in *s3.DeleteObjectsInput) (s3response.DeleteResult, error) {
	bucket := *in.Bucket
	in.Bucket = d.folder(in.Bucket)
	out, err := d.files.DeleteObjects(ctx, in)
	for _, object := range out.Deleted {
		err = errors.Join(err, d.forget(bucket, *object.Key))
	}
	return out, d.fault("delete", "", err)
}

// HeadBucket tells whether a bucket is there.
func (d *durable) HeadBucket(ctx context.Context, in *s3.HeadBucketInput) (*s3.HeadBucketOutput, error) {
	in.Bucket = d.folder(in.Bucket)
	out, err := d.files.HeadBucket(ctx, in)
	return out, d.fault("head bucket", "", err)
}

// CreateBucket makes a bucket and syncs it.
func (d *durable) CreateBucket(ctx context.Context, in *s3.CreateBucketInput, acl []byte) error {
	bucket := *in.Bucket
	in.Bucket = d.folder(in.Bucket)
	err := d.files.CreateBucket(ctx, in, acl)
	if err == nil {
		err = errors.Join(d.keep(bucket, ""), disk.Sync(d.root))
	}
	return d.fault("make bucket", "", err)
}

// GetBucketAcl tells whose bucket it is. The gateway asks for this and what
// follows on its way to the calls above.
func (d *durable) GetBucketAcl(ctx context.Context, in *s3.GetBucketAclInput) ([]byte, error) { //nolint:revive // the interface has it so
	acl, err := d.files.GetBucketAcl(ctx, &s3.GetBucketAclInput{Bucket: d.folder(in.Bucket)})
	return acl, d.fault("get bucket acl", "", err)
}

// GetBucketPolicy says that there is none.
func (d *durable) GetBucketPolicy(context.Context, string) ([]byte, error) {
	return nil, s3err.GetAPIError(s3err.ErrNoSuchBucketPolicy)
}

// GetBucketCors says that there is none.
func (d *durable) GetBucketCors(context.Context, string) ([]byte, error) {
	return nil, s3err.GetAPIError(s3err.ErrNoSuchCORSConfiguration)
}

// GetBucketVersioning says that there is none.
func (d *durable) GetBucketVersioning(context.Context, string) (s3response.GetBucketVersioningOutput, error) {
	return s3response.GetBucketVersioningOutput{}, s3err.GetAPIError(s3err.ErrVersioningNotConfigured)
}

// GetObjectLockConfiguration says that there is none.
func (d *durable) GetObjectLockConfiguration(context.Context, string) ([]byte, error) {
	return nil, s3err.GetAPIError(s3err.ErrObjectLockConfigurationNotFound)
}
