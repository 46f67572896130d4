package modbus

import (
	"encoding/binary"
	"fmt"
	"io"
)

// headerLen is the MBAP header: transaction, protocol, length, unit.
const headerLen = 7

// Frame is one message on the wire.
type Frame struct {
	Transaction uint16 // chosen by the client, echoed by the server
	Unit        byte   // the device behind a gateway; 255 or 1 for the one at the address
	PDU         []byte
}

// Append adds the frame's bytes to dst.
func (f Frame) Append(dst []byte) ([]byte, error) {
	if len(f.PDU) < 1 || len(f.PDU) > maxPDU {
		return dst, fmt.Errorf("%w: a PDU of %d bytes", ErrFrame, len(f.PDU))
	}
	dst = binary.BigEndian.AppendUint16(dst, f.Transaction)
	dst = binary.BigEndian.AppendUint16(dst, 0)
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(f.PDU)+1))
	return append(append(dst, f.Unit), f.PDU...), nil
}

// ReadFrame reads one frame. io.EOF means that the stream ended between
// frames. After ErrFrame the stream cannot be read on.
func ReadFrame(r io.Reader) (Frame, error) {
	var head [headerLen]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return Frame{}, err
	}
	if protocol := binary.BigEndian.Uint16(head[2:]); protocol != 0 {
		return Frame{}, fmt.Errorf("%w: protocol %d", ErrFrame, protocol)
	}
	n := int(binary.BigEndian.Uint16(head[4:]))
	if n < 2 || n > maxPDU+1 {
		return Frame{}, fmt.Errorf("%w: a length of %d", ErrFrame, n)
	}
	pdu := make([]byte, n-1)
	if _, err := io.ReadFull(r, pdu); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return Frame{}, err
	}
	return Frame{Transaction: binary.BigEndian.Uint16(head[0:]), Unit: head[6], PDU: pdu}, nil
}
