package register_test

import (
	"context"
	"fmt"
	"log"
	"net"

	"ballast/plant"
	"ballast/plant/modbus"
	"ballast/plant/register"
)

// A cooling controller that does not exist, on a real socket, and the device
// that reads it and sets its set-point.
func Example() {
	m, err := register.Builtin("ballast-cooling")
	if err != nil {
		log.Fatal(err)
	}
	// The simulator's half: a bank that serves the map.
	setpoint := 30.0
	bank, err := register.NewBank(m)
	if err != nil {
		log.Fatal(err)
	}
	bank.Get = func(f plant.Field) (float64, bool) {
		switch f {
		case "supply":
			return 30.4, true
		case "setpoint":
			return setpoint, true
		case "alarm.leak":
			return 1, true
		}
		return 0, false
	}
	bank.Set = func(f plant.Field, v float64) error {
		setpoint = v
		return nil
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = (&modbus.Server{Handler: bank}).Serve(ctx, l)
	}()

	// The product's half.
	client := modbus.NewClient(modbus.Options{Address: l.Addr().String()})
	device, err := register.New(register.Config{Name: "loop-east", Map: m, Client: client})
	if err != nil {
		log.Fatal(err)
	}
	r, err := device.Read(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(r.Cooling.Supply.Or(0), r.Cooling.Alarms, r.Quality)
	w, err := device.SetSetpoint(ctx, 32)
	fmt.Println(w.Was, w.Now, err)
	_, err = device.SetSetpoint(ctx, 80)
	fmt.Println(err)

	_ = client.Close()
	cancel()
	<-served
	// Output:
	// 30.4°C [leak] partial
	// 30 32 <nil>
	// setting setpoint of loop-east: outside the limits of the map: 80 is not within 15 to 55 C
}
