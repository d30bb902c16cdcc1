package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
)

const others = 0o077 // the permissions of everybody but the owner

// Tightened is what [Tighten] found. All are paths.
type Tightened struct {
	Changed []string // folders and files that others had permissions on, and have no more
	Exposed []string // files, directly in the folder, whose content others could read until now
	Loose   []string // whose mode cannot be changed, such as on some network mounts
}

// Tighten takes from everybody but the owner what permissions they have on
// dir, which must be there, and on the entries of it that are called names,
// and on all that lies below those that others could enter. A folder that only
// its owner may enter guards what is in it, so that below such a folder
// nothing is looked at. It is safe beside other processes.
//
// It refuses, and says what to do, when dir belongs to a user who is neither
// this process's nor root; when it is no folder of ours alone (shared like
// /tmp, or with the folders of other programs in it and none of names), since
// others would be shut out; and when others could read or replace what is in
// it and the mode cannot be changed.
//
// Symbolic links to dir and to its entries are followed if they belong to this
// user or to root; other links are left alone.
func Tighten(dir string, names []string) (Tightened, error) {
	t := tightener{uid: os.Geteuid()}
	err := t.data(dir, names)
	return t.found, err
}

// TightenFile does for one file, if it is there, what [Tighten] does for a
// folder.
func TightenFile(path string) error {
	t := tightener{uid: os.Geteuid()}
	folder, err := os.Stat(filepath.Dir(path))
	if err != nil {
		return err
	}
	t.guarded = folder.Mode().Perm()&0o011 == 0
	return ignoreGone(t.entry(path, false))
}

type tightener struct {
	uid     int
	guarded bool // nobody else can enter the data folder any more
	found   Tightened
}

func (t *tightener) data(dir string, names []string) error {
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	if err := t.checkOwner(dir, info); err != nil {
		return err
	}
	open := info.Mode().Perm()&others != 0
	if open {
		if err := t.closeData(dir, info, entries, names); err != nil {
			return err
		}
	}
	t.guarded = !open || len(t.found.Loose) == 0
	for _, e := range entries {
		if !slices.Contains(names, e.Name()) {
			continue
		}
		path := filepath.Join(dir, e.Name())
		if exposed(info, path) {
			t.found.Exposed = append(t.found.Exposed, path)
		}
		if err := ignoreGone(t.entry(path, open)); err != nil {
			return err
		}
	}
	return nil
}

// checkOwner refuses a folder whose owner could read and change all that is
// put into it. Some mounts show one owner whoever writes: then a new file has
// the folder's owner as well.
func (t *tightener) checkOwner(dir string, info fs.FileInfo) error {
	owner := ownerOf(info)
	if owner == t.uid || owner == 0 {
		return nil
	}
	probe, err := os.CreateTemp(dir, ".owner-*")
	if err == nil {
		made, statErr := probe.Stat()
		_ = probe.Close()
		_ = os.Remove(probe.Name())
		if statErr == nil && ownerOf(made) == owner {
			return nil
		}
	}
	return fmt.Errorf("%s belongs to user %d, and Hark runs as user %d: run it as user %d, or give the folder to user %d by 'chown -R'", dir, owner, t.uid, owner, t.uid)
}

func (t *tightener) closeData(dir string, info fs.FileInfo, entries []fs.DirEntry, names []string) error {
	if info.Mode()&fs.ModeSticky != 0 || dir == filepath.Dir(dir) {
		return fmt.Errorf("%s is a folder that everybody shares: use one of Hark's own, such as %s", dir, filepath.Join(dir, "hark"))
	}
	if stranger := foreignFolder(entries, names); stranger != "" {
		return fmt.Errorf("%s can be entered by others (mode %04o) and holds %q, which is not Hark's: use a folder of Hark's own, such as %s, or shut others out by 'chmod 700 %s'",
			dir, info.Mode().Perm(), stranger, filepath.Join(dir, "hark"), dir)
	}
	after, err := t.chmod(dir, info)
	if err != nil {
		return err
	}
	if after.Mode().Perm()&0o002 != 0 {
		return fmt.Errorf("everybody may change what is in %s (mode %04o), which belongs to user %d: 'chmod 700' it and give it to user %d, or use a folder in it", dir, after.Mode().Perm(), ownerOf(after), t.uid)
	}
	return nil
}

// foreignFolder names a folder that is not ours, in a folder in which nothing
// is ours; it is empty when there is none.
func foreignFolder(entries []fs.DirEntry, names []string) (stranger string) {
	for _, e := range entries {
		switch {
		case slices.Contains(names, e.Name()):
			return ""
		case e.IsDir() && e.Name() != "lost+found":
			stranger = e.Name()
		}
	}
	return stranger
}

// entry tightens a file or folder, and what lies below it when others could
// enter it or when deep.
func (t *tightener) entry(path string, deep bool) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		if owner := ownerOf(info); owner != t.uid && owner != 0 {
			return fmt.Errorf("%s is a symbolic link of user %d: remove it", path, owner)
		}
		if path, err = filepath.EvalSymlinks(path); err != nil {
			return err
		}
		if info, err = os.Lstat(path); err != nil {
			return err
		}
	}
	return t.tree(path, info, deep)
}

func (t *tightener) tree(path string, info fs.FileInfo, deep bool) error {
	if !info.IsDir() && !info.Mode().IsRegular() {
		return nil
	}
	if info.Mode().Perm()&others != 0 {
		deep = true
		after, err := t.chmod(path, info)
		if err != nil {
			return err
		}
		if bits := after.Mode().Perm(); !t.guarded && (bits&0o002 != 0 || !after.IsDir() && bits&0o004 != 0) {
			return fmt.Errorf("everybody may read or change %s (mode %04o), and its mode cannot be changed: mount its file system with modes 0600 and 0700, or use another folder", path, bits)
		}
	}
	if !info.IsDir() || !deep {
		return nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return err
	}
	for _, e := range entries {
		info, err := e.Info()
		if err == nil {
			err = t.tree(filepath.Join(path, e.Name()), info, deep)
		}
		if ignoreGone(err) != nil {
			return err
		}
	}
	return nil
}

// chmod takes the permissions of others away and returns what is there then.
// That a file system does not do it, with an error or without one, is noted.
func (t *tightener) chmod(path string, info fs.FileInfo) (fs.FileInfo, error) {
	err := os.Chmod(path, info.Mode()&^others)
	if err != nil && !unchangeable(err) {
		return nil, err
	}
	after, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if after.Mode().Perm()&others != 0 {
		t.found.Loose = append(t.found.Loose, path)
	} else {
		t.found.Changed = append(t.found.Changed, path)
	}
	return after, nil
}

// unchangeable reports whether a mode was left as it is because the file is
// another's or the file system has no modes.
func unchangeable(err error) bool {
	for _, reason := range []error{syscall.EPERM, syscall.EACCES, syscall.ENOTSUP, syscall.EOPNOTSUPP, syscall.ENOSYS, syscall.EROFS} {
		if errors.Is(err, reason) {
			return true
		}
	}
	return false
}

// exposed reports whether others could read a file in a folder.
func exposed(folder fs.FileInfo, path string) bool {
	file, err := os.Stat(path)
	if err != nil || !file.Mode().IsRegular() {
		return false
	}
	enter, read := folder.Mode().Perm(), file.Mode().Perm()
	return enter&0o010 != 0 && read&0o040 != 0 || enter&0o001 != 0 && read&0o004 != 0
}

// ignoreGone forgets that a file was removed by another meanwhile.
func ignoreGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func ownerOf(info fs.FileInfo) int { return int(info.Sys().(*syscall.Stat_t).Uid) }
