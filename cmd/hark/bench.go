package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"hark/transcribe"
)

// benchCmd measures Hark as its users meet it: each measurement starts a Hark
// of its own over a temporary folder and speaks HTTP to it.
type benchCmd struct {
	WER      benchWERCmd      `cmd:"" name:"wer" help:"Word error rate, speed and word-time error on a folder of clips with their words."`
	Prompts  benchPromptsCmd  `cmd:"" help:"Make a folder for 'bench wer' of the telephone prompts that Debian packages."`
	NoSpeech benchNoSpeechCmd `cmd:"" name:"no-speech" help:"Words invented in silence, noise and tones."`
	Pipeline benchPipelineCmd `cmd:"" help:"Time from 201 to ready beside the pure recogniser's time, and memory."`
	Search   benchSearchCmd   `cmd:"" help:"Time to answer searches, by class of query."`
	Seed     benchSeedCmd     `cmd:"" help:"Fill a conversation of this Hark with messages, beside a running server or without."`
	Live     benchLiveCmd     `cmd:"" help:"Speak clips over WebRTC: how soon captions come, and how soon the message is ready and found."`
	WHIP     benchWHIPCmd     `cmd:"" name:"whip" help:"What recording costs: many speak over WebRTC at once, without captions."`
}

// benchConfig is common to the measurements that start a Hark.
type benchConfig struct {
	Models string `env:"HARK_MODELS" default:"./data/models" placeholder:"DIR" help:"Folder of speech models."`
	Model  string `env:"HARK_MODEL" default:"moonshine-base-en" help:"Model to listen with."`
	Keep   bool   `help:"Keep the temporary folder, and say where it is."`
}

// benchTarget is a fresh instance with its only conversation.
type benchTarget struct {
	hark         *instance
	client       *client
	conversation conversation
}

// start starts a fresh instance, with more settings as KEY=value; end ends it
// and removes its folder.
func (b *benchConfig) start(ctx context.Context, env ...string) (_ benchTarget, end func(), err error) {
	models, err := filepath.Abs(b.Models)
	if err != nil {
		return benchTarget{}, nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return benchTarget{}, nil, err
	}
	dir, err := os.MkdirTemp("", "hark-bench-")
	if err != nil {
		return benchTarget{}, nil, err
	}
	// A failed start leaves the folder, whose log the error names.
	hark, err := startInstance(ctx, instanceConfig{
		binary: self, data: dir,
		env: append([]string{"HARK_MODELS=" + models, "HARK_MODEL=" + b.Model, "HARK_MAX_DURATION=24h"}, env...),
	})
	if err != nil {
		return benchTarget{}, nil, err
	}
	end = func() {
		hark.kill()
		if b.Keep {
			fmt.Fprintln(os.Stderr, "kept", dir)
			return
		}
		os.RemoveAll(dir)
	}
	target := benchTarget{hark: hark}
	if target.client, err = hark.client(); err == nil {
		target.conversation, err = target.client.findConversation(ctx, "")
	}
	if err != nil {
		end()
		return benchTarget{}, nil, err
	}
	return target, end, nil
}

// upload sends a clip as one request body and returns when it is acknowledged.
func (c *client) upload(ctx context.Context, conversationID, file string) (message, error) {
	f, err := os.Open(file)
	if err != nil {
		return message{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return message{}, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+"/conversations/"+conversationID+"/messages", io.NopCloser(f))
	if err != nil {
		return message{}, err
	}
	req.ContentLength = info.Size()
	req.Header.Set("Content-Type", "application/octet-stream")
	var msg message
	return msg, c.do(req, &msg)
}

// await asks until the message's work is over: often at first, so that what is
// measured is the work, and less often the longer it takes, so that asking is no
// work to speak of.
func (c *client) await(ctx context.Context, id string) (message, error) {
	began := time.Now()
	for {
		var msg message
		if err := c.get(ctx, "/messages/"+id, nil, &msg); err != nil {
			return msg, err
		}
		switch {
		case msg.State == "ready":
			return msg, nil
		case msg.State == "failed" && msg.Failure != nil:
			return msg, fmt.Errorf("message %s failed: %s", id, msg.Failure.Reason)
		}
		select {
		case <-ctx.Done():
			return msg, context.Cause(ctx)
		case <-time.After(min(max(10*time.Millisecond, time.Since(began)/100), time.Second)):
		}
	}
}

func (c *client) transcript(ctx context.Context, messageID string) (transcribe.Transcript, error) {
	var t transcribe.Transcript
	return t, c.get(ctx, "/messages/"+messageID+"/transcript", nil, &t)
}
