package media

import (
	"errors"
	"fmt"
	"os"
)

// ScratchFile makes an empty file in dir that has no name any more: however its
// process ends, nothing is left behind. The caller closes it.
func ScratchFile(dir string) (*os.File, error) {
	file, err := os.CreateTemp(dir, "hark-*")
	if err != nil {
		return nil, fmt.Errorf("create scratch file: %w", err)
	}
	if err := os.Remove(file.Name()); err != nil {
		return nil, errors.Join(fmt.Errorf("unlink scratch file: %w", err), file.Close())
	}
	return file, nil
}
