package disk_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hark/storage/disk"
)

var ours = []string{"hark.db", "objects", "link"}

// folder makes a folder with files of the given modes; those that end in a
// slash are folders.
func folder(t *testing.T, mode fs.FileMode, entries map[string]fs.FileMode) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	make := func(path string, mode fs.FileMode) {
		t.Helper()
		err := os.MkdirAll(path, 0o700)
		if err == nil {
			err = os.Chmod(path, mode)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	make(dir, 0o700)
	for name, mode := range entries {
		path := filepath.Join(dir, name)
		if strings.HasSuffix(name, "/") {
			make(path, mode)
			continue
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("x"), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	make(dir, mode)
	return dir
}

func modeOf(t *testing.T, path string) fs.FileMode {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode().Perm()
}

func TestTighten(t *testing.T) {
	dir := folder(t, 0o755, map[string]fs.FileMode{
		"hark.db": 0o644, "objects/": 0o750, "objects/deep/": 0o700, "objects/deep/clip": 0o664, "stranger": 0o644,
	})
	found, err := disk.Tighten(dir, ours)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]fs.FileMode{
		"": 0o700, "hark.db": 0o600, "objects": 0o700, "objects/deep/clip": 0o600, "stranger": 0o644,
	} {
		if got := modeOf(t, filepath.Join(dir, name)); got != want {
			t.Errorf("%q has mode %04o, want %04o", name, got, want)
		}
	}
	if want := []string{filepath.Join(dir, "hark.db")}; !slices.Equal(found.Exposed, want) {
		t.Errorf("exposed: %v", found.Exposed)
	}
	if len(found.Changed) != 4 || len(found.Loose) != 0 {
		t.Errorf("found %+v", found)
	}
	if again, err := disk.Tighten(dir, ours); err != nil || len(again.Changed)+len(again.Exposed) != 0 {
		t.Errorf("the second time: %+v, %v", again, err)
	}
}

// TestTightenBehindClosedDoors has a folder that nobody else can enter: its
// files are tightened, but nobody could read them.
func TestTightenBehindClosedDoors(t *testing.T) {
	dir := folder(t, 0o700, map[string]fs.FileMode{"hark.db": 0o644, "objects/": 0o700, "objects/clip": 0o644})
	found, err := disk.Tighten(dir, ours)
	if err != nil || len(found.Exposed) != 0 || len(found.Changed) != 1 {
		t.Errorf("%+v, %v", found, err)
	}
	if got := modeOf(t, filepath.Join(dir, "hark.db")); got != 0o600 {
		t.Errorf("the file has mode %04o", got)
	}
}

func TestTightenRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		mode    fs.FileMode
		entries map[string]fs.FileMode
		says    string
	}{
		"shared":               {0o777 | fs.ModeSticky, nil, "everybody shares"},
		"another program's":    {0o755, map[string]fs.FileMode{"postgresql/": 0o755}, `"postgresql"`},
		"a home":               {0o755, map[string]fs.FileMode{".config/": 0o755, "note.txt": 0o644}, `".config"`},
		"closed, another's":    {0o700, map[string]fs.FileMode{"postgresql/": 0o755}, ""},
		"ours beside others":   {0o755, map[string]fs.FileMode{"postgresql/": 0o755, "hark.db": 0o600}, ""},
		"a file system's root": {0o755, map[string]fs.FileMode{"lost+found/": 0o700}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := folder(t, c.mode, c.entries)
			_, err := disk.Tighten(dir, ours)
			if c.says == "" {
				if err != nil || modeOf(t, dir) != 0o700 {
					t.Errorf("mode %04o, %v", modeOf(t, dir), err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.says) || modeOf(t, dir) != c.mode.Perm() {
				t.Errorf("mode %04o, %v", modeOf(t, dir), err)
			}
		})
	}
}

func TestTightenFollowsOwnLinks(t *testing.T) {
	elsewhere := folder(t, 0o755, map[string]fs.FileMode{"objects/": 0o755, "objects/clip": 0o644, "objects/more": 0o644})
	dir := folder(t, 0o755, map[string]fs.FileMode{"objects/": 0o755})
	if err := os.Symlink(filepath.Join(elsewhere, "objects"), filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(elsewhere, "objects", "more"), filepath.Join(dir, "objects", "deep")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/nowhere", filepath.Join(dir, "hark.db")); err != nil {
		t.Fatal(err)
	}
	outer := filepath.Join(t.TempDir(), "outer")
	if err := os.Symlink(dir, outer); err != nil {
		t.Fatal(err)
	}
	if _, err := disk.Tighten(outer, ours); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]fs.FileMode{
		dir: 0o700, filepath.Join(elsewhere, "objects"): 0o700, filepath.Join(elsewhere, "objects/clip"): 0o600, elsewhere: 0o755,
	} {
		if got := modeOf(t, path); got != want {
			t.Errorf("%s has mode %04o, want %04o", path, got, want)
		}
	}
}

// TestTightenOfAnother needs root, who can give a folder to another user.
func TestTightenOfAnother(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give files to another user")
	}
	give := func(path string) {
		t.Helper()
		if err := os.Lchown(path, 1234, 1234); err != nil {
			t.Fatal(err)
		}
	}
	dir := folder(t, 0o700, nil)
	give(dir)
	if _, err := disk.Tighten(dir, ours); err == nil || !strings.Contains(err.Error(), "belongs to user 1234") {
		t.Errorf("another's folder: %v", err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
	dir = folder(t, 0o755, nil)
	link := filepath.Join(dir, "hark.db")
	if err := os.Symlink("/etc/passwd", link); err != nil {
		t.Fatal(err)
	}
	give(link)
	if _, err := disk.Tighten(dir, ours); err == nil || !strings.Contains(err.Error(), "symbolic link of user 1234") {
		t.Errorf("another's link: %v", err)
	}
	if got := modeOf(t, "/etc/passwd"); got != 0o644 {
		t.Errorf("what it leads to has mode %04o", got)
	}
}

func TestTightenFile(t *testing.T) {
	dir := folder(t, 0o755, map[string]fs.FileMode{"hark.db": 0o644})
	for _, name := range []string{"hark.db", "none"} {
		if err := disk.TightenFile(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	if got := modeOf(t, filepath.Join(dir, "hark.db")); got != 0o600 {
		t.Errorf("the file has mode %04o", got)
	}
	if got := modeOf(t, dir); got != 0o755 {
		t.Errorf("its folder has mode %04o", got)
	}
}
