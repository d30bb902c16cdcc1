package main

import (
	"context"
	"fmt"

	"hark/cmd/hark/bench"
	"hark/storage/sqldb"
)

// benchCommands are all of 'hark bench'.
type benchCommands struct {
	bench.Commands
	Seed seedCmd `cmd:"" help:"Fill a conversation with generated messages, with or without a running server."`
}

// seedCmd fills a conversation, to see how a page or a program bears it.
type seedCmd struct {
	AdminConfig
	Messages     int    `default:"5000" help:"Messages to make, of about 60 words and without sound."`
	Conversation string `arg:"" help:"Id of the conversation."`
}

// Run makes the messages, as the owner's.
func (b *seedCmd) Run(ctx context.Context) error {
	db, owner, err := b.openUser(ctx, "")
	if err != nil {
		return err
	}
	defer db.Close()
	corpus := bench.NewCorpus()
	const batch = 500
	for done := 0; done < b.Messages; done += batch {
		var messages []sqldb.Imported
		for range min(batch, b.Messages-done) {
			messages = append(messages, corpus.Message(b.Conversation))
		}
		if err := db.Import(ctx, principal(owner), messages); err != nil {
			return fmt.Errorf("seed: %w", err)
		}
	}
	return nil
}
