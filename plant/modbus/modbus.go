// Package modbus speaks Modbus TCP, as client and as server: the MODBUS
// Application Protocol Specification V1.1b3 and the MODBUS Messaging on TCP/IP
// Implementation Guide V1.0b, both published by modbus.org. It knows the
// functions that meters and controllers use: 1 to 6, 15 and 16.
//
// Addresses are those of the protocol, from 0. Manuals often count registers
// from 1 or write 40001: the protocol's address is one (or 40001) less.
package modbus

import (
	"errors"
	"fmt"
)

// Function is a function code.
type Function byte

// The functions.
const (
	ReadCoils              Function = 1
	ReadDiscreteInputs     Function = 2
	ReadHoldingRegisters   Function = 3
	ReadInputRegisters     Function = 4
	WriteSingleCoil        Function = 5
	WriteSingleRegister    Function = 6
	WriteMultipleCoils     Function = 15
	WriteMultipleRegisters Function = 16
)

// Most things in one request, so that request and reply fit a PDU.
const (
	MaxReadBits       = 2000
	MaxReadRegisters  = 125
	MaxWriteBits      = 1968
	MaxWriteRegisters = 123
)

// maxPDU is the longest protocol data unit: function and data.
const maxPDU = 253

// The ways an exchange can fail, other than by an [Exception].
var (
	ErrFrame   = errors.New("not a Modbus TCP frame")             // the stream cannot be read on
	ErrReply   = errors.New("the reply does not fit the request") // wrong function, length, echo or transaction
	ErrRequest = errors.New("not a valid Modbus request")         // the caller's mistake
	ErrResting = errors.New("not connected, and it is too early to try again")
)

// Exception is a device's refusal, with its code.
type Exception byte

// The exceptions.
const (
	IllegalFunction       Exception = 0x01
	IllegalDataAddress    Exception = 0x02
	IllegalDataValue      Exception = 0x03
	DeviceFailure         Exception = 0x04
	Acknowledge           Exception = 0x05
	DeviceBusy            Exception = 0x06
	MemoryParityError     Exception = 0x08
	GatewayPathUnknown    Exception = 0x0A
	GatewayTargetNoAnswer Exception = 0x0B
)

var exceptions = map[Exception]string{
	IllegalFunction: "illegal function", IllegalDataAddress: "illegal data address", IllegalDataValue: "illegal data value",
	DeviceFailure: "device failure", Acknowledge: "acknowledged, still working", DeviceBusy: "device busy", MemoryParityError: "memory parity error",
	GatewayPathUnknown: "gateway knows no path", GatewayTargetNoAnswer: "no answer behind the gateway",
}

// Error implements error.
func (e Exception) Error() string {
	if text, ok := exceptions[e]; ok {
		return fmt.Sprintf("Modbus exception %d: %s", byte(e), text)
	}
	return fmt.Sprintf("Modbus exception %d", byte(e))
}

// Table is one of the four tables of a device.
type Table byte

// The tables.
const (
	Coils            Table = iota + 1 // bits, read and write
	DiscreteInputs                    // bits, read only
	HoldingRegisters                  // 16-bit words, read and write
	InputRegisters                    // 16-bit words, read only
)

// String names the table.
func (t Table) String() string {
	switch t {
	case Coils:
		return "coil"
	case DiscreteInputs:
		return "discrete input"
	case HoldingRegisters:
		return "holding register"
	case InputRegisters:
		return "input register"
	}
	return "no table"
}

// Bits tells whether the table holds bits.
func (t Table) Bits() bool { return t == Coils || t == DiscreteInputs }

// Read is the function that reads the table, which is also its number.
func (t Table) Read() Function { return Function(t) }

// Max is how many elements one request may read.
func (t Table) Max() int {
	if t.Bits() {
		return MaxReadBits
	}
	return MaxReadRegisters
}
