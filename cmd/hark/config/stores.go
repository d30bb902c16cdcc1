package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// StoresConfig says where records and objects are, for the commands that
// compare the two.
type StoresConfig struct {
	DatabaseConfig `group:"Records"`

	S3 S3Config `embed:"" prefix:"s3-" envprefix:"HARK_S3_" group:"Objects"`
}

// Resolve checks what can be checked before anything opens, and keeps a folder
// that was mistyped from becoming an empty Hark.
func (c *StoresConfig) Resolve() error {
	if err := c.DatabaseConfig.Resolve(); err != nil {
		return err
	}
	var errs []error
	c.S3.check(func(key, format string, args ...any) {
		errs = append(errs, fmt.Errorf("%s: %s", key, fmt.Sprintf(format, args...)))
	})
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("configuration:\n%w", err)
	}
	if c.S3.Endpoint != "" {
		return nil
	}
	if _, err := os.Stat(filepath.Join(c.Data, "objects")); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there are no recordings in %s; set HARK_DATA to Hark's folder, or HARK_S3_ENDPOINT to its object store", c.Data)
	}
	return nil
}
