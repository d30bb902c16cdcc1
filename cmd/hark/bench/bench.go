// Package bench measures Hark as its users meet it: the commands of 'hark bench'
// start a Hark of their own over a temporary folder and speak HTTP to it.
package bench

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"hark/cmd/hark/client"
	"hark/cmd/hark/instance"
)

// Commands are the measurements: each starts a Hark
// of its own over a temporary folder and speaks HTTP to it.
type Commands struct {
	WER      werCmd      `cmd:"" name:"wer" help:"Word error rate, speed and word-time error on a folder of clips with their text."`
	Cases    casesCmd    `cmd:"" help:"Check a folder of difficult recordings against their expected results."`
	Prompts  promptsCmd  `cmd:"" help:"Word accuracy by length on Debian's telephone prompts, or a folder of them for 'bench wer'."`
	NoSpeech noSpeechCmd `cmd:"" name:"no-speech" help:"Words invented in silence, noise and music."`
	Pipeline pipelineCmd `cmd:"" help:"Time from upload to ready compared with the engine alone, and memory."`
	Search   searchCmd   `cmd:"" help:"Search latency by class of query."`
	People   peopleCmd   `cmd:"" help:"Latency of the lists of members, invitations, usage and the audit log."`
	Live     liveCmd     `cmd:"" help:"Delay of live captions, and of the message being ready and found, over WebRTC."`
	WHIP     whipCmd     `cmd:"" name:"whip" help:"CPU and memory of many live recordings at once, without captions."`
}

// config is common to the measurements that start a Hark.
type config struct {
	Models string `env:"HARK_MODELS" default:"./data/models" placeholder:"DIR" help:"Folder of speech models."`
	Model  string `env:"HARK_MODEL" default:"moonshine-base-en" help:"Model to use."`
	Keep   bool   `help:"Keep the temporary folder, and say where it is."`
}

// Target is a fresh instance with its only conversation.
type Target struct {
	hark         *instance.Instance
	Client       *client.Client
	Conversation client.Conversation
}

// start starts a fresh instance, with more settings as KEY=value; end ends it
// and removes its folder.
func (b *config) start(ctx context.Context, env ...string) (_ Target, end func(), err error) {
	models, err := filepath.Abs(b.Models)
	if err != nil {
		return Target{}, nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return Target{}, nil, err
	}
	dir, err := os.MkdirTemp("", "hark-bench-")
	if err != nil {
		return Target{}, nil, err
	}
	// A failed start leaves the folder, whose log the error names.
	hark, err := instance.Start(ctx, instance.Config{
		Binary: self, Data: dir,
		Env: append([]string{"HARK_MODELS=" + models, "HARK_MODEL=" + b.Model, "HARK_MAX_DURATION=24h"}, env...),
	})
	if err != nil {
		return Target{}, nil, err
	}
	end = func() {
		hark.Kill()
		if b.Keep {
			fmt.Fprintln(os.Stderr, "kept", dir)
			return
		}
		os.RemoveAll(dir)
	}
	target := Target{hark: hark}
	if target.Client, err = hark.Client(); err == nil {
		target.Conversation, err = target.Client.FindConversation(ctx, "")
	}
	if err != nil {
		end()
		return Target{}, nil, err
	}
	return target, end, nil
}
