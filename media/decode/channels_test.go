package decode

import (
	"context"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"testing"

	"hark/media"
	"hark/media/internal/mediatest"
	"hark/media/internal/ogg"
)

// voices returns ten seconds each of two people who speak.
func voices(t testing.TB) (one, other string) {
	t.Helper()
	text := filepath.Join(t.TempDir(), "words")
	words := "The weather was fine on Monday, and we walked along the river until it became dark. " +
		"My brother had forgotten his coat, so we went home early and made a pot of tea for everybody."
	if err := os.WriteFile(text, []byte(words), 0o600); err != nil {
		t.Fatal(err)
	}
	other = filepath.Join(t.TempDir(), "other.wav")
	mediatest.Run(t, mediatest.Tool(t, "espeak-ng"), "-f", text, "-w", other)
	return mediatest.Speech(t), other
}

// spoolFile decodes a clip into a spool, as the pipeline does.
func spoolFile(t testing.TB, path string) *media.Spool {
	t.Helper()
	f, size, format, err := sniffFile(t, path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	spool, err := media.NewSpool(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = spool.Close() })
	if _, err := plain.Decode(context.Background(), f, size, format, spool.Write); err != nil {
		t.Fatal(err)
	}
	if err := spool.CloseWrite(nil); err != nil {
		t.Fatal(err)
	}
	return spool
}

// heardAs names the mix of a spool.
func heardAs(spool *media.Spool) string {
	mix, differ := spool.Mix()
	switch {
	case !differ:
		return "one"
	case mix.Apart:
		return "apart"
	case mix == media.Mix{Left: 1}:
		return "left"
	case mix == media.Mix{Right: 1}:
		return "right"
	case mix == media.Mix{Left: 0.5, Right: -0.5}:
		return "difference"
	case mix == media.Mix{Left: 0.5, Right: 0.5}:
		return "sum"
	}
	return "otherwise"
}

const (
	stereo    = "[0]aresample=16000,pan=stereo|c0=c0|c1=c0" // the first voice, in both channels
	both      = "[0]aresample=16000,apad,atrim=0:10[l];[1]aresample=16000,apad,atrim=0:10[r];[l][r]join=inputs=2:channel_layout=stereo"
	scene     = "[0]aresample=16000,apad,atrim=0:10,volume='if(lt(mod(t,3),1.5),1,0)':eval=frame[l];[1]aresample=16000,apad,atrim=0:10,volume='if(lt(mod(t,3),1.5),0,1)':eval=frame[r];"
	alternate = scene + "[l][r]join=inputs=2:channel_layout=stereo"
	noise     = "[0]aresample=16000,apad,atrim=0:10[l];anoisesrc=r=16000:d=10:a="
	joined    = "[r];[l][r]join=inputs=2:channel_layout=stereo"
)

// TestChannels is about what is made of two channels, in all their relations.
func TestChannels(t *testing.T) {
	one, other := voices(t)
	for _, c := range []struct{ name, filter, want string }{
		{"the same", stereo, "one"},
		{"inverted", "[0]pan=stereo|c0=c0|c1=-1*c0", "difference"},
		{"inverted and fainter", "[0]pan=stereo|c0=c0|c1=-0.5*c0", "difference"},
		{"inverted in noise", stereo + "[s];anoisesrc=r=16000:d=10:a=0.003[n];[n]asplit[n1][n2];[n2]adelay=333[n3];[n1][n3]join[n4];[s]pan=stereo|c0=c0|c1=-1*c1[i];[i][n4]amix=normalize=0", "difference"},
		{"inverted and late", "[0]pan=stereo|c0=c0|c1=-1*c0,adelay=0|0.2", "difference"},
		{"inverted, a short word", "[0]aresample=16000,atrim=1:1.3,pan=stereo|c0=c0|c1=-1*c0", "left"},
		{"inverted, without a pause", "anoisesrc=r=16000:d=3:a=0.1,pan=stereo|c0=c0|c1=-1*c0", "left"},
		{"right dead, a short word", "[0]aresample=16000,atrim=1:1.3,pan=stereo|c0=c0|c1=0*c0", "left"},
		{"right dead", "[0]pan=stereo|c0=c0|c1=0*c0", "left"},
		{"left dead", "[0]pan=stereo|c0=0*c0|c1=c0", "right"},
		{"right faint noise", noise + "0.001" + joined, "left"},
		{"right loud noise", noise + "0.3" + joined, "left"},
		{"right hum", "[0]aresample=16000,apad,atrim=0:10[l];sine=f=150:r=16000:d=10,volume=0.5[r];[l][r]join", "left"},
		{"right offset", "[0]aresample=16000,apad,atrim=0:10[l];aevalsrc=0.3:s=16000:d=10[r];[l][r]join", "left"},
		{"right a far echo", "[0]aresample=16000,pan=stereo|c0=c0|c1=0.02*c0,adelay=0|3", "left"},
		{"right much fainter", "[0]pan=stereo|c0=c0|c1=0.1*c0", "left"},
		{"two at once", both, "apart"},
		{"two at once, swapped", both + ",pan=stereo|c0=c1|c1=c0", "apart"},
		{"two at once, one faint", both + ",pan=stereo|c0=c0|c1=0.05*c1", "apart"},
		{"two at once, some leak", both + ",pan=stereo|c0=c0+0.1*c1|c1=c1+0.1*c0", "apart"},
		{"two in turn", alternate, "apart"},
		{"two in turn, some leak", alternate + ",pan=stereo|c0=c0+0.1*c1|c1=c1+0.1*c0", "apart"},
		{"one word only", "[0]aresample=16000,apad,atrim=0:10[l];[1]aresample=16000,atrim=0:0.8,adelay=9000[r];[l][r]join", "apart"},
		{"late by 0.1 ms", stereo + ",adelay=0|0.1", "sum"},
		{"late by 0.3 ms", stereo + ",adelay=0|0.3", "together"},
		{"late by 1 ms", stereo + ",adelay=0|1", "together"},
		{"late by 3 ms", stereo + ",adelay=0|3", "together"},
		{"late by 10 ms", stereo + ",adelay=0|10", "together"},
		{"two in a room", scene + "[l]asplit[l1][l2];[r]asplit[r1][r2];[l2]volume=0.6,adelay=1[l3];[r2]volume=0.6,adelay=1[r3];[l1][r3]amix=normalize=0[a];[r1][l3]amix=normalize=0[b];[a][b]join", "together"},
		{"late by 100 ms", stereo + ",adelay=0|100", "left"},
		{"late by a second", stereo + ",adelay=0|1000", "left"},
		{"a near and a far microphone", "[0]aresample=16000,asplit[a][b];[b]volume=0.2,adelay=30,aecho=0.8:0.7:40|70:0.4|0.3[c];[a][c]join", "left"},
		{"phases a quarter apart", "[0]aresample=16000,asplit[a][b];[b]aphaseshift=0.5[c];[a]aphaseshift=0[d];[d][c]join", "sum"},
		{"inverted, hum in both", "[0]aresample=16000,pan=stereo|c0=c0|c1=-1*c0[a];sine=f=100:r=16000:d=10,volume=2,pan=stereo|c0=c0|c1=c0[h];[a][h]amix=normalize=0:duration=shortest", "difference"},
		{"inverted hum, the voice in both", "[0]aresample=16000,pan=stereo|c0=c0|c1=c0[a];sine=f=100:r=16000:d=10,volume=2,pan=stereo|c0=c0|c1=-1*c0[h];[a][h]amix=normalize=0:duration=shortest", "sum"},
		{"in turn, a little to the sides", alternate + ",pan=stereo|c0=c0+0.5*c1|c1=c1+0.5*c0", "sum"},
		{"music to all sides", "[0]aresample=16000,pan=stereo|c0=c0|c1=c0[a];aevalsrc='0.03*sin(440*2*PI*t)*(1+sin(3*t))|0.03*sin(660*2*PI*t)*(1+sin(4*t))':s=16000:d=10[m];[a][m]amix=normalize=0", "together"},
		{"four channels", "[0]pan=4c|c0=c0|c1=0*c0|c2=c0|c3=0*c0", "left"},
		{"six channels, middle", "[0]pan=5.1|FC=c0", "left"},
		{"six channels, all", "[0]pan=5.1|FL=c0|FR=c0|FC=c0|LFE=c0|BL=c0|BR=c0", "one"},
		{"dies half-way", stereo + ",asplit[a][b];[a]pan=mono|c0=c0[l];[b]pan=mono|c0=c1,volume='lt(t,4)':eval=frame[r];[l][r]join", "left"},
		{"inverted half-way", stereo + ",asplit[a][b];[a]pan=mono|c0=c0[l];[b]pan=mono|c0=c1,volume='if(lt(t,4),0.99,-1)':eval=frame[r];[l][r]join", "left"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			clip := mediatest.FFmpeg(t, "a.wav", "-i", one, "-i", other, "-filter_complex", c.filter, "-t", "10", "-ar", "16000")
			got := heardAs(spoolFile(t, clip))
			if got != c.want && (c.want != "together" || got == "apart" || got == "difference") {
				t.Errorf("heard as %q, want %q", got, c.want)
			}
		})
	}
}

// TestChannelsInAllForms sends two channels that differ in every kind of file.
func TestChannelsInAllForms(t *testing.T) {
	one, other := voices(t)
	for _, c := range []struct {
		name string
		args []string
	}{
		{"a.wav", []string{"-ar", "44100"}},
		{"float.wav", []string{"-c:a", "pcm_f32le"}},
		{"mulaw.wav", []string{"-ar", "8000", "-c:a", "pcm_mulaw"}},
		{"adpcm.wav", []string{"-c:a", "adpcm_ms"}},
		{"joint.mp3", []string{"-ar", "44100", "-b:a", "96k"}},
		{"plain.mp3", []string{"-ar", "48000", "-b:a", "128k", "-joint_stereo", "0"}},
		{"mpeg2.mp3", []string{"-ar", "22050", "-b:a", "64k"}},
		{"a.opus", []string{"-c:a", "libopus", "-b:a", "48k"}},
		{"voip.opus", []string{"-c:a", "libopus", "-b:a", "48k", "-application", "voip"}},
		{"a.webm", []string{"-c:a", "libopus", "-b:a", "64k"}},
		{"a.m4a", []string{"-ar", "44100", "-c:a", "aac", "-b:a", "96k"}},
		{"a.aac", []string{"-ar", "44100", "-c:a", "aac", "-b:a", "96k"}},
		{"a.ogg", []string{"-ar", "44100", "-c:a", "libvorbis"}},
		{"a.flac", nil},
		{"a.mov", []string{"-c:a", "pcm_s16le"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for filter, want := range map[string]string{
				"[0]pan=stereo|c0=c0|c1=-1*c0": "difference",
				both:                           "apart",
			} {
				args := append([]string{"-i", one, "-i", other, "-filter_complex", filter, "-t", "6", "-ar", "48000"}, c.args...)
				spool := spoolFile(t, mediatest.FFmpeg(t, c.name, args...))
				if got := heardAs(spool); got != want {
					t.Errorf("%s: heard as %q, want %q", filter, got, want)
				}
				wantLoud(t, spool, 0.02)
			}
		})
	}
}

// wantLoud wants the sound that is heard to be as loud as speech.
func wantLoud(t *testing.T, spool *media.Spool, least float64) {
	t.Helper()
	var sum float64
	r, p := spool.NewReader(t.Context()), make([]float32, 4096)
	for {
		n, err := r.ReadSamples(p)
		for _, x := range p[:n] {
			sum += float64(x) * float64(x)
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if rms := math.Sqrt(sum / float64(max(spool.Samples(), 1))); rms < least {
		t.Errorf("the sound is as loud as %.4f", rms)
	}
}

// TestChannelsOfOpusWithALoss: what is made up for a lost page has two channels
// as well, and takes as long.
func TestChannelsOfOpusWithALoss(t *testing.T) {
	one, other := voices(t)
	for _, rate := range []string{"24k", "64k"} {
		clip := mediatest.Read(t, mediatest.FFmpeg(t, "a.opus", "-i", one, "-i", other, "-filter_complex", both, "-c:a", "libopus", "-b:a", rate, "-page_duration", "200000"))
		whole, _, err := decodeBytes(t, clip)
		if err != nil {
			t.Fatal(err)
		}
		var lossy []byte
		for number := 0; len(clip) > 0; number++ {
			_, n, err := ogg.Parse(clip)
			if err != nil {
				t.Fatal(err)
			}
			if number != 9 {
				lossy = append(lossy, clip[:n]...)
			}
			clip = clip[n:]
		}
		path := filepath.Join(t.TempDir(), "lossy.opus")
		if err := os.WriteFile(path, lossy, 0o600); err != nil {
			t.Fatal(err)
		}
		spool := spoolFile(t, path)
		if spool.Samples() != int64(len(whole)) || heardAs(spool) != "apart" {
			t.Errorf("%s: %d samples of %d, heard as %q", rate, spool.Samples(), len(whole), heardAs(spool))
		}
	}
}
