package modbus

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The examples that the specification gives for each function, in its
// section 6.
func TestSpecificationExamples(t *testing.T) {
	bits := func(s string) (out []bool) {
		for _, c := range s {
			out = append(out, c == '1')
		}
		return out
	}
	for _, c := range []struct {
		request, response string
		r                 Request
		answer            Response
	}{
		{"01 0013 0013", "01 03 CD6B05", Request{Function: ReadCoils, Address: 0x13, Quantity: 19}, Response{Bits: bits("1011001111010110101")}},
		{"02 00C4 0016", "02 03 ACDB35", Request{Function: ReadDiscreteInputs, Address: 0xC4, Quantity: 22}, Response{Bits: bits("0011010111011011101011")}},
		{"03 006B 0003", "03 06 022B 0000 0064", Request{Function: ReadHoldingRegisters, Address: 0x6B, Quantity: 3}, Response{Registers: []uint16{0x22B, 0, 100}}},
		{"04 0008 0001", "04 02 000A", Request{Function: ReadInputRegisters, Address: 8, Quantity: 1}, Response{Registers: []uint16{10}}},
		{"05 00AC FF00", "05 00AC FF00", Request{Function: WriteSingleCoil, Address: 0xAC, Quantity: 1, Bits: []bool{true}}, Response{}},
		{"06 0001 0003", "06 0001 0003", Request{Function: WriteSingleRegister, Address: 1, Quantity: 1, Registers: []uint16{3}}, Response{}},
		{"0F 0013 000A 02 CD01", "0F 0013 000A", Request{Function: WriteMultipleCoils, Address: 0x13, Quantity: 10, Bits: bits("1011001110")}, Response{}},
		{"10 0001 0002 04 000A 0102", "10 0001 0002", Request{Function: WriteMultipleRegisters, Address: 1, Quantity: 2, Registers: []uint16{10, 0x102}}, Response{}},
	} {
		request, response := unhex(t, c.request), unhex(t, c.response)
		if got, err := c.r.Append(nil); err != nil || !bytes.Equal(got, request) {
			t.Errorf("function %d: request % x, %v", c.r.Function, got, err)
		}
		if got, err := ParseRequest(request); err != nil || !reflect.DeepEqual(got, c.r) {
			t.Errorf("function %d: parsed %+v, %v", c.r.Function, got, err)
		}
		if got, err := c.r.AppendResponse(nil, c.answer); err != nil || !bytes.Equal(got, response) {
			t.Errorf("function %d: response % x, %v", c.r.Function, got, err)
		}
		if got, err := c.r.ParseResponse(response); err != nil || !reflect.DeepEqual(got, c.answer) {
			t.Errorf("function %d: answer %+v, %v", c.r.Function, got, err)
		}
	}
}

func TestBadRequests(t *testing.T) {
	for text, want := range map[string]Exception{
		"":                          IllegalFunction,
		"07":                        IllegalFunction,
		"2B 0E 01 00":               IllegalFunction,
		"03":                        IllegalDataValue,
		"03 0000 00":                IllegalDataValue,
		"03 0000 0000":              IllegalDataValue, // none
		"03 0000 007E":              IllegalDataValue, // 126
		"03 0000 0001 00":           IllegalDataValue, // something after it
		"01 0000 07D1":              IllegalDataValue, // 2,001
		"03 FFFF 0002":              IllegalDataAddress,
		"05 0000 0001":              IllegalDataValue, // neither on nor off
		"06 0000 0001 02":           IllegalDataValue,
		"0F 0000 0009 01 FF":        IllegalDataValue, // too few bytes
		"0F 0000 0001 02 0100":      IllegalDataValue,
		"10 0000 0001 04 0001 0002": IllegalDataValue,
		"10 0000 0002 04 0001":      IllegalDataValue,
		"10 FFFF 0002 04 0001 0002": IllegalDataAddress,
		"10 0000 0000 00":           IllegalDataValue,
		"10 0000 007C F8":           IllegalDataValue, // 124
	} {
		_, err := ParseRequest(unhex(t, text))
		if e, ok := errors.AsType[Exception](err); !ok || e != want {
			t.Errorf("%q: %v, want %v", text, err, want)
		}
	}
	for _, r := range []Request{
		{}, {Function: 7}, {Function: ReadCoils}, {Function: ReadCoils, Quantity: 2001}, {Function: ReadHoldingRegisters, Quantity: 126},
		{Function: ReadHoldingRegisters, Address: 0xFFFF, Quantity: 2}, {Function: WriteSingleCoil}, {Function: WriteSingleRegister, Registers: make([]uint16, 2)},
		{Function: WriteMultipleCoils, Bits: make([]bool, 1969)}, {Function: WriteMultipleRegisters, Registers: make([]uint16, 124)}, {Function: WriteMultipleRegisters},
	} {
		if _, err := r.Append(nil); !errors.Is(err, ErrRequest) {
			t.Errorf("%+v: %v", r, err)
		}
	}
}

func TestBadResponses(t *testing.T) {
	read := Request{Function: ReadHoldingRegisters, Quantity: 2}
	write := Request{Function: WriteMultipleRegisters, Address: 7, Registers: []uint16{1, 2}}
	for _, c := range []struct {
		r    Request
		text string
		want error
	}{
		{read, "83 02", IllegalDataAddress}, {read, "83 7F", Exception(0x7F)}, {write, "90 06", DeviceBusy},
		{read, "", ErrReply}, {read, "03", ErrReply}, {read, "04 04 0001 0002", ErrReply}, {read, "03 04 0001", ErrReply}, {read, "03 02 0001", ErrReply},
		{read, "03 04 0001 0002 00", ErrReply}, {read, "83", ErrReply}, {read, "83 02 00", ErrReply}, {read, "84 02", ErrReply},
		{write, "10 0007 0001", ErrReply}, {write, "10 0008 0002", ErrReply}, {write, "10 0007 0002 00", ErrReply},
	} {
		if _, err := c.r.ParseResponse(unhex(t, c.text)); !errors.Is(err, c.want) {
			t.Errorf("%q: %v, want %v", c.text, err, c.want)
		}
	}
	if Exception(0x7F).Error() == IllegalFunction.Error() {
		t.Error("exceptions without a name look like others")
	}
}

var anyRequest = rapid.Custom(func(t *rapid.T) Request {
	r := Request{Function: rapid.SampledFrom([]Function{1, 2, 3, 4, 5, 6, 15, 16}).Draw(t, "function")}
	most := map[Function]int{1: MaxReadBits, 2: MaxReadBits, 3: MaxReadRegisters, 4: MaxReadRegisters, 5: 1, 6: 1, 15: MaxWriteBits, 16: MaxWriteRegisters}[r.Function]
	n := rapid.IntRange(1, most).Draw(t, "n")
	r.Quantity = uint16(n)
	r.Address = uint16(rapid.IntRange(0, 1<<16-n).Draw(t, "address"))
	switch r.Function {
	case WriteSingleCoil, WriteMultipleCoils:
		r.Bits = rapid.SliceOfN(rapid.Bool(), n, n).Draw(t, "bits")
	case WriteSingleRegister, WriteMultipleRegisters:
		r.Registers = rapid.SliceOfN(rapid.Uint16(), n, n).Draw(t, "registers")
	}
	return r
})

// What is written is read again: requests, answers, frames.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := anyRequest.Draw(t, "request")
		pdu, err := r.Append(nil)
		if err != nil || len(pdu) > maxPDU {
			t.Fatalf("%d bytes, %v", len(pdu), err)
		}
		if back, err := ParseRequest(pdu); err != nil || !reflect.DeepEqual(back, r) {
			t.Fatalf("%+v came back as %+v, %v", r, back, err)
		}
		var answer Response
		switch n := int(r.Quantity); r.Function {
		case ReadCoils, ReadDiscreteInputs:
			answer.Bits = rapid.SliceOfN(rapid.Bool(), n, n).Draw(t, "answer")
		case ReadHoldingRegisters, ReadInputRegisters:
			answer.Registers = rapid.SliceOfN(rapid.Uint16(), n, n).Draw(t, "answer")
		}
		reply, err := r.AppendResponse(nil, answer)
		if err != nil || len(reply) > maxPDU {
			t.Fatalf("%d bytes, %v", len(reply), err)
		}
		if back, err := r.ParseResponse(reply); err != nil || !reflect.DeepEqual(back, answer) {
			t.Fatalf("%+v came back as %+v, %v", answer, back, err)
		}
		f := Frame{Transaction: rapid.Uint16().Draw(t, "transaction"), Unit: rapid.Byte().Draw(t, "unit"), PDU: reply}
		wire, err := f.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := ReadFrame(bytes.NewReader(wire)); err != nil || !reflect.DeepEqual(back, f) {
			t.Fatalf("%+v came back as %+v, %v", f, back, err)
		}
	})
}

func TestFrames(t *testing.T) {
	for text, want := range map[string]error{
		"":                        io.EOF,
		"0001":                    io.ErrUnexpectedEOF,
		"0001 0000 0003 01":       io.ErrUnexpectedEOF,
		"0001 0000 0003 01 03":    io.ErrUnexpectedEOF,
		"0001 0001 0003 01 03 00": ErrFrame, // another protocol
		"0001 0000 0001 01":       ErrFrame, // no PDU
		"0001 0000 00FF 01":       ErrFrame, // too long
		"4745 5420 2F20 48":       ErrFrame, // a browser
	} {
		if _, err := ReadFrame(bytes.NewReader(unhex(t, text))); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", text, err, want)
		}
	}
	if _, err := (Frame{}).Append(nil); !errors.Is(err, ErrFrame) {
		t.Error("an empty PDU in a frame")
	}
}

func FuzzParseRequest(f *testing.F) {
	for _, s := range []string{"0100130013", "03006b0003", "0500acff00", "0f0013000a02cd01", "10000100020400 0a0102", "10ffff0002", "2b0e01"} {
		f.Add(unhex(f, s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := ParseRequest(b)
		if err != nil {
			if _, ok := errors.AsType[Exception](err); !ok {
				t.Fatalf("% x: %v is no exception", b, err)
			}
			return
		}
		again, err := r.Append(nil)
		if err != nil {
			t.Fatalf("% x was read as %+v, which cannot be written: %v", b, r, err)
		}
		// The spare bits of the last byte of coils may be anything; all else is one way.
		if r.Function != WriteMultipleCoils && !bytes.Equal(again, b) {
			t.Fatalf("% x was read as %+v, which is % x", b, r, again)
		}
	})
}

func FuzzParseResponse(f *testing.F) {
	f.Add(byte(3), uint16(0x6B), uint16(3), unhex(f, "0306022b00000064"))
	f.Add(byte(1), uint16(0x13), uint16(19), unhex(f, "0103cd6b05"))
	f.Add(byte(3), uint16(0), uint16(1), unhex(f, "8302"))
	f.Add(byte(4), uint16(0), uint16(125), unhex(f, "04"))
	f.Fuzz(func(t *testing.T, function byte, address, n uint16, b []byte) {
		r := Request{Function: Function(function%4 + 1), Address: address, Quantity: n}
		answer, err := r.ParseResponse(b)
		if err == nil && len(answer.Bits)+len(answer.Registers) != int(n) {
			t.Fatalf("%d were asked, %+v came", n, answer)
		}
	})
}

// Whatever comes in, a server answers with frames or ends, and never writes
// where it may not.
func FuzzServer(f *testing.F) {
	f.Add(unhex(f, "0001 0000 0006 01 03 0000 0003"))
	f.Add(unhex(f, "0001 0000 0006 01 03 0000 0003 0002 0000 0009 01 10 0001 0001 02 000A"))
	f.Add(unhex(f, "0001 0000 0002 01 99 0001 0000 0006 01 05 0000 FF00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		s := Server{Handler: newMemory(16)}
		in := bytes.NewReader(b)
		for {
			q, err := ReadFrame(in)
			if err != nil {
				return
			}
			answer := s.Answer(q.Unit, q.PDU)
			if _, err := (Frame{Transaction: q.Transaction, Unit: q.Unit, PDU: answer}).Append(nil); err != nil {
				t.Fatalf("% x was answered % x: %v", q.PDU, answer, err)
			}
			if r, err := ParseRequest(q.PDU); err == nil {
				if _, err := r.ParseResponse(answer); errors.Is(err, ErrReply) {
					t.Fatalf("% x was answered % x: %v", q.PDU, answer, err)
				}
			}
		}
	})
}
