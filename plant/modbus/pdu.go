package modbus

import (
	"encoding/binary"
	"fmt"
)

// Request is one request. Bits and Registers are what is written, by functions
// 5 and 15, and 6 and 16; their number is then Quantity, which may be left 0.
type Request struct {
	Function  Function
	Address   uint16
	Quantity  uint16
	Bits      []bool
	Registers []uint16
}

// Response is the answer to a read: bits or registers. A write is answered by
// an empty one.
type Response struct {
	Bits      []bool
	Registers []uint16
}

const (
	coilOn  = 0xFF00
	coilOff = 0x0000
)

// quantity checks what a request asks for and says how many things that is.
func (r Request) quantity() (int, error) {
	var most int
	n := int(r.Quantity)
	switch r.Function {
	case ReadCoils, ReadDiscreteInputs:
		most = MaxReadBits
	case ReadHoldingRegisters, ReadInputRegisters:
		most = MaxReadRegisters
	case WriteSingleCoil:
		n, most = len(r.Bits), 1
	case WriteSingleRegister:
		n, most = len(r.Registers), 1
	case WriteMultipleCoils:
		n, most = len(r.Bits), MaxWriteBits
	case WriteMultipleRegisters:
		n, most = len(r.Registers), MaxWriteRegisters
	default:
		return 0, fmt.Errorf("%w: function %d", ErrRequest, r.Function)
	}
	if n < 1 || n > most {
		return 0, fmt.Errorf("%w: function %d for %d: want 1 to %d", ErrRequest, r.Function, n, most)
	}
	if int(r.Address)+n > 1<<16 {
		return 0, fmt.Errorf("%w: %d from address %d is past the end", ErrRequest, n, r.Address)
	}
	return n, nil
}

// Append adds the request's PDU to dst.
func (r Request) Append(dst []byte) ([]byte, error) {
	n, err := r.quantity()
	if err != nil {
		return dst, err
	}
	dst = append(dst, byte(r.Function))
	dst = binary.BigEndian.AppendUint16(dst, r.Address)
	switch r.Function {
	case WriteSingleCoil:
		return binary.BigEndian.AppendUint16(dst, coil(r.Bits[0])), nil
	case WriteSingleRegister:
		return binary.BigEndian.AppendUint16(dst, r.Registers[0]), nil
	}
	dst = binary.BigEndian.AppendUint16(dst, uint16(n))
	switch r.Function {
	case WriteMultipleCoils:
		dst = append(dst, byte(bytesFor(n)))
		dst = appendBits(dst, r.Bits)
	case WriteMultipleRegisters:
		dst = append(dst, byte(2*n))
		dst = appendRegisters(dst, r.Registers)
	}
	return dst, nil
}

// ParseRequest reads a request's PDU. Its error is the Exception that a server
// answers with.
func ParseRequest(pdu []byte) (Request, error) {
	if len(pdu) == 0 {
		return Request{}, IllegalFunction
	}
	r := Request{Function: Function(pdu[0])}
	switch r.Function {
	case ReadCoils, ReadDiscreteInputs, ReadHoldingRegisters, ReadInputRegisters, WriteSingleCoil, WriteSingleRegister, WriteMultipleCoils, WriteMultipleRegisters:
	default:
		return r, IllegalFunction
	}
	if len(pdu) < 5 {
		return r, IllegalDataValue
	}
	r.Address = binary.BigEndian.Uint16(pdu[1:])
	value, rest := binary.BigEndian.Uint16(pdu[3:]), pdu[5:]
	switch r.Function {
	case WriteSingleCoil:
		if value != coilOn && value != coilOff {
			return r, IllegalDataValue
		}
		r.Bits, r.Quantity = []bool{value == coilOn}, 1
	case WriteSingleRegister:
		r.Registers, r.Quantity = []uint16{value}, 1
	case WriteMultipleCoils:
		if value < 1 || value > MaxWriteBits || len(rest) != 1+bytesFor(int(value)) || int(rest[0]) != bytesFor(int(value)) {
			return r, IllegalDataValue
		}
		r.Bits, r.Quantity = readBits(rest[1:], int(value)), value
		rest = nil
	case WriteMultipleRegisters:
		if value < 1 || value > MaxWriteRegisters || len(rest) != 1+2*int(value) || int(rest[0]) != 2*int(value) {
			return r, IllegalDataValue
		}
		r.Registers, r.Quantity = readRegisters(rest[1:]), value
		rest = nil
	default:
		r.Quantity = value
	}
	if len(rest) != 0 {
		return r, IllegalDataValue
	}
	if _, err := r.quantity(); err != nil {
		if n := int(r.Quantity); n >= 1 && int(r.Address)+n > 1<<16 {
			return r, IllegalDataAddress
		}
		return r, IllegalDataValue
	}
	return r, nil
}

// AppendResponse adds the PDU of an answer to r to dst. For a write, answer is
// empty; for a read it holds exactly what was asked for.
func (r Request) AppendResponse(dst []byte, answer Response) ([]byte, error) {
	n, err := r.quantity()
	if err != nil {
		return dst, err
	}
	switch r.Function {
	case ReadCoils, ReadDiscreteInputs:
		if len(answer.Bits) != n {
			return dst, fmt.Errorf("%w: %d bits for %d", ErrReply, len(answer.Bits), n)
		}
		return appendBits(append(dst, byte(r.Function), byte(bytesFor(n))), answer.Bits), nil
	case ReadHoldingRegisters, ReadInputRegisters:
		if len(answer.Registers) != n {
			return dst, fmt.Errorf("%w: %d registers for %d", ErrReply, len(answer.Registers), n)
		}
		return appendRegisters(append(dst, byte(r.Function), byte(2*n)), answer.Registers), nil
	}
	return append(dst, r.echo()...), nil
}

// AppendException adds the PDU of a refusal to dst.
func (f Function) AppendException(dst []byte, e Exception) []byte {
	return append(dst, byte(f)|0x80, byte(e))
}

// echo is the answer to a write.
func (r Request) echo() []byte {
	b := binary.BigEndian.AppendUint16([]byte{byte(r.Function)}, r.Address)
	switch r.Function {
	case WriteSingleCoil:
		return binary.BigEndian.AppendUint16(b, coil(r.Bits[0]))
	case WriteSingleRegister:
		return binary.BigEndian.AppendUint16(b, r.Registers[0])
	case WriteMultipleCoils:
		return binary.BigEndian.AppendUint16(b, uint16(len(r.Bits)))
	}
	return binary.BigEndian.AppendUint16(b, uint16(len(r.Registers)))
}

// ParseResponse reads the PDU of an answer to r: an Exception when the device
// refused, ErrReply when it answers something else.
func (r Request) ParseResponse(pdu []byte) (Response, error) {
	n, err := r.quantity()
	if err != nil {
		return Response{}, err
	}
	if len(pdu) == 2 && pdu[0] == byte(r.Function)|0x80 {
		return Response{}, Exception(pdu[1])
	}
	if len(pdu) == 0 || pdu[0] != byte(r.Function) {
		return Response{}, fmt.Errorf("%w: function %d was asked, % x came", ErrReply, r.Function, head(pdu))
	}
	switch r.Function {
	case ReadCoils, ReadDiscreteInputs:
		if len(pdu) != 2+bytesFor(n) || int(pdu[1]) != bytesFor(n) {
			return Response{}, fmt.Errorf("%w: %d bits were asked, % x came", ErrReply, n, head(pdu))
		}
		return Response{Bits: readBits(pdu[2:], n)}, nil
	case ReadHoldingRegisters, ReadInputRegisters:
		if len(pdu) != 2+2*n || int(pdu[1]) != 2*n {
			return Response{}, fmt.Errorf("%w: %d registers were asked, % x came", ErrReply, n, head(pdu))
		}
		return Response{Registers: readRegisters(pdu[2:])}, nil
	}
	if string(pdu) != string(r.echo()) {
		return Response{}, fmt.Errorf("%w: the write was answered % x", ErrReply, head(pdu))
	}
	return Response{}, nil
}

// head is the start of a PDU, for error texts.
func head(pdu []byte) []byte { return pdu[:min(len(pdu), 12)] }

func coil(on bool) uint16 {
	if on {
		return coilOn
	}
	return coilOff
}

func bytesFor(bits int) int { return (bits + 7) / 8 }

func appendBits(dst []byte, bits []bool) []byte {
	start := len(dst)
	dst = append(dst, make([]byte, bytesFor(len(bits)))...)
	for i, on := range bits {
		if on {
			dst[start+i/8] |= 1 << (i % 8)
		}
	}
	return dst
}

func readBits(b []byte, n int) []bool {
	out := make([]bool, n)
	for i := range out {
		out[i] = b[i/8]&(1<<(i%8)) != 0
	}
	return out
}

func appendRegisters(dst []byte, regs []uint16) []byte {
	for _, v := range regs {
		dst = binary.BigEndian.AppendUint16(dst, v)
	}
	return dst
}

func readRegisters(b []byte) []uint16 {
	out := make([]uint16, len(b)/2)
	for i := range out {
		out[i] = binary.BigEndian.Uint16(b[2*i:])
	}
	return out
}
