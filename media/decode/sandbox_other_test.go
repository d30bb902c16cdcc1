//go:build !linux

package decode

func helperMain() {}
