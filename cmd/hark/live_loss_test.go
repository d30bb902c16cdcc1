package main

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"hark/cmd/hark/bench"
	"hark/cmd/hark/client"
	"hark/cmd/hark/instance"
	"hark/media/transcript"
	"hark/media/whip/whiptest"
	"hark/transcribe/wer"
)

// reading is what is said over bad networks: prompts that are heard well, one
// after the other.
var reading = []sentence{
	longSentence,
	{"confbridge-mute-extended", "To mute, or unmute yourself. When you are muted you can not send audio to other participants. However you will still hear audio from other unmuted participants."},
	{"tt-allbusy", "All representatives of the household are currently assisting other telemarketers. Please hold and your call will be answered in the order it was received."},
	{"vm-record-prepend", "At the tone, please record an introduction to the forwarded message. When done, press the pound sign."},
}

// lossy is a network that loses a share of the packets: when they are sent
// first, or for good, however often they are sent again; and brings the others
// late, so that they overtake one another, and some of them twice.
type lossy struct {
	once, always, double float64
	late                 time.Duration // the most
}

// hook is for one speaker. The same packets are lost in every run.
func (l lossy) hook() func([]byte, func([]byte)) {
	var mu sync.Mutex
	random := rand.New(rand.NewPCG(3, 4))
	return func(packet []byte, send func([]byte)) {
		mu.Lock()
		lost, double, late := random.Float64() < l.once, random.Float64() < l.double, time.Duration(random.Float64()*float64(l.late))
		mu.Unlock()
		sequence := binary.BigEndian.Uint16(packet[2:]) // RFC 3550, section 5.1; SRTP leaves it readable
		if lost || rand.New(rand.NewPCG(5, uint64(sequence))).Float64() < l.always {
			return
		}
		time.AfterFunc(late, func() {
			send(packet)
			if double {
				send(packet)
			}
		})
	}
}

// TestSpeakOverBadNetworks says the same over networks that lose, delay, turn
// round and double packets: what is heard may hardly be worse for it, and what
// is recorded must be as long as what was said.
func TestSpeakOverBadNetworks(t *testing.T) {
	var packets [][]byte
	var text string
	for _, s := range reading {
		said, _ := s.packets(t)
		packets = append(packets, said...)
		text += s.text + " "
	}
	hark := serve(t, t.TempDir())
	c := mustClient(t, hark)
	ctx := within(t, 5*time.Minute)
	conv, err := c.FindConversation(ctx, "General")
	if err != nil {
		t.Fatal(err)
	}
	networks := []struct {
		name string
		lossy
		worse float64 // by how much, at most, than without loss
	}{
		{"no loss", lossy{}, 0},
		{"5 % lost", lossy{once: 0.05}, 0.02},
		{"5 % lost for good", lossy{always: 0.05}, 0.02},
		{"20 % lost, late by 100 ms, a tenth twice", lossy{once: 0.2, late: 100 * time.Millisecond, double: 0.1}, 0.05},
	}
	rates := make([]float64, len(networks))
	var speaking sync.WaitGroup
	for i, network := range networks {
		speaking.Go(func() {
			msg, behind, err := sayOver(ctx, hark, conv.ID, network.lossy, packets)
			if err == nil {
				msg, err = c.Await(ctx, msg.ID)
			}
			var heard transcript.Transcript
			if err == nil {
				heard, err = c.Transcript(ctx, msg.ID)
			}
			if err != nil {
				t.Errorf("%s: %v", network.name, err)
				return
			}
			// Where the machine made the speaker stand still, the recording does so too.
			if off := msg.DurationMS - int64(len(packets))*20; off < -150 || off > 150+behind.Milliseconds() {
				t.Errorf("%s: %d ms were recorded of %d; the speaker was %s behind at the most", network.name, msg.DurationMS, len(packets)*20, behind)
			}
			rates[i] = wer.Score(text, heard.Text()).Rate()
			t.Logf("%s: %.1f %% of the words wrong", network.name, 100*rates[i])
		})
	}
	speaking.Wait()
	for i, network := range networks {
		if rates[i] > rates[0]+network.worse {
			t.Errorf("%s: %.1f %% of the words wrong, and %.1f %% without loss", network.name, 100*rates[i], 100*rates[0])
		}
	}
}

// sayOver speaks over a network and returns the message that it becomes, of
// which only the id is known, and by how much the speaker was late at most.
func sayOver(ctx context.Context, hark *instance.Instance, conversation string, network lossy, packets [][]byte) (client.Message, time.Duration, error) {
	speaker, err := whiptest.Dial(ctx, whiptest.Config{
		URL: hark.URL + "/v1/conversations/" + conversation + "/whip", Token: hark.Token, Disturb: network.hook(),
	})
	if err != nil {
		return client.Message{}, 0, err
	}
	defer speaker.Vanish()
	if err := speaker.Say(ctx, packets); err != nil {
		return client.Message{}, 0, err
	}
	bench.Wait(ctx, network.late) // until what is under way is there
	return client.Message{ID: speaker.Header().Get("Hark-Message-Id")}, speaker.Behind(), speaker.Close(ctx)
}
