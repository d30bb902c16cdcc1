package moonshine

// OpenRuntime sets ONNX Runtime up for this process, unless that is done, from
// a shared library; empty means the one that the process has loaded. [Load]
// does so by itself: this is for others who run models beside it.
func OpenRuntime(library string) error { return openLibrary(library) }
