package config

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"hark/storage/disk"
)

// KeysName is the file of the instance's keys in the data folder.
const KeysName = "keys.json"

// dataEntries is all that Hark keeps in its data folder by default.
var dataEntries = []string{
	"hark.db", "hark.db-wal", "hark.db-shm", "hark.lock", KeysName,
	"objects", "nats", "live", "scratch", "models",
}

// MakeData makes the data folder, or shuts others out of the one that is
// there. It returns the paths of the files in it that others could read until
// now.
func (c *DatabaseConfig) MakeData(log *slog.Logger) (exposed []string, err error) {
	if err := disk.MakeDir(c.Data); err != nil {
		return nil, fmt.Errorf("make data folder: %w", err)
	}
	found, err := disk.Tighten(c.Data, c.entries())
	if err != nil {
		return nil, fmt.Errorf("data folder (HARK_DATA): %w", err)
	}
	if n := len(found.Changed); n > 0 {
		log.Warn("others could reach files of the data folder; now only their owner can", "files", n, "first", found.Changed[0])
	}
	if n := len(found.Loose); n > 0 {
		log.Warn("the file system does not let others be shut out of files of the data folder", "files", n, "first", found.Loose[0])
	}
	return found.Exposed, nil
}

// entries is what others are shut out of. A link to a folder of models leads
// to one that others share.
func (c *DatabaseConfig) entries() []string {
	info, err := os.Lstat(filepath.Join(c.Data, "models"))
	if err == nil && info.Mode()&fs.ModeSymlink != 0 {
		return dataEntries[:len(dataEntries)-1]
	}
	return dataEntries
}

// Exists keeps a folder that was mistyped from becoming an empty Hark.
func (c *DatabaseConfig) Exists() error {
	if err := c.Resolve(); err != nil {
		return err
	}
	path, embedded := strings.CutPrefix(c.DatabaseURL, "sqlite://")
	if !embedded {
		return nil
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no Hark in %s; set HARK_DATA to its folder, or let 'hark serve' make one", filepath.Dir(path))
	}
	return nil
}
