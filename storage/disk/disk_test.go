package disk_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"hark/storage/disk"
)

func TestMakeDir(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	for range 2 {
		if err := disk.MakeDir(dir); err != nil {
			t.Fatal(err)
		}
	}
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info, err)
	}
	t.Chdir(dir)
	if err := disk.MakeDir("c/d"); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile("file", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := disk.MakeDir("file/d"); err == nil {
		t.Error("a folder in a file was made")
	}
}

func TestSyncNearest(t *testing.T) {
	root := t.TempDir()
	if err := disk.MakeDir(filepath.Join(root, "a")); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"a", "a/gone", "a/gone/too", ""} {
		if err := disk.SyncNearest(root, filepath.Join(root, path)); err != nil {
			t.Errorf("%q: %v", path, err)
		}
	}
	if err := disk.SyncChain(root, filepath.Join(root, "gone")); err == nil {
		t.Error("what is not there was synced")
	}
}

func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "name")
	for _, text := range []string{"first", "second"} {
		if err := disk.WriteFile(path, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != text {
			t.Errorf("%q, %v", got, err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := disk.WriteFile(filepath.Join(dir, "folder"), nil); err == nil {
		t.Error("a folder was written over")
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 2 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

func TestLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	lock, err := disk.Lock(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := disk.Lock(path); !errors.Is(err, disk.ErrLocked) {
		t.Errorf("locked twice: %v", err)
	}
	if err := lock.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := disk.Lock(path)
	if err != nil {
		t.Fatalf("after it was given back: %v", err)
	}
	again.Close()
	if _, err := disk.Lock(filepath.Join(path, "none")); err == nil || errors.Is(err, disk.ErrLocked) {
		t.Errorf("a lock where none can be: %v", err)
	}
}

func TestClaim(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	lock, err := disk.Claim(dir)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info, err)
	}
	if _, err := disk.Claim(dir); !errors.Is(err, disk.ErrLocked) {
		t.Errorf("claimed twice: %v", err)
	}
	if err := lock.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := disk.Claim(dir)
	if err != nil {
		t.Fatal(err)
	}
	again.Close()
}
