package main

import (
	"context"
	"fmt"

	"hark/storage/sqldb"
)

// benchSeedCmd fills a conversation, to see how a page or a program bears it.
type benchSeedCmd struct {
	AdminConfig
	Messages     int    `default:"5000" help:"Messages to make, of about 60 words and without sound."`
	Conversation string `arg:"" help:"Id of the conversation."`
}

// Run makes the messages, as the owner's.
func (b *benchSeedCmd) Run(ctx context.Context) error {
	db, owner, err := b.openUser(ctx, "")
	if err != nil {
		return err
	}
	defer db.Close()
	corpus := newCorpus()
	const batch = 500
	for done := 0; done < b.Messages; done += batch {
		var messages []sqldb.Imported
		for range min(batch, b.Messages-done) {
			messages = append(messages, corpus.message(b.Conversation))
		}
		if err := db.Import(ctx, actor(owner), messages); err != nil {
			return fmt.Errorf("seed: %w", err)
		}
	}
	return nil
}
