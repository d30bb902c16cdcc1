//go:build !linux

package confine

func helperMain() {}
