package site

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func mustParse(t testing.TB, text string) *Site {
	t.Helper()
	s, err := Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestImportTable(t *testing.T) {
	empty := mustParse(t, "name: New")
	for _, c := range []struct {
		name, text string
		options    ImportOptions
		find       [3]string // addr, MAC, serial
		want       string
	}{
		{"own columns", "ip,mac,building,container,rack,slot\n10.0.0.1,,,C1,R1,7\n", ImportOptions{Base: -1}, [3]string{"10.0.0.1"}, "C1/R1/7"},
		{"semicolons, a mark and spaces", "\ufeffMAC Address;Serial Number;Container;Rack Name;Slot\n02-AA-00-00-00-07; ;C1;R1;3\n", ImportOptions{Base: -1}, [3]string{"", "02:aa:00:00:00:07"}, "C1/R1/3"},
		{"a rack in a building", "serial,building,rack,slot\nX1234,Hall,R9,2\n", ImportOptions{Base: -1}, [3]string{"", "", "X1234"}, "Hall/R9/2"},
		{"Foreman's export, counted from 0 at the top", "miner_id,miner_name,miner_ip,miner_mac,miner_rack_group,miner_rack,miner_row,miner_index,status\n" +
			"1,a,10.0.0.1,02:aa:00:00:00:01,C001,R05,0,0,online\n2,b,10.0.0.2,02:aa:00:00:00:02,C001,R05,1,2,online\n", ImportOptions{Base: -1, FromTop: true}, [3]string{"10.0.0.1"}, "C001/R05/4"},
		{"Foreman, the container in the rack's name, counted from 1", "miner_mac,miner_rack,miner_row,miner_index\n02:aa:00:00:00:01,C001-R05,1,1\n02:aa:00:00:00:02,C001-R05,2,3\n", ImportOptions{Base: -1}, [3]string{"", "02:aa:00:00:00:02"}, "C001/R05/6"},
		{"Foreman's bulk configuration, whose pool passwords are not looked at", "mac,serial,rack,row,index,name,static_ip,netmask,pool_1_url,pool_1_pass\n02:aa:00:00:00:01,S77777,MB08 R5,0,1,x,10.0.0.5,255.0.0.0,stratum+tcp://a,secret\n", ImportOptions{Base: -1}, [3]string{"10.0.0.5"}, "MB08/R5/2"},
		{"a path", "ip,location\n10.0.0.1,Hall/C1/R1/7\n", ImportOptions{Base: -1}, [3]string{"10.0.0.1"}, "Hall/C1/R1/7"},
		{"told to count from 0", "ip,container,rack,row,index\n10.0.0.1,C1,R1,1,1\n", ImportOptions{Base: 0}, [3]string{"10.0.0.1"}, "C1/R1/4"},
		{"no container", "ip,rack,slot\n10.0.0.1,A,1\n", ImportOptions{Base: -1, Container: "Shed"}, [3]string{"10.0.0.1"}, "Shed/A/1"},
	} {
		im := ImportTable(empty, []byte(c.text), c.options)
		if im.Site == nil {
			t.Errorf("%s: %+v", c.name, im.Problems)
			continue
		}
		a, _ := netip.ParseAddr(c.find[0])
		if p, ok := im.Site.Find(a, c.find[1], c.find[2]); !ok || p.String() != c.want {
			t.Errorf("%s: in %v (%v), want %s", c.name, p, ok, c.want)
		}
		if im.Placed != im.Lines || im.Lines == 0 {
			t.Errorf("%s: %+v", c.name, im)
		}
	}
	if empty.Slots() != 0 {
		t.Error("an import changed the site that it was read into")
	}
}

func TestImportTells(t *testing.T) {
	base := mustParse(t, ranch)
	for _, c := range []struct {
		name, text string
		line       int
		want       string
	}{
		{"no machine column", "rack,slot\nR1,1\n", 1, "which machine"},
		{"no place column", "ip,color\n10.0.0.1,red\n", 1, "where"},
		{"address", "ip,rack,slot\n10.0.0.1,R1,1\n10.0.0.300,R1,2\n", 3, `"10.0.0.300" is no address`},
		{"MAC", "mac,rack,slot\nzz,R1,1\n", 2, "no MAC"},
		{"slot", "ip,rack,slot\n10.0.0.1,R1,x\n", 2, "whole number"},
		{"slot 0", "ip,rack,slot\n10.0.0.1,R1,0\n", 2, "from 1"},
		{"nobody", "ip,rack,slot\n,R1,1\n", 2, "nothing says which machine"},
		{"no rack", "ip,rack,slot\n10.0.0.1,,1\n", 2, "no rack"},
		{"taken in the table", "ip,container,rack,slot\n10.0.0.1,C,R1,1\n10.0.0.2,C,R1,1\n", 3, "taken by line 2"},
		{"twice", "ip,container,rack,slot\n10.0.0.1,C,R1,1\n10.0.0.1,C,R1,2\n", 3, "in line 2 already"},
		{"cut off", "ip,container,rack,slot\n10.0.0.1,C,R1,1\n10.0.0.2,C\n", 3, "ends early"},
		{"quotes", "ip,container,rack,slot\n10.0.0.1,\"C,R1,1\n", 2, `"`},
		{"empty", "", 1, "no table"},
		{"head only", "ip,rack,slot\n", 1, "no line names"},
		{"beyond the rack's side", "ip,container,rack,row,index\n10.0.0.1,C01,R1,1,5\n", 2, "4 slots side by side"},
	} {
		im := ImportTable(base, []byte(c.text), ImportOptions{Base: -1})
		if im.Site != nil || len(im.Problems) == 0 || !strings.Contains(im.Problems[0].What, c.want) || im.Problems[0].Line != c.line {
			t.Errorf("%s: %+v, want line %d %q", c.name, im.Problems, c.line, c.want)
		}
	}
	// All lines, not only the first.
	im := ImportTable(base, []byte("ip,rack,slot\nx,R1,1\ny,R1,2\n10.0.0.1,R1,z\n"), ImportOptions{Base: -1})
	if len(im.Problems) != 3 {
		t.Errorf("three bad lines: %+v", im.Problems)
	}
}

func TestImportMoves(t *testing.T) {
	base := mustParse(t, ranch)
	im := ImportTable(base, []byte("ip,container,rack,slot\n10.20.1.7,C01,R1,7\n10.20.1.8,C02,R1,3\n10.20.9.9,C02,R1,2\n"), ImportOptions{Base: -1})
	if im.Site == nil || im.Same != 1 || im.Moved != 1 || im.Replaced != 1 || im.Placed != 0 {
		t.Fatalf("%+v", im)
	}
	for addr, want := range map[string]string{"10.20.1.7": "Hall/C01/R1/7", "10.20.1.8": "C02/R1/3", "10.20.1.9": "Hall/C01/R1/9", "10.20.9.9": "C02/R1/2"} {
		if p, ok := im.Site.Find(netip.MustParseAddr(addr), "", ""); !ok || p.String() != want {
			t.Errorf("%s in %v, want %s", addr, p, want)
		}
	}
	if p, ok := im.Site.Find(netip.Addr{}, "02:aa:00:00:00:07", ""); !ok || p.Slot != 3 || p.Outlet != 24 {
		t.Errorf("who was not named moved: %+v", p)
	}
	if _, ok := im.Site.Find(netip.Addr{}, "", "X9"); ok {
		t.Error("who was replaced is still there")
	}
}

// What is written as a table reads back to the same places.
func TestTableRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := &Site{Name: "x"}
		n := 0
		for c := range rapid.IntRange(0, 3).Draw(t, "containers") {
			ct := Container{Name: fmt.Sprint("C", c)}
			for r := range rapid.IntRange(0, 3).Draw(t, "racks") {
				rack := Rack{Name: fmt.Sprint("R", r), Slots: rapid.IntRange(1, 12).Draw(t, "slots")}
				for i := range rack.Slots {
					n++
					m := Slot{Slot: i + 1}
					switch rapid.IntRange(0, 3).Draw(t, "kind") {
					case 0:
						continue
					case 1:
						m.MAC = fmt.Sprintf("02:aa:00:00:00:%02x", n)
					case 2:
						m.Serial = fmt.Sprint("SN", 1000+n)
					case 3:
						m.Addr = Addr{netip.AddrFrom4([4]byte{10, 0, 0, byte(n)})}
					}
					rack.Machines = append(rack.Machines, m)
				}
				ct.Racks = append(ct.Racks, rack)
			}
			s.Containers = append(s.Containers, ct)
		}
		if err := s.Check(); err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := s.WriteTable(&b); err != nil {
			t.Fatal(err)
		}
		im := ImportTable(s, b.Bytes(), ImportOptions{Base: -1})
		if strings.Count(b.String(), "\n") == 1 {
			return // nobody is described
		}
		if im.Site == nil || im.Placed+im.Moved+im.Replaced != 0 {
			t.Fatalf("%+v of\n%s", im, b.String())
		}
		if a, z := slices.Collect(s.Places()), slices.Collect(im.Site.Places()); !slices.Equal(a, z) {
			t.Fatalf("%v\n%v", a, z)
		}
		fresh := ImportTable(&Site{Name: "y"}, b.Bytes(), ImportOptions{Base: -1})
		if fresh.Site == nil {
			t.Fatalf("%+v", fresh.Problems)
		}
		for p := range s.Places() {
			if q, ok := fresh.Site.Find(p.Addr, p.MAC, p.Serial); (p.MAC != "" || p.Serial != "" || p.Addr.IsValid()) && (!ok || q.String() != p.String()) {
				t.Fatalf("%v became %v", p, q)
			}
		}
	})
}

func FuzzImportTable(f *testing.F) {
	base := mustParse(f, ranch)
	f.Add([]byte("ip,mac,building,container,rack,slot\n10.0.0.1,,,C1,R1,7\n"), 0, true)
	f.Add([]byte("miner_mac,miner_rack,miner_row,miner_index\n02:aa:00:00:00:01,C001-R05,1,1\n"), -1, false)
	f.Add([]byte("\ufeffip;location\n10.20.1.3;Hall/C01/R1/9"), 1, true)
	f.Fuzz(func(t *testing.T, text []byte, from int, top bool) {
		im := ImportTable(base, text, ImportOptions{Base: from, FromTop: top})
		if (im.Site == nil) == (len(im.Problems) == 0) {
			t.Fatalf("site %v, problems %v", im.Site != nil, im.Problems)
		}
		if im.Site != nil {
			if err := im.Site.Check(); err != nil {
				t.Fatal(err)
			}
		}
		if err := base.Check(); err != nil || base.Slots() != 27 {
			t.Fatalf("the site itself changed: %v", err)
		}
	})
}
