package sim
import ("testing";"time";"fmt";"ballast/site";"github.com/goccy/go-yaml/parser")
func TestZZ(t *testing.T){ for _, sc := range []bool{false,true} { for _, n := range []int{250,500,1000,2000} { s := newSite(t, Config{Machines: n, Scatter: sc, Pristine: true}); p,_ := s.Plan(); st:=time.Now(); b,_ := p.YAML(); a := time.Since(st);
st=time.Now(); _, e := parser.ParseBytes(b, 0); pp := time.Since(st); 
st=time.Now(); _, err := site.Parse(b); fmt.Println(n, sc, len(b), "write", a, "parse", pp, e, "all", time.Since(st), err) }}}
