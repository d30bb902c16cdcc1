//go:build !linux

package decode

func probeMain() {}
