package avalon

import (
	"strings"

	"ballast/miner"
	"ballast/miner/cgminer"
)

// identify reads who the machine is, from version, else from the machine text,
// and returns its row in the table of models (empty when unknown).
func identify(r *miner.Reading, version cgminer.Object, modules []*module) miner.Model {
	id := &r.Identity
	id.Make = "Canaan"
	id.APIVersion = version.Text("API")
	id.MAC = miner.NormalMAC(version.Text("MAC"))
	id.ControlBoard = version.Text("HWTYPE")
	id.Serial = serial(version.Text("DNA"))
	id.FirmwareVersion = version.Text("VERSION", "CGVERSION", "LVERSION")
	product, name := version.Text("PROD"), version.Text("MODEL")
	told := product
	if name != "" && !strings.Contains(plain(product), plain(name)) {
		told = strings.TrimSpace(product + " " + name)
	}
	var candidates []string
	if len(modules) > 0 {
		m := modules[0]
		model, release := splitVer(kept(m.get("Ver")))
		if id.FirmwareVersion == "" {
			id.FirmwareVersion = release
		}
		if dna := serial(m.peek("DNA")); dna != "" && (id.Serial == "" || id.Serial == dna) {
			id.Serial = kept(serial(m.get("DNA")))
		}
		if told == "" {
			told = model
		}
		// The text's own model knows the bin: "1246-83".
		candidates = append(candidates, "Avalon "+model)
		if _, ok := small(model); ok && len(model) == 7 {
			candidates = append(candidates, "Avalon "+model[:3]) // A8 and A9: 8411801 is an 841 of 2018-01
		}
	}
	return lookup(r, told, product, append(candidates, "Avalon "+name))
}

func plain(s string) string { return strings.ToLower(strings.ReplaceAll(s, " ", "")) }

// serial is the DNA, the machine's number for life; not every text that is told
// in its place is one.
func serial(s string) string {
	if s == "" || strings.Trim(s, "0") == "" || strings.ContainsAny(s, "<>[]{}") {
		return ""
	}
	return s
}

// splitVer takes "1246-83-21072802_4ec6bb0_211fc46" or "Q-25052801_14a19a2"
// apart: the model (with its bin) and the release.
func splitVer(ver string) (model, release string) {
	at := strings.LastIndexByte(ver, '-')
	if at < 0 {
		return "", ver
	}
	return ver[:at], ver[at+1:]
}

// lookup finds the model by what the machine calls itself, else by any of its
// other names. One of those that names the bin too wins.
func lookup(r *miner.Reading, told, product string, others []string) miner.Model {
	best, _ := miner.LookupModel(product)
	for _, name := range others {
		if name == "Avalon " || name == product || best.Variant != "" {
			continue
		}
		if m, ok := miner.LookupModel(name); ok && (best.Name == "" || m.Name == best.Name) {
			best = m
		}
		if best.Name != "" {
			break
		}
	}
	id := &r.Identity
	if best.Name == "" {
		if told != "" {
			id.Model, id.ModelTold = told, told
			r.Warn(miner.WarnUnknown, "model", told)
		}
		return miner.Model{}
	}
	id.Make, id.Model = best.Make, best.Name
	if told != best.Name {
		id.ModelTold = told
	}
	return best
}
