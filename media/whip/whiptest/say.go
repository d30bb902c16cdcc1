package whiptest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"hark/media/opus"
)

const keep = 256 // packets for those who ask again

// Say speaks packets in real time, one after the other. It returns when the
// last one's time has passed.
func (s *Speaker) Say(ctx context.Context, packets [][]byte) error {
	next := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for _, data := range packets {
		if err := s.Send(data); err != nil {
			return err
		}
		samples, err := opus.Samples(data)
		if err != nil {
			return err
		}
		next = next.Add(time.Duration(samples) * time.Second / opus.Rate)
		left := time.Until(next)
		s.behind.Store(max(s.behind.Load(), int64(-left)))
		timer.Reset(left)
		select {
		case <-timer.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// Send sends one packet now and moves the clock on by its length. Bytes that
// are no Opus packet are sent too, and take no time.
func (s *Speaker) Send(data []byte) error {
	packet := &rtp.Packet{Header: s.header, Payload: data}
	samples, err := opus.Samples(data)
	if err != nil {
		samples = 0
	}
	s.header.SequenceNumber++
	s.header.Timestamp += uint32(samples)
	s.mu.Lock()
	s.kept[packet.SequenceNumber] = packet
	delete(s.kept, packet.SequenceNumber-keep)
	s.mu.Unlock()
	if err := s.write(packet); err != nil && !errors.Is(err, io.ErrClosedPipe) {
		return fmt.Errorf("send RTP: %w", err)
	}
	s.sent.Add(1)
	return nil
}

// write sends a packet. Pion says that it is connected a moment before it can
// send, and drops what comes too early: the first packet is tried until it
// leaves. Over TCP nobody sees it leave, so it is tried for a while.
func (s *Speaker) write(packet *rtp.Packet) error {
	tries := 1000
	if !s.gate.udp.Load() {
		tries = 20
	}
	for range tries {
		if err := s.track.WriteRTP(packet); err != nil || s.gate.media.Load() || s.sent.Load() > 0 {
			return err
		}
		time.Sleep(time.Millisecond)
	}
	return nil
}

// Leap moves the sender's clock by samples at [opus.Rate], and its numbers by
// packets, without sending anything: after silence (DTX) only the clock moves.
func (s *Speaker) Leap(samples int64, packets int) {
	s.header.Timestamp += uint32(samples)
	s.header.SequenceNumber += uint16(packets)
}

// readRTCP sends again what is asked for, until the peer connection closes.
func (s *Speaker) readRTCP(sender *webrtc.RTPSender) {
	b := make([]byte, 1500)
	for {
		n, _, err := sender.Read(b)
		if err != nil {
			return
		}
		packets, err := rtcp.Unmarshal(b[:n])
		if err != nil {
			continue
		}
		for _, p := range packets {
			switch p := p.(type) {
			case *rtcp.TransportLayerNack:
				s.sendAgain(p)
			case *rtcp.ReceiverReport:
				for _, r := range p.Reports {
					s.losses.Store(uint32(r.FractionLost))
					s.reports.Add(1)
				}
			}
		}
	}
}

func (s *Speaker) sendAgain(nack *rtcp.TransportLayerNack) {
	for _, pair := range nack.Nacks {
		for _, number := range pair.PacketList() {
			s.mu.Lock()
			packet := s.kept[number]
			s.mu.Unlock()
			if packet == nil {
				continue
			}
			// A copy: writing sets the header's source.
			again := &rtp.Packet{Header: packet.Header, Payload: packet.Payload}
			if s.track.WriteRTP(again) == nil {
				s.again.Add(1)
			}
		}
	}
}
