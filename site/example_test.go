package site_test

import (
	"fmt"
	"net/netip"

	"ballast/site"
)

func Example() {
	s, err := site.Parse([]byte(`
name: Ranch
feeders:
  - {name: F1, cap: 2.5MW}
pdus:
  - {name: P1, feeder: F1, cap: 80kW}
containers:
  - name: C01
    racks:
      - {name: R1, pdu: P1, slots: 20, addresses: 10.20.1.1-20}
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	place, _ := s.Find(netip.MustParseAddr("10.20.1.7"), "", "")
	fmt.Println(place)
	for _, c := range s.Caps(place) {
		fmt.Println(c.Of, c.Power)
	}
	// Output:
	// C01/R1/7
	// pdu P1 80kW
	// feeder F1 2.5MW
}
