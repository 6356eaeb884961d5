// One participant by LiveKit's unchanged Go SDK: `go_client [flags] URL TOKEN`.
//
// It reads commands on stdin, one per line, and writes what happens to stdout, one JSON object per line. It leaves
// when stdin ends.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/livekit/protocol/livekit"
	protologger "github.com/livekit/protocol/logger"
	lksdk "github.com/livekit/server-sdk-go/v2"
	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media"
	"github.com/pion/webrtc/v4/pkg/media/ivfreader"
)

// The frame rate of the videos that the test made.
const framesPerSecond = 15

var opus = webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2}
var vp8 = webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8, ClockRate: 90000}

// An Opus frame of 20 ms of silence (CELT, fullband, RFC 6716 section 3.1).
var silence = []byte{0xf8, 0xff, 0xfe}

var output sync.Mutex

type detail map[string]any

func tell(event string, more detail) {
	line := detail{"event": event}
	for key, value := range more {
		line[key] = value
	}
	output.Lock()
	defer output.Unlock()
	_ = json.NewEncoder(os.Stdout).Encode(line)
}

func check(err error) {
	if err != nil {
		tell("error", detail{"text": err.Error()})
		os.Exit(1)
	}
}

// loop is a sample provider that plays the same samples again and again.
type loop struct {
	lksdk.BaseSampleProvider
	samples  [][]byte
	duration time.Duration
	next     int
}

func (l *loop) NextSample(_ context.Context) (media.Sample, error) {
	data := l.samples[l.next%len(l.samples)]
	l.next++
	return media.Sample{Data: data, Duration: l.duration}, nil
}

func (l *loop) OnBind() error   { return nil }
func (l *loop) OnUnbind() error { return nil }

func video(path string) (*loop, uint16, uint16) {
	file, err := os.Open(path)
	check(err)
	defer file.Close()
	reader, header, err := ivfreader.NewWith(file)
	check(err)
	frames := [][]byte{}
	for {
		frame, _, err := reader.ParseNextFrame()
		if err == io.EOF {
			break
		}
		check(err)
		frames = append(frames, frame)
	}
	return &loop{samples: frames, duration: time.Second / framesPerSecond}, header.Width, header.Height
}

func track(codec webrtc.RTPCodecCapability, source *loop, options ...lksdk.LocalTrackOptions) *lksdk.LocalTrack {
	made, err := lksdk.NewLocalTrack(codec, options...)
	check(err)
	made.OnBind(func() { check(made.StartWrite(source, nil)) })
	return made
}

// camera returns the simulcast layers of the videos in a folder, which are named low.ivf, medium.ivf and high.ivf.
func camera(folder string) []*lksdk.LocalTrack {
	layers := []*lksdk.LocalTrack{}
	for _, name := range []string{"low", "medium", "high"} {
		source, width, height := video(filepath.Join(folder, name+".ivf"))
		quality := livekit.VideoQuality(livekit.VideoQuality_value[strings.ToUpper(name)])
		layer := &livekit.VideoLayer{Quality: quality, Width: uint32(width), Height: uint32(height)}
		layers = append(layers, track(vp8, source, lksdk.WithSimulcast("camera", layer)))
	}
	return layers
}

func microphone() *lksdk.LocalTrack {
	return track(opus, &loop{samples: [][]byte{silence}, duration: 20 * time.Millisecond})
}

// round is the number of "count" commands so far.
var round atomic.Int32

// read tells, once per round, that 20 packets of a received track have come, and the sizes of its keyframes when they
// change.
func read(received *webrtc.TrackRemote, publication *lksdk.RemoteTrackPublication) {
	name, size, packets, counted := publication.Name(), "", 0, int32(0)
	for {
		packet, _, err := received.ReadRTP()
		if err != nil {
			return
		}
		if len(packet.Payload) == 0 {
			continue // padding
		}
		if now := round.Load(); now != counted {
			packets, counted = 0, now
		}
		packets++
		if packets == 20 {
			tell("packets", detail{"track": name, "round": counted})
		}
		if width, height, ok := keyframeSize(packet.Payload); received.Kind() == webrtc.RTPCodecTypeVideo && ok {
			if now := fmt.Sprintf("%dx%d", width, height); now != size {
				size = now
				tell("size", detail{"track": name, "size": size})
			}
		}
	}
}

// keyframeSize reads the size of the picture that a VP8 packet starts, if it starts a keyframe (RFC 7741 sections 4.2
// and 4.3, RFC 6386 section 9.1).
func keyframeSize(payload []byte) (width, height int, ok bool) {
	if payload[0]&0x1f != 0x10 {
		return 0, 0, false // not the start of a frame
	}
	at := 1
	if payload[0]&0x80 != 0 && len(payload) > 1 {
		extensions := payload[1]
		at++
		if extensions&0x80 != 0 && len(payload) > at {
			at += 1 + int(payload[at]>>7)
		}
		if extensions&0x40 != 0 {
			at++
		}
		if extensions&0x30 != 0 {
			at++
		}
	}
	if len(payload) < at+10 || payload[at]&1 != 0 {
		return 0, 0, false
	}
	header := payload[at:]
	width = int(header[6]) | int(header[7]&0x3f)<<8
	height = int(header[8]) | int(header[9]&0x3f)<<8
	return width, height, true
}

func callbacks() *lksdk.RoomCallback {
	return &lksdk.RoomCallback{
		OnReconnecting:           func() { tell("reconnecting", nil) },
		OnReconnected:            func() { tell("reconnected", nil) },
		OnDisconnectedWithReason: func(reason lksdk.DisconnectionReason) { tell("disconnected", detail{"reason": reason}) },
		ParticipantCallback: lksdk.ParticipantCallback{
			OnTrackSubscribed: func(received *webrtc.TrackRemote, publication *lksdk.RemoteTrackPublication, from *lksdk.RemoteParticipant) {
				tell("subscribed", detail{"track": publication.Name(), "from": from.Identity(), "muted": publication.IsMuted()})
				go read(received, publication)
			},
			OnTrackUnsubscribed: func(_ *webrtc.TrackRemote, publication *lksdk.RemoteTrackPublication, _ *lksdk.RemoteParticipant) {
				tell("unsubscribed", detail{"track": publication.Name()})
			},
			OnDataPacket: func(packet lksdk.DataPacket, parameters lksdk.DataReceiveParams) {
				if user, ok := packet.(*lksdk.UserDataPacket); ok {
					tell("data", detail{"from": parameters.SenderIdentity, "text": string(user.Payload)})
				}
			},
		},
	}
}

type client struct {
	room         *lksdk.Room
	folder       string
	publications map[string]*lksdk.LocalTrackPublication
	remote       func(name string) *lksdk.RemoteTrackPublication
}

func (c *client) obey(command string, arguments []string) {
	me := c.room.LocalParticipant
	switch command {
	case "publish":
		sound, err := me.PublishTrack(microphone(), &lksdk.TrackPublicationOptions{Name: "microphone"})
		check(err)
		picture, err := me.PublishSimulcastTrack(camera(c.folder), &lksdk.TrackPublicationOptions{Name: "camera"})
		check(err)
		c.publications["microphone"], c.publications["camera"] = sound, picture
		tell("published", nil)
	case "publish-as": // "publish-as audio/PCMU": of what is no media at all
		codec := webrtc.RTPCodecCapability{MimeType: arguments[0], ClockRate: 90000}
		if strings.HasPrefix(arguments[0], "audio/") {
			codec.ClockRate = 8000
		}
		source := &loop{samples: [][]byte{make([]byte, 160)}, duration: 20 * time.Millisecond}
		_, err := me.PublishTrack(track(codec, source), &lksdk.TrackPublicationOptions{Name: arguments[0]})
		check(err)
		tell("published", nil)
	case "mute", "unmute":
		c.publications[arguments[0]].SetMuted(command == "mute")
	case "unpublish":
		check(me.UnpublishTrack(c.publications[arguments[0]].SID()))
	case "quality":
		publication := c.remote(arguments[0])
		check(publication.SetVideoQuality(livekit.VideoQuality(livekit.VideoQuality_value[arguments[1]])))
	case "data":
		data := lksdk.UserData([]byte(strings.Join(arguments, " ")))
		check(me.PublishDataPacket(data, lksdk.WithDataPublishReliable(true)))
	case "rpc":
		answer, err := me.PerformRpc(lksdk.PerformRpcParams{
			DestinationIdentity: arguments[0], Method: "greet", Payload: strings.Join(arguments[1:], " "),
		})
		check(err)
		tell("answer", detail{"text": *answer})
	case "count":
		round.Add(1)
	case "resume":
		c.room.Simulate(lksdk.SimulateSignalReconnect)
	default:
		check(fmt.Errorf("unknown command %q", command))
	}
}

func main() {
	single := flag.Bool("single", false, "use one peer connection")
	join := flag.Bool("publish-in-join", false, "publish with the request to join")
	folder := flag.String("videos", "", "folder of the videos to publish")
	verbose := flag.Bool("verbose", false, "log what the SDK does")
	flag.Parse()
	if *verbose {
		protologger.InitFromConfig(&protologger.Config{Level: "debug"}, "go_client")
		lksdk.SetLogger(protologger.GetLogger())
	} else {
		lksdk.SetLogger(protologger.GetDiscardLogger())
	}
	room := lksdk.NewRoom(callbacks())
	check(room.RegisterRpcMethod("greet", func(data lksdk.RpcInvocationData) (string, error) {
		return "hello " + data.Payload + ", says go", nil
	}))
	options := []lksdk.ConnectOption{}
	if *single {
		options = append(options, lksdk.WithSinglePeerConnection())
	}
	if *join {
		options = append(options,
			lksdk.WithTrack(microphone(), &lksdk.TrackPublicationOptions{Name: "microphone"}),
			lksdk.WithSimulcastTrack(camera(*folder), &lksdk.TrackPublicationOptions{Name: "camera"}))
	}
	check(room.JoinWithToken(flag.Arg(0), flag.Arg(1), options...))
	tell("joined", nil)
	me := &client{room, *folder, map[string]*lksdk.LocalTrackPublication{}, func(name string) *lksdk.RemoteTrackPublication {
		for _, participant := range room.GetRemoteParticipants() {
			for _, publication := range participant.TrackPublications() {
				if remote, ok := publication.(*lksdk.RemoteTrackPublication); ok && remote.Name() == name {
					return remote
				}
			}
		}
		check(fmt.Errorf("nobody publishes %q", name))
		return nil
	}}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		words := strings.Fields(lines.Text())
		me.obey(words[0], words[1:])
	}
	room.Disconnect()
	tell("left", nil)
}
