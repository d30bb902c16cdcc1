package whip

import (
	"sync"
	"time"

	"github.com/pion/webrtc/v4"
)

const (
	// maxBehind is how many bytes a client may be behind before messages to it
	// are dropped.
	maxBehind = 256 << 10
	// maxEarly is how many messages wait for the channel to open.
	maxEarly = 16
	// maxMessages is how many messages a client may send in a second; the rest
	// are dropped.
	maxMessages = 50
	// maxChannels is how many channels a client may open, whatever they are
	// for: each costs 64 KiB in pion.
	maxChannels = 4
)

// channel is the data channel "hark" of a session.
type channel struct {
	mu    sync.Mutex
	open  *webrtc.DataChannel // nil: none yet
	early []string
	count int // channels that were opened
}

// takeChannel takes the client's channel. Others are of no use.
func (s *Session) takeChannel(d *webrtc.DataChannel) {
	s.channel.mu.Lock()
	s.channel.count++
	tooMany := s.channel.count > maxChannels
	s.channel.mu.Unlock()
	if tooMany {
		s.End(Failed)
	}
	ours := d.Label() == ChannelName
	if ours {
		d.OnOpen(func() { s.channel.opened(d) })
		d.OnClose(func() { s.channel.closed(d) })
	}
	d.OnMessage(func(m webrtc.DataChannelMessage) { s.takeMessage(m.Data, ours) })
}

// takeMessage hands a message on if it is for us. It counts against the bit
// rate in any case.
func (s *Session) takeMessage(data []byte, ours bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return
	}
	now := s.now()
	if !s.receiver.Charge(len(data), now) {
		s.End(TooFast)
		return
	}
	if second := now.Truncate(time.Second); second != s.second {
		s.second, s.heard = second, 0
	}
	if s.heard++; ours && s.heard <= maxMessages && len(data) <= MaxMessage {
		s.sink.Message(data)
	}
}

// opened sends what waited for the channel.
func (c *channel) opened(d *webrtc.DataChannel) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open != nil {
		return
	}
	c.open = d
	for _, message := range c.early {
		// A channel that breaks closes, which the client sees.
		_ = d.SendText(message)
	}
	c.early = nil
}

func (c *channel) closed(d *webrtc.DataChannel) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open == d {
		c.open = nil
	}
}

// Send sends a text message to the client, and never waits. Until the client
// has opened its data channel, a few messages are kept for it; then
// [ErrNoChannel] says that one was dropped, or [ErrBehind] that the client does
// not keep up.
func (s *Session) Send(json []byte) error {
	c := &s.channel
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open == nil {
		if len(c.early) == maxEarly || s.offer.mid(messages) == "" {
			return ErrNoChannel
		}
		c.early = append(c.early, string(json))
		return nil
	}
	if c.open.BufferedAmount()+uint64(len(json)) > maxBehind {
		return ErrBehind
	}
	return c.open.SendText(string(json))
}

// drain waits a moment for what was sent last to reach the client.
func (c *channel) drain() {
	c.mu.Lock()
	d := c.open
	c.mu.Unlock()
	if d == nil || d.BufferedAmount() == 0 {
		return
	}
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for range 50 {
		if <-look.C; d.BufferedAmount() == 0 {
			return
		}
	}
}
