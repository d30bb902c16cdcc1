package main

import "context"

type benchSearchCmd struct{}

// Run is next.
func (b *benchSearchCmd) Run(ctx context.Context) error { return nil }
