package cgminer_test

import (
	"fmt"

	"ballast/miner"
	"ballast/miner/cgminer"
)

func ExampleMend() {
	fixed, repairs, ok := cgminer.Mend([]byte("{\"STATS\":[{\"Type\":\"Antminer S9\"}{\"fan3\":5640,}],\"WU\":inf}\x00"))
	fmt.Println(ok, repairs)
	fmt.Println(string(fixed))
	// Output:
	// true [missing comma stray comma inf or nan]
	// {"STATS":[{"Type":"Antminer S9"},{"fan3":5640}],"WU":null}
}

func ExampleRead() {
	reading := miner.Reading{}
	reply, ok := cgminer.Read("summary", []byte(`{"STATUS":[{"STATUS":"S","Code":11,"Msg":"Summary"}],"SUMMARY":[{"Elapsed":60,"GHS 5s":"13630.55","Accepted":7}],"id":1}`), reading.Warn)
	if ok {
		cgminer.FillSummary(&reading, reply.First("SUMMARY"))
	}
	fmt.Println(reading.HashrateNow.Or(0), reading.MinerUptime.Or(0), reading.Accepted.Or(0))
	// Output: 13.63055TH/s 1m0s 7
}
