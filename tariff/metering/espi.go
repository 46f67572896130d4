package metering

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"
	"strings"
	"time"
)

// Green Button: the Energy Services Provider Interface (NAESB REQ.21), an Atom
// feed whose entries hold usage points, reading types and interval blocks.

type espiLink struct {
	Rel  string `xml:"rel,attr"`
	Href string `xml:"href,attr"`
}

type espiEntry struct {
	Links   []espiLink `xml:"link"`
	Title   string     `xml:"title"`
	Content struct {
		Usage *struct {
			Kind string `xml:"ServiceCategory>kind"`
		} `xml:"UsagePoint"`
		Meter  *struct{}   `xml:"MeterReading"`
		Type   *espiType   `xml:"ReadingType"`
		Blocks []espiBlock `xml:"IntervalBlock"`
	} `xml:"content"`
}

type espiType struct {
	Flow     string `xml:"flowDirection"`
	Length   string `xml:"intervalLength"`
	Power    string `xml:"powerOfTenMultiplier"`
	Unit     string `xml:"uom"`
	Behavior string `xml:"accumulationBehaviour"`
}

type espiBlock struct {
	Readings []struct {
		Period struct {
			Length string `xml:"duration"`
			Start  string `xml:"start"`
		} `xml:"timePeriod"`
		Value   string   `xml:"value"`
		Quality []string `xml:"ReadingQuality>quality"`
	} `xml:"IntervalReading"`
}

func (e *espiEntry) link(rel string) (out []string) {
	for _, l := range e.Links {
		if l.Rel == rel {
			out = append(out, strings.TrimSuffix(strings.TrimSpace(l.Href), "/"))
		}
	}
	return out
}

// below tells whether one resource lies under another: ".../MeterReading/1" has
// ".../MeterReading/1/IntervalBlock/7".
func below(path, root string) bool {
	return root != "" && (path == root || strings.HasPrefix(path, root+"/"))
}

// readESPI reads Green Button data.
func (f *File) readESPI(text []byte) error {
	f.Format, f.Zone = "Green Button (ESPI)", "UTC"
	in := xml.NewDecoder(bytes.NewReader(text))
	in.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil } // decoded already
	var blocks []espiEntry
	var types, meters, points []espiEntry
	for {
		token, err := in.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("%w: %w", err, ErrFormat)
		}
		at, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		var e espiEntry
		switch at.Name.Local {
		case "entry":
			if err := in.DecodeElement(&e, &at); err != nil {
				return fmt.Errorf("%w: %w", err, ErrFormat)
			}
		case "IntervalBlock": // without Atom around it
			var b espiBlock
			if err := in.DecodeElement(&b, &at); err != nil {
				return fmt.Errorf("%w: %w", err, ErrFormat)
			}
			e.Content.Blocks = []espiBlock{b}
		case "ReadingType":
			e.Content.Type = new(espiType)
			if err := in.DecodeElement(e.Content.Type, &at); err != nil {
				return fmt.Errorf("%w: %w", err, ErrFormat)
			}
		default:
			continue
		}
		if len(e.Content.Blocks) > 0 {
			blocks = append(blocks, e)
		}
		if e.Content.Type != nil {
			types = append(types, e)
		}
		if e.Content.Meter != nil {
			meters = append(meters, e)
		}
		if e.Content.Usage != nil {
			points = append(points, e)
		}
	}
	if len(blocks) == 0 {
		f.problem(0, "", "ask the utility for interval data, not for bills", "there is no interval block in it")
		return nil
	}
	left := map[string]bool{}
	for i := range blocks {
		kind, why := typeOf(&blocks[i], meters, types)
		if kind == nil {
			f.problem(0, "", "ask the utility for a file with one usage point", "%s", why)
			return nil
		}
		unit, scale, why := kind.scale()
		if why != "" {
			if !left[why] {
				left[why] = true
				f.remark("left out: %s", why)
			}
			continue
		}
		name := f.pointOf(&blocks[i], points)
		f.block(&blocks[i], kind, name, unit, scale)
	}
	return nil
}

// typeOf finds the reading type of a block: through the meter reading that the
// block lies under, which links to it.
func typeOf(b *espiEntry, meters, types []espiEntry) (*espiType, string) {
	if len(types) == 0 {
		return nil, "no reading type says what the values are"
	}
	paths := append(b.link("up"), b.link("self")...)
	for i := range meters {
		for _, self := range meters[i].link("self") {
			for _, p := range paths {
				if !below(p, self) {
					continue
				}
				for j := range types {
					for _, related := range meters[i].link("related") {
						if slices.Contains(types[j].link("self"), related) {
							return types[j].Content.Type, ""
						}
					}
				}
			}
		}
	}
	if len(types) == 1 {
		return types[0].Content.Type, ""
	}
	return nil, fmt.Sprintf("there are %d reading types and no link says which one an interval block is of", len(types))
}

// pointOf names the usage point that a block belongs to.
func (f *File) pointOf(b *espiEntry, points []espiEntry) string {
	paths := append(b.link("up"), b.link("self")...)
	for i := range points {
		for _, self := range points[i].link("self") {
			for _, p := range paths {
				if !below(p, self) {
					continue
				}
				if title := strings.TrimSpace(points[i].Title); title != "" {
					return clipName(title)
				}
				return clipName("usage point " + self[strings.LastIndexByte(self, '/')+1:])
			}
		}
	}
	if len(points) == 1 && strings.TrimSpace(points[0].Title) != "" {
		return clipName(strings.TrimSpace(points[0].Title))
	}
	if f.how.Meter != "" {
		return clipName(f.how.Meter)
	}
	return "main"
}

// scale says what a value of one is, or why such values are none of ours.
func (t *espiType) scale() (unit string, scale *big.Rat, why string) {
	switch strings.TrimSpace(t.Unit) {
	case "72":
		unit = "Wh"
	case "38":
		unit = "W"
	default:
		return "", nil, fmt.Sprintf("values of unit %s, which is no energy", clip(strings.TrimSpace(t.Unit)))
	}
	switch strings.TrimSpace(t.Flow) {
	case "19", "2":
		return "", nil, "what the site fed back (flow direction " + strings.TrimSpace(t.Flow) + ")"
	}
	switch strings.TrimSpace(t.Behavior) {
	case "1", "3", "9":
		return "", nil, "counter readings that are no intervals (accumulation behaviour " + strings.TrimSpace(t.Behavior) + ")"
	}
	ten := big.NewRat(1, 1)
	if p := strings.TrimSpace(t.Power); p != "" && p != "0" {
		v, err := amount("1e"+p, false)
		if err != nil || len(strings.TrimLeft(p, "+-0")) > 1 {
			return "", nil, fmt.Sprintf("values with the power of ten %s", clip(p))
		}
		ten = v
	}
	return unit, ten, ""
}

func (f *File) block(b *espiEntry, t *espiType, meter, unit string, scale *big.Rat) {
	for _, block := range b.Content.Blocks {
		for i, r := range block.Readings {
			start, errS := whole(r.Period.Start)
			seconds, errL := whole(r.Period.Length)
			if errL != nil {
				seconds, errL = whole(t.Length)
			}
			v, err := amount(r.Value, false)
			if errS != nil || errL != nil || err != nil || seconds <= 0 || seconds > 86400 {
				f.problem(0, "", "", "reading %d of a block: start %q, duration %q, value %q", i+1, clip(r.Period.Start), clip(r.Period.Length), clip(r.Value))
				continue
			}
			length := time.Duration(seconds) * time.Second
			v = new(big.Rat).Mul(v, scale)
			if unit == "W" {
				v.Mul(v, big.NewRat(seconds, 3600))
			}
			c := counted{value: v, unit: "Wh"}
			for _, q := range r.Quality {
				switch strings.TrimSpace(q) {
				case "7", "8", "9", "10", "12", "13", "15":
					c.flag = "estimated"
				}
			}
			f.take(c, meter, time.Unix(start, 0), length)
		}
	}
}

func whole(text string) (int64, error) {
	v, err := amount(strings.TrimSpace(text), false)
	if err != nil || !v.IsInt() || !v.Num().IsInt64() {
		return 0, fmt.Errorf("%q is no whole number", clip(text))
	}
	return v.Num().Int64(), nil
}
