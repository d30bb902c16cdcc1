package embedded

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/pkg/xattr"
	"github.com/versity/versitygw/backend/meta"

	"hark/storage/disk"
)

// metaStore is where the gateway keeps media types and sums.
type metaStore interface {
	meta.MetadataStorer

	// syncObject makes the attributes of a path in a bucket last.
	syncObject(bucket, path string) error
	// syncRemoved makes the removal of a path's attributes last.
	syncRemoved(bucket, path string) error
}

// openMetaStore chooses how attributes are kept: on the files themselves, or,
// where the file system of root knows no extended attributes (some tmpfs,
// some container layers), in files of their own under side. A folder that
// began with the second way stays with it.
func openMetaStore(root, side string) (metaStore, error) {
	if _, err := os.Stat(side); err == nil {
		return openSidecar(root, side)
	}
	err := tryAttributes(root)
	switch {
	case err == nil:
		return onFile{}, nil
	case !errors.Is(err, syscall.ENOTSUP) && !errors.Is(err, syscall.EPERM):
		return nil, fmt.Errorf("try extended attributes: %w", err)
	}
	if err := disk.MakeDir(side); err != nil {
		return nil, err
	}
	return openSidecar(root, side)
}

func tryAttributes(root string) (err error) {
	f, err := os.CreateTemp(root, ".try-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	return xattr.FSet(f, "user.hark", []byte("?"))
}

// onFile keeps attributes on the files, where syncing the file syncs them.
type onFile struct{ meta.XattrMeta }

func (onFile) syncObject(_, _ string) error  { return nil }
func (onFile) syncRemoved(_, _ string) error { return nil }

// sidecar keeps the attributes of object o of bucket b in side/b/o/meta/. The
// gateway is given absolute buckets (see durable), which are made relative
// again here, so that the folder can be moved.
type sidecar struct {
	meta.SideCar
	root, side string
}

func openSidecar(root, side string) (metaStore, error) {
	files, err := meta.NewSideCar(side)
	if err != nil {
		return nil, err
	}
	return sidecar{SideCar: files, root: root, side: side}, nil
}

func (s sidecar) syncObject(bucket, path string) error {
	dir := filepath.Join(s.side, s.rel(bucket), path, "meta")
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) { // it has none
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := disk.Sync(filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	return disk.SyncChain(s.side, dir)
}

func (s sidecar) syncRemoved(bucket, path string) error {
	return disk.SyncNearest(s.side, filepath.Join(s.side, s.rel(bucket), path))
}

func (s sidecar) rel(bucket string) string {
	if rel, err := filepath.Rel(s.root, bucket); err == nil && filepath.IsLocal(rel) {
		return rel
	}
	return bucket
}

// RetrieveAttribute implements meta.MetadataStorer.
func (s sidecar) RetrieveAttribute(f *os.File, bucket, object, attribute string) ([]byte, error) {
	return s.SideCar.RetrieveAttribute(f, s.rel(bucket), object, attribute)
}

// StoreAttribute implements meta.MetadataStorer.
func (s sidecar) StoreAttribute(f *os.File, bucket, object, attribute string, value []byte) error {
	return s.SideCar.StoreAttribute(f, s.rel(bucket), object, attribute, value)
}

// DeleteAttribute implements meta.MetadataStorer.
func (s sidecar) DeleteAttribute(bucket, object, attribute string) error {
	return s.SideCar.DeleteAttribute(s.rel(bucket), object, attribute)
}

// ListAttributes implements meta.MetadataStorer.
func (s sidecar) ListAttributes(bucket, object string) ([]string, error) {
	return s.SideCar.ListAttributes(s.rel(bucket), object)
}

// DeleteAttributes implements meta.MetadataStorer.
func (s sidecar) DeleteAttributes(bucket, object string) error {
	return s.SideCar.DeleteAttributes(s.rel(bucket), object)
}

// RenameObject implements meta.MetadataStorer.
func (s sidecar) RenameObject(bucket, oldObject, newObject string) error {
	return s.SideCar.RenameObject(s.rel(bucket), oldObject, newObject)
}
