package confine

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// rootMount is where the new root is put together: a folder that every system
// has, and whose content is not needed any more by then.
const rootMount = "/proc"

// part is a file or folder that the new root shows.
type part struct {
	path string
	link string // for a symbolic link, what it says
	dir  bool
	tree int // descriptor of a detached mount of it, for all but links
}

// enterEmptyRoot gives the process, which is alone in its mount namespace, a
// root that shows the program's build read-only and, of /proc, the process's
// own open files. There is nothing else, and nothing can be made there.
func enterEmptyRoot(b build) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	parts, err := openParts(append(b.executables(), b.Paths...))
	if err != nil {
		return err
	}
	options := "mode=755,size=256k,nr_inodes=1k"
	if err := unix.Mount("hark", rootMount, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, options); err != nil {
		return fmt.Errorf("mount an empty root: %w", err)
	}
	if err := unix.Chdir(rootMount); err != nil {
		return fmt.Errorf("enter the empty root: %w", err)
	}
	for _, p := range parts {
		if err := p.attach(); err != nil {
			return fmt.Errorf("mount %s: %w", p.path, err)
		}
	}
	// The new root goes on top of the old one, which is then taken away.
	if err := unix.PivotRoot(".", "."); err != nil {
		return fmt.Errorf("change root: %w", err)
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return fmt.Errorf("leave the old root: %w", err)
	}
	if err := unix.Chdir("/"); err != nil {
		return fmt.Errorf("enter the new root: %w", err)
	}
	if err := unix.MountSetattr(unix.AT_FDCWD, "/", 0, &unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY}); err != nil {
		return fmt.Errorf("make the new root read-only: %w", err)
	}
	return nil
}

// openParts opens what lies at the paths, as far as it exists, and the
// process's own files.
func openParts(paths []string) ([]part, error) {
	var parts []part
	for _, path := range append(resolveLinks(paths), "/proc/self/fd") {
		within := slices.ContainsFunc(parts, func(p part) bool { return p.dir && strings.HasPrefix(path, p.path+"/") })
		if within {
			continue
		}
		p, err := openPart(path)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("open %s: %w", path, err)
		}
		parts = append(parts, p)
	}
	return parts, nil
}

// resolveLinks returns the paths with what they lead to, in order, without any
// that lies behind a symbolic link.
func resolveLinks(paths []string) []string {
	var all []string
	for _, path := range paths {
		dir, err := filepath.EvalSymlinks(filepath.Dir(path))
		if err != nil {
			continue // there is no such path
		}
		all = append(all, filepath.Join(dir, filepath.Base(path)))
		if file, err := filepath.EvalSymlinks(path); err == nil {
			all = append(all, file)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func openPart(path string) (part, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return part{}, err
	}
	p := part{path: path, dir: info.IsDir()}
	if info.Mode()&os.ModeSymlink != 0 {
		p.link, err = os.Readlink(path)
		return p, err
	}
	p.tree, err = unix.OpenTree(unix.AT_FDCWD, path, unix.OPEN_TREE_CLONE|unix.O_CLOEXEC|unix.AT_RECURSIVE)
	if err != nil {
		return part{}, err
	}
	attr := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY | unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV}
	return p, unix.MountSetattr(p.tree, "", unix.AT_EMPTY_PATH|unix.AT_RECURSIVE, &attr)
}

// attach puts the part at its place in the folder that will be the root.
func (p part) attach() error {
	place := strings.TrimPrefix(p.path, "/")
	if err := os.MkdirAll(filepath.Dir(place), 0o755); err != nil {
		return err
	}
	if p.link != "" {
		return os.Symlink(p.link, place)
	}
	defer unix.Close(p.tree)
	if p.dir {
		if err := os.MkdirAll(place, 0o755); err != nil {
			return err
		}
	} else if err := os.WriteFile(place, nil, 0o644); err != nil {
		return err
	}
	return unix.MoveMount(p.tree, "", unix.AT_FDCWD, place, unix.MOVE_MOUNT_F_EMPTY_PATH)
}
