package main

import (
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"hark/storage/disk"
)

// keysName is the file of the instance's keys in the data folder.
const keysName = "keys.json"

// dataEntries is all that Hark keeps in its data folder by default.
var dataEntries = []string{
	"hark.db", "hark.db-wal", "hark.db-shm", "hark.lock", keysName,
	"objects", "nats", "live", "scratch", "models",
}

// makeData makes the data folder, or shuts others out of the one that is
// there. It returns the paths of the files in it that others could read until
// now.
func (c *DatabaseConfig) makeData(log *slog.Logger) (exposed []string, err error) {
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
