package confine

import (
	"debug/elf"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// build is what a program is made of: all that a confined child can see.
type build struct {
	Program string   // the file itself, absolute and without symbolic links
	Loader  string   // what the kernel starts to load it; empty for a static program
	Paths   []string // files and folders of libraries; some may not exist
}

// executables are the files that the kernel must be let execute.
func (b build) executables() []string {
	if b.Loader == "" {
		return []string{b.Program}
	}
	return []string{b.Program, b.Loader}
}

// libraryPaths is where C libraries look for libraries and for where those
// are. Debian's alternatives are symbolic links to libraries.
var libraryPaths = []string{
	"/lib", "/lib32", "/lib64", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/local/lib",
	"/etc/ld.so.cache", "/etc/ld.so.preload", "/etc/alternatives", "/etc/ld-musl-x86_64.path", "/etc/ld-musl-aarch64.path",
}

// buildOf finds out what the program at an absolute path is made of: it, its
// loader, the system's folders of libraries, those that it names itself, and
// lib beside its own folder.
func buildOf(program string) (build, error) {
	file, err := filepath.EvalSymlinks(program)
	if err != nil {
		return build{}, err
	}
	b := build{Program: file, Paths: slices.Clone(libraryPaths)}
	b.Paths = append(b.Paths, filepath.Join(filepath.Dir(filepath.Dir(file)), "lib"))
	image, err := elf.Open(file)
	if err != nil {
		return b, nil // no ELF file: executing it tells what is wrong
	}
	defer func() { _ = image.Close() }() // it was only read
	b.Loader = loaderOf(image)
	for _, tag := range []elf.DynTag{elf.DT_RUNPATH, elf.DT_RPATH} {
		lists, err := image.DynString(tag)
		if err != nil {
			continue
		}
		for _, list := range lists {
			for dir := range strings.SplitSeq(list, ":") {
				dir = filepath.Clean(strings.NewReplacer("$ORIGIN", filepath.Dir(file), "${ORIGIN}", filepath.Dir(file)).Replace(dir))
				if filepath.IsAbs(dir) && dir != "/" {
					b.Paths = append(b.Paths, dir)
				}
			}
		}
	}
	return b, nil
}

// loaderOf is the program's interpreter, if that is there.
func loaderOf(image *elf.File) string {
	for _, segment := range image.Progs {
		if segment.Type != elf.PT_INTERP || segment.Filesz > 4096 {
			continue
		}
		name := make([]byte, segment.Filesz)
		if _, err := segment.ReadAt(name, 0); err != nil {
			return ""
		}
		loader := strings.TrimRight(string(name), "\x00")
		if _, err := os.Stat(loader); err == nil && filepath.IsAbs(loader) {
			return loader
		}
	}
	return ""
}
