package onnx

import (
	"fmt"
	"runtime"
	"sync"

	ort "github.com/yalue/onnxruntime_go"
)

// opening lets one goroutine at a time set ONNX Runtime up: the binding keeps
// the library and its environment in variables of its own, one to a process.
var opening sync.Mutex

// OpenRuntime sets ONNX Runtime up for this process, unless that is done.
// It
// stays for the life of the process, which has the library loaded anyway.
//
// An empty path means the library under its plain name. The dynamic linker
// answers with the copy that the process has loaded already, if it has, and
// else looks where the program says (its rpath) and where the system keeps
// libraries.
func OpenRuntime(library string) error {
	opening.Lock()
	defer opening.Unlock()
	if ort.IsInitialized() {
		return nil
	}
	if library == "" {
		library = libraryName()
	}
	ort.SetSharedLibraryPath(library)
	if err := ort.InitializeEnvironment(ort.WithLogLevelError()); err != nil {
		return fmt.Errorf("open ONNX Runtime from %s: %w", library, err)
	}
	return nil
}

func libraryName() string {
	switch runtime.GOOS {
	case "windows":
		return "onnxruntime.dll"
	case "darwin":
		return "libonnxruntime.dylib"
	default:
		return "libonnxruntime.so"
	}
}
