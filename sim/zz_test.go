package sim
import ("testing";"time";"fmt";"ballast/site")
func TestZZ(t *testing.T){ for _, sc := range []bool{false,true} { s := newSite(t, Config{Machines: 10000, Scatter: sc, Pristine: true}); p,_ := s.Plan(); st:=time.Now(); b,_ := p.YAML(); a := time.Since(st); st=time.Now(); _, err := site.Parse(b); fmt.Println(len(b), a, time.Since(st), err) }}
