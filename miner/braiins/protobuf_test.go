package braiins

import (
	"math"
	"testing"

	"github.com/tidwall/gjson"
	"google.golang.org/protobuf/encoding/protowire"
	"pgregory.net/rapid"
)

func TestMessageToJSON(t *testing.T) {
	var sensor, board, out []byte
	sensor = appendVarint(sensor, 2, 1)
	sensor = appendMessage(sensor, 3, quantity(70.5))
	board = appendText(board, 1, "3\"\x01é")
	board = appendMessage(board, 3, appendVarint(nil, 1, 110))
	board = appendMessage(board, 6, sensor)
	board = appendMessage(board, 7, nil) // a temperature of zero
	board = appendVarint(board, 99, 5)   // a field that we do not know
	out = appendMessage(out, 1, board)
	out = appendMessage(out, 1, appendText(appendText(nil, 1, "first"), 1, "last"))
	got, err := msgHashboards.toJSON(out)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"hashboards":[{"id":"3\"\u0001é","enabled":false,"chips_count":110,"highest_chip_temp":{"location":1,"temperature":{"degree_c":70.5}},"board_temp":{"degree_c":0}},{"id":"last","enabled":false}]}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestMessageErrors(t *testing.T) {
	whole := appendMessage(nil, 1, appendText(nil, 1, "abc"))
	for n := 1; n < len(whole); n++ {
		if _, err := msgHashboards.toJSON(whole[:n]); err == nil {
			t.Errorf("cut at %d of %d: no error", n, len(whole))
		}
	}
	deep := []byte{}
	for range 40 {
		deep = appendMessage(nil, 1, deep)
	}
	if _, err := loop().toJSON(deep); err == nil {
		t.Error("a message without end is read")
	}
}

// loop is a message that holds itself.
func loop() message {
	m := message{list(1, "again", nil)}
	m[0].of = m
	return m
}

// Whatever the numbers, the JSON is valid and tells them.
func TestMessageNumbers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		watts := rapid.Uint64Range(0, 1<<53).Draw(t, "watts")
		rate := rapid.Float64().Draw(t, "rate")
		words := rapid.String().Draw(t, "words")
		var b []byte
		b = appendMessage(b, 1, appendVarint(nil, 1, watts))
		b = appendMessage(b, 2, quantity(rate))
		b = appendText(b, 3, words)
		m := message{sub(1, "power", msgWatt), sub(2, "rate", msgGiga), one(3, "words", textField)}
		out, err := m.toJSON(b)
		if err != nil {
			t.Fatal(err)
		}
		if !gjson.ValidBytes(out) {
			t.Fatalf("%s", out)
		}
		if got := gjson.GetBytes(out, "power.watt").Uint(); got != watts {
			t.Fatalf("%d W come as %d", watts, got)
		}
		if got := gjson.GetBytes(out, "rate.gigahash_per_second").Float(); !math.IsInf(rate, 0) && got != rate {
			t.Fatalf("%v GH/s come as %v", rate, got)
		}
	})
}

func TestUsableGRPC(t *testing.T) {
	for version, want := range map[string]bool{
		`{"major":1,"minor":11,"patch":0,"pre":""}`: true, `{"major":1,"minor":0,"patch":0,"pre":""}`: true, `{"major":1,"minor":0,"patch":0,"pre":"beta.2"}`: true,
		`{"major":1,"minor":0,"patch":0,"pre":"beta.5"}`: true, `{"major":1,"minor":0,"patch":0,"pre":"beta.1"}`: false, `{"major":1,"minor":0,"patch":0,"pre":"beta"}`: false,
		`{"major":1,"minor":0,"patch":0,"pre":"alpha.1"}`: false, `{"major":0}`: false, `{}`: false,
	} {
		if usableGRPC([]byte(version)) != want {
			t.Errorf("%s: want %t", version, want)
		}
	}
}

func FuzzMessage(f *testing.F) {
	f.Add(appendMessage(nil, 1, appendText(nil, 1, "abc")))
	f.Add(appendMessage(nil, 2, appendMessage(nil, 1, appendMessage(nil, 1, quantity(math.NaN())))))
	f.Add([]byte{0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Add(protowire.AppendTag(nil, 1, protowire.StartGroupType))
	f.Fuzz(func(t *testing.T, b []byte) {
		for name, m := range grpcMethods {
			out, err := m.answer.toJSON(b)
			if err == nil && !gjson.ValidBytes(out) {
				t.Fatalf("%s: %s", name, out)
			}
		}
	})
}
